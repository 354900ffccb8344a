/**
 * Peer encoders: batches of kafkajs and @platformatic/kafka read here, and ours read there. Both
 * packages are used by their internal modules, because neither exports its encoder.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { openCompression } from '../../protocol/compression/compression.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { checkProducedBatch } from '../../protocol/records/batch-header.ts'
import { readRecords } from '../../protocol/records/record-reader.ts'
import { timestamps } from '../support/arbitrary-records.ts'
import { repositoryRoot } from '../support/kafka-fixture.ts'

const require = createRequire(import.meta.url)
const compression = await openCompression()

interface Plain {
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: [string, Buffer][]
}

const buffer = fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes))
const field = fc.option(buffer, { nil: null })
/** Distinct, letters first: both peers keep headers in a map, where numbers would be sorted. */
const name = fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => `h${text}`)
const headers = fc.uniqueArray(fc.tuple(name, buffer), { maxLength: 3, selector: ([n]) => n })
const records = fc.array(
  fc.record<Plain>({ timestamp: timestamps, key: field, value: field, headers }),
  { minLength: 1, maxLength: 8 },
)

const hex = (bytes: Uint8Array | null | undefined) =>
  bytes == null ? null : Buffer.from(bytes).toString('hex')

function comparable(list: readonly Plain[]): unknown[] {
  return list.map(({ timestamp, key, value, headers }, offset) => ({
    offset,
    timestamp,
    key: hex(key),
    value: hex(value),
    headers: headers.map(([n, v]) => [n, hex(v)]),
  }))
}

/** What our reader makes of a batch, in the same form. */
function readOurs(batch: Uint8Array): unknown[] {
  checkProducedBatch(batch)
  return readRecords(batch, compression).map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    timestamp,
    key: hex(key),
    value: hex(value),
    headers: headers.map(header => [header.name, hex(header.value)]),
  }))
}

const producer = { producerId: 2 ** 40 + 7, producerEpoch: 4, baseSequence: 2 ** 31 - 1 }

function buildOurs(list: readonly Plain[], codec: 'none' | 'gzip'): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
  for (const { timestamp, key, value, headers } of list) {
    builder.appendParts(
      timestamp,
      key,
      value,
      headers.map(([n, v]) => ({ name: n, value: v })),
    )
  }
  return Buffer.from(builder.build({ codec, compression, ...producer }))
}

const codecs = fc.constantFrom('none', 'gzip') as fc.Arbitrary<'none' | 'gzip'>
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

// ---------- kafkajs ----------

interface KafkaJsEncoder {
  readonly buffer: Buffer
}
interface KafkaJsRecord {
  offset: string
  timestamp: string
  key: Buffer | null
  value: Buffer | null
  headers: Record<string, Buffer>
}
interface KafkaJsBatch {
  producerId: string
  producerEpoch: number
  firstSequence: number
  maxTimestamp: string
  records: KafkaJsRecord[]
}

const kafkaJs = {
  encode: require('kafkajs/src/protocol/recordBatch/v0').RecordBatch as (
    options: object,
  ) => Promise<KafkaJsEncoder>,
  record: require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object,
  decode: require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
    decoder: object,
  ) => Promise<KafkaJsBatch>,
  Decoder: require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object,
}

t.test('a batch of kafkajs reads here', async () => {
  await fc.assert(
    fc.asyncProperty(records, codecs, async (list, codec) => {
      const first = list[0]?.timestamp ?? 0
      const encoded = await kafkaJs.encode({
        compression: codec === 'gzip' ? 1 : 0,
        firstTimestamp: first,
        maxTimestamp: Math.max(...list.map(record => record.timestamp)),
        lastOffsetDelta: list.length - 1,
        records: list.map(({ timestamp, key, value, headers }, offsetDelta) =>
          kafkaJs.record({
            offsetDelta,
            timestampDelta: timestamp - first,
            key,
            value,
            headers: Object.fromEntries(headers),
          }),
        ),
      })
      return same(readOurs(encoded.buffer), comparable(list))
    }),
  )
})

t.test('our batch reads in kafkajs', async () => {
  await fc.assert(
    fc.asyncProperty(records, codecs, async (list, codec) => {
      const batch = await kafkaJs.decode(new kafkaJs.Decoder(buildOurs(list, codec)))
      const theirs = batch.records.map(record => ({
        offset: Number(record.offset),
        timestamp: Number(record.timestamp),
        key: hex(record.key),
        value: hex(record.value),
        headers: Object.entries(record.headers).map(([n, v]) => [n, hex(v)]),
      }))
      const { producerId, producerEpoch, firstSequence } = batch
      return (
        same(theirs, comparable(list)) &&
        same([Number(producerId), producerEpoch, firstSequence], Object.values(producer))
      )
    }),
  )
})

// ---------- @platformatic/kafka ----------

interface PlatformaticBatch {
  firstTimestamp: bigint
  producerId: bigint
  producerEpoch: number
  firstSequence: number
  records: {
    offsetDelta: number
    timestampDelta: bigint
    key: Buffer | null
    value: Buffer | null
    headers: [Buffer, Buffer | null][]
  }[]
}
interface PlatformaticModules {
  createRecordsBatch(messages: object[], options: object): { readonly buffer: Buffer }
  readRecordsBatch(reader: object): PlatformaticBatch
  Reader: { from(bytes: Buffer): object }
}

const protocolDirectory = join(repositoryRoot(), 'node_modules/@platformatic/kafka/dist/protocol')
const load = (file: string) => import(pathToFileURL(join(protocolDirectory, file)).href)
const platformatic = {
  ...(await load('records.js')),
  ...(await load('reader.js')),
} as PlatformaticModules

/**
 * Its encoder (1.35) shifts by 31 where zig-zag of 64 bits needs 63, and so garbles timestamps that
 * lie more than 2^31 ms from the batch's first; it cannot even read those itself. Its decoder is
 * right.
 */
const nearRecords = records.map(list =>
  list.map(record => ({ ...record, timestamp: 1_700_000_000_000 + (record.timestamp % 2 ** 31) })),
)

t.test('a batch of @platformatic/kafka reads here', async () => {
  fc.assert(
    fc.property(nearRecords, codecs, (list, compression) => {
      const messages = list.map(({ timestamp, key, value, headers }) => ({
        topic: 'x',
        timestamp: BigInt(timestamp),
        key,
        value,
        headers: new Map(headers.map(([n, v]) => [Buffer.from(n), v])),
      }))
      const { buffer } = platformatic.createRecordsBatch(messages, { compression })
      return same(readOurs(buffer), comparable(list))
    }),
  )
})

t.test('our batch reads in @platformatic/kafka', async () => {
  fc.assert(
    fc.property(records, codecs, (list, codec) => {
      const bytes = buildOurs(list, codec)
      const batch = platformatic.readRecordsBatch(platformatic.Reader.from(bytes))
      const theirs = batch.records.map(record => ({
        offset: record.offsetDelta,
        timestamp: Number(batch.firstTimestamp + record.timestampDelta),
        key: hex(record.key),
        value: hex(record.value),
        headers: record.headers.map(([n, v]) => [n.toString(), hex(v)]),
      }))
      const { producerId, producerEpoch, firstSequence } = batch
      return (
        same(theirs, comparable(list)) &&
        same([Number(producerId), producerEpoch, firstSequence], Object.values(producer))
      )
    }),
  )
})

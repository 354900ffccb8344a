/**
 * Kafka files: what Apache Kafka 4.3.1 wrote reads here as Kafka itself reads it. The files and the
 * rule that their records follow are described in test/fixtures/kafka-4.3.1/README.md.
 */
import t from 'tap'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import { type BatchHeader, checkBatch, patchBatch } from '../../../protocol/records/batch-header.ts'
import { eachBatch } from '../../../protocol/records/batches.ts'
import { readControlBatch } from '../../../protocol/records/control-record.ts'
import { readRecords, type StoredRecord } from '../../../protocol/records/record-reader.ts'
import { compressionCodecs } from '../../../protocol/world.ts'
import {
  type DumpedBatch,
  earthquakeLines,
  readDump,
  readLog,
} from '../../support/kafka-fixture.ts'

const compression = await openCompression()
const dump = readDump()
const lines = earthquakeLines()
const utf8 = new TextDecoder()
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : utf8.decode(bytes))

/** A header in the words of Kafka's dump tool. */
function asDumped(header: BatchHeader, position: number): DumpedBatch {
  const sequence = header.baseSequence
  return {
    baseOffset: String(header.baseOffset),
    lastOffset: String(header.lastOffset),
    count: String(header.recordCount),
    baseSequence: String(sequence),
    lastSequence: String(sequence < 0 ? -1 : sequence + header.lastOffsetDelta),
    producerId: String(header.producerId),
    producerEpoch: String(header.producerEpoch),
    partitionLeaderEpoch: String(header.leaderEpoch),
    isTransactional: String(header.isTransactional),
    isControl: String(header.isControl),
    deleteHorizonMs: header.hasDeleteHorizon ? '?' : 'OptionalLong.empty',
    position: String(position),
    CreateTime: String(header.maxTimestamp),
    size: String(header.sizeBytes),
    magic: String(header.magic),
    compresscodec: header.codec,
    crc: String(header.crc),
    isvalid: 'true',
  }
}

t.test('every batch header equals what Kafka dumps, and its checksum is right', async t => {
  t.equal(dump.size, 22, 'log files in the dump')
  for (const [file, dumped] of dump) {
    const bytes = readLog(file)
    const seen: DumpedBatch[] = []
    let end = 0
    for (const { position, batch } of eachBatch(bytes)) {
      seen.push(asDumped(checkBatch(batch), position))
      end = position + batch.length
    }
    t.same(seen, dumped, file)
    t.equal(end, bytes.length, `${file} is read to its end`)
  }
})

function recordsOf(topic: string): StoredRecord[] {
  const records: StoredRecord[] = []
  for (const file of dump.keys()) {
    if (!file.startsWith(`${topic}-0/`)) continue
    for (const { batch } of eachBatch(readLog(file)))
      records.push(...readRecords(batch, compression))
  }
  return records
}

/** Everything about a record but the order in which its fields are compared. */
const asText = ({ offset, timestamp, key, value, headers }: StoredRecord) => ({
  offset,
  timestamp,
  key: textOf(key),
  value: textOf(value),
  headers: headers.map(header => [header.name, textOf(header.value)]),
})

/** Record n by the rule in the fixture's README. */
function produced(n: number): object {
  const line = lines[n] ?? ''
  const headers = [
    ['n', String(n)],
    ['empty', null],
  ]
  return {
    offset: n,
    timestamp: 1_700_000_000_000 + 1000 * n,
    key: n % 50 === 0 ? null : (JSON.parse(line) as { id: string }).id,
    value: n % 97 === 0 ? null : line,
    headers: n % 10 === 0 ? headers : [],
  }
}

for (const codec of compressionCodecs) {
  t.test(`each record of quakes-${codec} is the one that was produced`, async t => {
    const records = recordsOf(`quakes-${codec}`).map(asText)
    t.equal(records.length, 600)
    t.same(
      records,
      Array.from({ length: 600 }, (_, n) => produced(n)),
    )
  })
}

t.test('quakes-txn holds 200 records and ten markers, every third an abort', async t => {
  const data: StoredRecord[] = []
  const markers: string[] = []
  for (const file of dump.keys()) {
    if (!file.startsWith('quakes-txn-0/')) continue
    for (const { batch, header } of eachBatch(readLog(file))) {
      if (header.isControl) markers.push(readControlBatch(batch, header, compression).type)
      else data.push(...readRecords(batch, compression))
    }
  }
  t.same(
    markers,
    Array.from({ length: 10 }, (_, i) => (i % 3 === 2 ? 'abort' : 'commit')),
  )
  t.equal(data.length, 200)
  const expected = data.map((_, n) => ({
    offset: n + Math.floor(n / 20),
    timestamp: 1_700_000_000_000 + n,
    key: `k${n}`,
    value: lines[n],
    headers: [],
  }))
  t.same(data.map(asText), expected)
})

t.test('records of an uncompressed batch of Kafka encode here to the very same bytes', async t => {
  let batches = 0
  const different: number[] = []
  for (const file of dump.keys()) {
    for (const { batch, header } of eachBatch(readLog(file))) {
      if (header.codec !== 'none' || header.isControl) continue
      const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
      for (const record of readRecords(batch, compression)) builder.append(record)
      const ours = builder.build({ ...header, codec: 'none' })
      patchBatch(ours, header.baseOffset, header.leaderEpoch)
      if (Buffer.compare(ours, batch) !== 0) different.push(header.baseOffset)
      batches++
    }
  }
  t.ok(batches > 50, `${batches} batches`)
  t.same(different, [], 'header, checksum and records')
})

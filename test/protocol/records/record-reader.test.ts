/** Record reader: malformed records are refused; nothing is read outside of the batch. */
import fc from 'fast-check'
import t from 'tap'
import { writeInt32 } from '../../../protocol/bytes/integers.ts'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import {
  batchHeaderBytes,
  readBatchHeader,
  writeBatchHeader,
} from '../../../protocol/records/batch-header.ts'
import { eachBatch } from '../../../protocol/records/batches.ts'
import { RecordCursor, readRecords } from '../../../protocol/records/record-reader.ts'
import { anyRecords } from '../../support/arbitrary-records.ts'
import { readLog } from '../../support/kafka-fixture.ts'

const compression = await openCompression()
const producer = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

/** A batch around hand-written record bytes, its header and checksum in order. */
function batchOf(records: number[], recordCount = 1): Uint8Array {
  const batch = new Uint8Array(batchHeaderBytes + records.length)
  batch.set(records, batchHeaderBytes)
  const times = { baseTimestamp: 100, maxTimestamp: 200 }
  writeBatchHeader(batch, { codec: 'none', recordCount, ...times, ...producer })
  return batch
}

t.test('a record by hand: delta -1 ms, key "k", null value, header "h" = null', async t => {
  const record = [20, 0, 1, 0, 2, 0x6b, 1, 2, 2, 0x68, 1]
  const headers = [{ name: 'h', value: null }]
  t.same(readRecords(batchOf(record), compression), [
    { offset: 0, timestamp: 99, key: Uint8Array.of(0x6b), value: null, headers },
  ])
})

const malformed: [string, number[], number?][] = [
  ['a length past the end', [16, 0, 0, 0, 1, 1, 0]],
  ['a negative length', [1, 0, 0, 0, 1, 1, 0]],
  ['a length too small for a record', [10, 0, 0, 0, 1, 1, 0]],
  ['a length longer than its parts', [14, 0, 0, 0, 1, 1, 0, 0]],
  ['bytes after the last record', [12, 0, 0, 0, 1, 1, 0, 7]],
  ['fewer records than counted', [12, 0, 0, 0, 1, 1, 0], 2],
  ['a key past the end', [12, 0, 0, 0, 60, 1, 0]],
  ['a key length of -2', [12, 0, 0, 0, 3, 1, 0]],
  ['a value past the end', [12, 0, 0, 0, 1, 60, 0]],
  ['a value length of -2', [12, 0, 0, 0, 1, 3, 0]],
  ['a negative header count', [12, 0, 0, 0, 1, 1, 1]],
  ['headers that are not there', [12, 0, 0, 0, 1, 1, 2]],
  ['a header without name', [16, 0, 0, 0, 1, 1, 2, 1, 1]],
  ['a header name past the end', [16, 0, 0, 0, 1, 1, 2, 60, 1]],
  ['a header value past the end', [16, 0, 0, 0, 1, 1, 2, 0, 60]],
  ['a header value length of -2', [16, 0, 0, 0, 1, 1, 2, 0, 3]],
  ['an offset beyond the last one', [12, 0, 0, 2, 1, 1, 0]],
  ['a negative offset delta', [12, 0, 0, 1, 1, 1, 0]],
  ['an offset that comes twice', [12, 0, 0, 0, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0], 2],
  ['a timestamp delta beyond the safe range', [30, 0, ...Array(9).fill(0xff), 1, 0, 1, 1, 0]],
]

for (const [what, bytes, count] of malformed) {
  t.test(`${what} is CORRUPT_MESSAGE`, async t => {
    t.throws(() => readRecords(batchOf(bytes, count), compression), { code: 'CORRUPT_MESSAGE' })
  })
}

t.test('a key must not reach into the next record', async t => {
  const two = [12, 0, 0, 0, 8, 1, 0, 12, 0, 0, 2, 1, 1, 0]
  t.throws(() => readRecords(batchOf(two, 2), compression), { code: 'CORRUPT_MESSAGE' })
})

t.test('a record must not end before its length says', async t => {
  const two = [14, 0, 0, 0, 1, 1, 0, 12, 0, 0, 2, 1, 1, 0]
  t.throws(() => readRecords(batchOf(two, 2), compression), { code: 'CORRUPT_MESSAGE' })
})

t.test('log append time gives every record the time of the batch', async t => {
  const batch = batchOf([12, 0, 6, 0, 1, 1, 0])
  const header = { ...readBatchHeader(batch), timestampType: 'append' as const }
  const cursor = new RecordCursor(batch, header, compression)
  t.equal(cursor.next(), true)
  t.equal(cursor.timestamp, 200)
  t.equal(cursor.next(), false)
})

t.test('offsets with gaps, as compaction leaves them, are read', async t => {
  const batch = batchOf([12, 0, 0, 4, 1, 1, 0, 12, 0, 0, 10, 1, 1, 0], 2)
  writeInt32(batch, 23, 9)
  const offsets = readRecords(batch, compression).map(record => record.offset)
  t.same(offsets, [2, 5])
})

t.test('a batch that is cut off is refused before anything is read', async t => {
  const batch = batchOf([12, 0, 0, 0, 1, 1, 0])
  const header = readBatchHeader(batch)
  const cut = batch.subarray(0, batch.length - 1)
  t.throws(() => new RecordCursor(cut, header, compression), { code: 'CORRUPT_MESSAGE' })
})

t.test('a batch at the front of more bytes ends where its header says', async t => {
  const batch = batchOf([12, 0, 0, 0, 1, 1, 0])
  const followed = Uint8Array.from([...batch, 1, 2, 3])
  t.equal(readRecords(followed, compression).length, 1)
})

t.test('keys, values and header values are plain Uint8Arrays, whatever the batch is', async t => {
  const name = 'h'
  for (const codec of ['none', 'gzip'] as const) {
    const builder = new BatchBuilder({ capacityBytes: 1000 })
    const bytes = Uint8Array.of(1, 2)
    builder.appendParts(0, bytes, bytes, [{ name, value: bytes }])
    const batch = Buffer.from(builder.build({ codec, compression, ...producer }))
    const [record] = readRecords(batch, compression)
    for (const view of [record?.key, record?.value, record?.headers[0]?.value]) {
      t.equal(view?.constructor, Uint8Array)
    }
  }
})

t.test('unpacking stops at the limit', async t => {
  const [first] = eachBatch(readLog('quakes-gzip-0/00000000000000000000.log'))
  if (first === undefined) return t.fail('no batch')
  const open = (limit: number) => new RecordCursor(first.batch, first.header, compression, limit)
  t.throws(() => open(1000), { code: 'CORRUPT_MESSAGE', message: /beyond 1000 bytes/ })
  t.equal(open(1_000_000).next(), true)
})

/** Reads all it can; the outcome must be records or a SluiceError. */
function readAll(batch: Uint8Array): boolean {
  try {
    const cursor = new RecordCursor(batch, readBatchHeader(batch), compression, 1_000_000)
    while (cursor.next()) {
      const { key, value, headers } = cursor.record()
      const views = [key, value, ...headers.map(header => header.value)]
      const bytes = views.reduce((sum, view) => sum + (view?.length ?? 0), 0)
      if (bytes > 1_000_000) return false
    }
    return true
  } catch (error) {
    return SluiceError.is(error)
  }
}

t.test('random records give only SluiceErrors', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(4), (bytes, count) =>
      readAll(batchOf([...bytes], count + 1)),
    ),
    { numRuns: 1000 },
  )
})

t.test(
  'good records with a few bytes changed give only SluiceErrors, with every codec',
  async () => {
    const change = fc.tuple(fc.nat(), fc.nat(255))
    const codec = fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd')
    const zstd = [...eachBatch(readLog('quakes-zstd-0/00000000000000000000.log'))][0]
    fc.assert(
      fc.property(
        anyRecords,
        codec,
        fc.array(change, { maxLength: 3 }),
        (records, name, changes) => {
          const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
          for (const record of records) builder.append(record)
          const batch = compression.canWrite(name)
            ? builder.build({ codec: name, compression, ...producer })
            : (zstd?.batch.slice() ?? new Uint8Array(0))
          for (const [at, byte] of changes) {
            batch[batchHeaderBytes + (at % (batch.length - batchHeaderBytes))] = byte
          }
          return readAll(batch)
        },
      ),
      { numRuns: 500 },
    )
  },
)

/** Batch builder: whatever is put in comes out again, and the capacity is kept. */
import fc from 'fast-check'
import t from 'tap'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { BatchBuilder, type RecordInput } from '../../../protocol/records/batch-builder.ts'
import { checkProducedBatch } from '../../../protocol/records/batch-header.ts'
import { readRecords } from '../../../protocol/records/record-reader.ts'
import { compressionCodecs } from '../../../protocol/world.ts'
import { anyRecords } from '../../support/arbitrary-records.ts'

const compression = await openCompression()
const plain = { codec: 'none', producerId: -1, producerEpoch: -1, baseSequence: -1 } as const
const writable = compressionCodecs.filter(codec => compression.canWrite(codec))

/** A record as a reader should give it back. */
function asStored(record: RecordInput, offset: number): object {
  const { timestamp, key, value } = record
  const copy = (bytes: Uint8Array | null) => bytes && [...bytes]
  const headers = (record.headers ?? []).map(h => ({ name: h.name, value: copy(h.value) }))
  return { offset, timestamp, key: copy(key), value: copy(value), headers }
}

t.test('any records come back as they were put in, with every codec', async t => {
  t.ok(writable.length >= 2, `codecs written here: ${writable.join(' ')}`)
  fc.assert(
    fc.property(anyRecords, fc.constantFrom(...writable), (records, codec) => {
      const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
      for (const record of records) builder.append(record)
      const size = builder.sizeBytes
      const batch = builder.build({ ...plain, codec, compression })
      const header = checkProducedBatch(batch)
      const stored = readRecords(batch, compression).map(r => asStored(r, r.offset))
      const times = records.map(r => r.timestamp)
      return (
        JSON.stringify(stored) === JSON.stringify(records.map(asStored)) &&
        header.codec === codec &&
        header.maxTimestamp === Math.max(...times) &&
        header.baseTimestamp === times[0] &&
        (codec !== 'none' || batch.length === size)
      )
    }),
  )
})

t.test('a record over the capacity is refused and changes nothing', async t => {
  const builder = new BatchBuilder({ capacityBytes: 300 })
  const value = new Uint8Array(100).fill(1)
  t.equal(builder.appendParts(5, null, value), true)
  t.equal(builder.appendParts(9, null, value), true)
  const { count, sizeBytes, maxTimestamp } = builder
  t.equal(builder.appendParts(7, null, value), false)
  t.equal(builder.append({ timestamp: 99, key: value, value }), false)
  t.match(builder, { count, sizeBytes, maxTimestamp, baseTimestamp: 5 })
  t.equal(builder.appendParts(10, null, null), true, 'a smaller one still fits')
  const batch = builder.build(plain)
  t.ok(batch.length <= 300)
  t.equal(readRecords(batch, compression).length, 3)
})

t.test('the first record always fits, however large', async t => {
  const builder = new BatchBuilder({ capacityBytes: 100 })
  const value = Uint8Array.from({ length: 100_000 }, (_, i) => i)
  t.equal(builder.appendParts(1, value.subarray(0, 1), value), true)
  t.equal(builder.appendParts(1, null, null), false)
  t.same(readRecords(builder.build(plain), compression)[0]?.value, value)
})

t.test('a slab that grows keeps what it holds', async t => {
  const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
  let count = 0
  while (builder.appendParts(count, null, new Uint8Array(500).fill(count & 0xff))) count++
  t.ok(count > 2000)
  t.ok(2 ** 20 - builder.sizeBytes < 520, 'filled to the brim')
  const records = readRecords(builder.build(plain), compression)
  t.equal(records.length, count)
  t.ok(records.every((r, i) => r.timestamp === i && r.value?.every(byte => byte === (i & 0xff))))
})

t.test('the input may change after append', async t => {
  const builder = new BatchBuilder({ capacityBytes: 1000 })
  const value = Uint8Array.of(1, 2, 3)
  builder.appendParts(0, value, value, [{ name: 'h', value }])
  value.fill(9)
  const [record] = readRecords(builder.build(plain), compression)
  t.match(record, { key: Uint8Array.of(1, 2, 3), headers: [{ value: Uint8Array.of(1, 2, 3) }] })
})

t.test('bad timestamps and header names are refused and change nothing', async t => {
  const builder = new BatchBuilder({ capacityBytes: 1000 })
  for (const timestamp of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
    t.throws(() => builder.appendParts(timestamp, null, null), { code: 'INVALID_TIMESTAMP' })
  }
  const headers = [{ name: 'a\ud800', value: null }]
  t.throws(() => builder.appendParts(1, null, null, headers), { code: 'INVALID_RECORD' })
  t.match(builder, { count: 0, sizeBytes: 61 })
})

t.test('a builder is used once, and not for nothing', async t => {
  const builder = new BatchBuilder({ capacityBytes: 1000 })
  t.throws(() => builder.build(plain), { name: 'InvariantError' })
  builder.appendParts(1, null, null)
  builder.build(plain)
  t.throws(() => builder.build(plain), { name: 'InvariantError' })
  t.throws(() => builder.appendParts(1, null, null), { name: 'InvariantError' })
})

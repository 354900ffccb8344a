/**
 * Batch: what the broker checks at an append and the consumer reads. A batch that is accepted has
 * the checksum that its bytes have by other code; its records are those that a second, plain reader
 * finds; what was built reads back as it was.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { RecordInput } from '../../../protocol/records/batch-builder.ts'
import {
  type BatchHeader,
  batchHeaderBytes,
  checkBatch,
  checkProducedBatch,
} from '../../../protocol/records/batch-header.ts'
import { RecordCursor, type StoredRecord } from '../../../protocol/records/record-reader.ts'
import { BatchStore, compression } from '../batches.ts'
import type { FuzzRandom } from '../random.ts'
import { type ReferenceRecord, referenceCrc32c, referenceRecords } from '../reference-records.ts'
import { defaults, require, sameBytes, type Target, verdictOf } from '../target.ts'

const maxUncompressedBytes = 2 ** 20

const latin1 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('latin1')

function readAll(batch: Uint8Array, header: BatchHeader): StoredRecord[] {
  const cursor = new RecordCursor(batch, header, compression, maxUncompressedBytes)
  const records: StoredRecord[] = []
  while (cursor.next()) records.push(cursor.record())
  return records
}

function plainOf(batch: Uint8Array, header: BatchHeader): Uint8Array | SluiceError {
  const packed = batch.subarray(batchHeaderBytes)
  if (packed.length === 0) return packed
  return verdictOf(() => compression.decompress(header.codec, packed, maxUncompressedBytes))
}

function requireRecords(records: readonly StoredRecord[], expected: readonly ReferenceRecord[]) {
  require(records.length === expected.length, () =>
    `${records.length} records of ${expected.length}`)
  records.forEach((record, n) => {
    const want = expected[n] as ReferenceRecord
    require(BigInt(record.offset) === want.offset, () => `offset ${record.offset}`)
    require(BigInt(record.timestamp) === want.timestamp, () => `timestamp ${record.timestamp}`)
    require(latin1(record.key) === want.key, () => `another key at ${record.offset}`)
    require(latin1(record.value) === want.value, () => `another value at ${record.offset}`)
    const headers = record.headers.map(h => latin1(h.value))
    require(headers.join() === want.headers.map(h => h[1]).join(), () => 'other header values')
    const names = want.headers.map(h => Buffer.from(h[0], 'latin1').toString('utf8'))
    require(record.headers.every((h, i) => h.name.length <= (names[i]?.length ?? 0) + 1), () =>
      'other header names')
  })
}

function run(batch: Uint8Array): string {
  const produced = verdictOf(() => checkProducedBatch(batch))
  const checked = verdictOf(() => checkBatch(batch))
  if (!SluiceError.is(produced)) {
    require(produced.recordCount === produced.lastOffsetDelta + 1, () => 'offsets without records')
    require(!produced.isControl, () => 'a producer wrote a control batch')
    const most = ((batch.length - batchHeaderBytes) * 32_768) / 7
    require(produced.recordCount <= most, () => `${produced.recordCount} records in nothing`)
  }
  if (SluiceError.is(checked)) return stageOf(checked)
  const crc = referenceCrc32c(batch.subarray(21))
  require(checked.crc === crc, () => `accepted with checksum ${checked.crc}, has ${crc}`)
  require(checked.sizeBytes === batch.length, () => 'accepted with another length')
  const records = verdictOf(() => readAll(batch, checked))
  const plain = plainOf(batch, checked)
  if (SluiceError.is(plain)) {
    require(SluiceError.is(records), () => `records without bytes: ${plain.message}`)
    return 'refused: packed bytes'
  }
  const expected = referenceRecords(plain, checked)
  if (SluiceError.is(records)) {
    require(expected === null, () => `good records are refused: ${records.message}`)
    return 'refused: records'
  }
  require(expected !== null, () => `${records.length} records read where there are none`)
  requireRecords(records, expected)
  return SluiceError.is(produced) ? 'read, not from a producer' : 'read'
}

function stageOf({ message }: SluiceError): string {
  if (message.includes('checksum')) return 'refused: checksum'
  if (message.includes('bytes; ')) return 'refused: length'
  return 'refused: header'
}

/** What the store built must read back as it was given. */
function requireStore(store: BatchStore): void {
  for (const { bytes, records } of store.batches) {
    const back = readAll(bytes, checkBatch(bytes))
    require(back.length === records.length, () => 'a built batch lost records')
    for (const [n, record] of records.entries()) requireRoundTrip(back[n] as StoredRecord, record)
  }
}

function requireRoundTrip(back: StoredRecord, record: RecordInput): void {
  const same = (a: Uint8Array | null, b: Uint8Array | null) =>
    a === null || b === null ? a === b : sameBytes(a, b)
  const headers = record.headers ?? []
  const holds =
    back.timestamp === record.timestamp &&
    same(back.key, record.key) &&
    same(back.value, record.value) &&
    back.headers.length === headers.length &&
    headers.every(
      (h, i) => h.name === back.headers[i]?.name && same(h.value, back.headers[i].value),
    )
  require(holds, () => `built ${JSON.stringify(record)}, read ${JSON.stringify(back)}`)
}

export const batch: Target = {
  ...defaults,
  name: 'batch',
  reaches: [
    'read',
    'refused: checksum',
    'refused: length',
    'refused: header',
    'refused: packed bytes',
    'refused: records',
  ],
  weight: 120_000,
  maxAllocatedBytes: 2 * maxUncompressedBytes,
  async open(seed) {
    const store = new BatchStore(seed)
    requireStore(store)
    return { make: (random: FuzzRandom) => store.make(random), run }
  },
}

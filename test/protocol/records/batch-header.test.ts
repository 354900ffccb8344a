/** Batch header: what checkBatch and checkProducedBatch let through, and what they refuse. */
import fc from 'fast-check'
import t from 'tap'
import { writeInt16, writeInt32, writeInt64 } from '../../../protocol/bytes/integers.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import {
  baseOffsetAt,
  batchHeaderBytes,
  batchSizeAt,
  checkBatch,
  checkProducedBatch,
  crcStart,
  lastOffsetAt,
  patchBatch,
  readBatchHeader,
  stampProducer,
} from '../../../protocol/records/batch-header.ts'
import { buildControlBatch } from '../../../protocol/records/control-record.ts'
import { readLog } from '../../support/kafka-fixture.ts'

const producer = { producerId: 2 ** 52 - 1, producerEpoch: 3, baseSequence: 2 ** 31 - 1 }

function threeRecords(): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 4096 })
  for (let i = 0; i < 3; i++) builder.appendParts(1000 + i, null, Uint8Array.of(i))
  return builder.build({ codec: 'none', ...producer })
}

/** Says gzip, and two billion records. */
function claimMany(batch: Uint8Array): void {
  writeInt16(batch, 21, 1)
  writeInt32(batch, 23, 2 ** 31 - 2)
  writeInt32(batch, 57, 2 ** 31 - 1)
}

/** A batch with one thing changed under the CRC, and the CRC made right again. */
function changed(change: (batch: Uint8Array) => void, batch = threeRecords()): Uint8Array {
  change(batch)
  const header = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
  const view = new DataView(batch.buffer, batch.byteOffset)
  header.producerId = Number(view.getBigInt64(43))
  header.producerEpoch = view.getInt16(51)
  header.baseSequence = view.getInt32(53)
  stampProducer(batch, header)
  return batch
}

t.test('a batch carries what it was built with, and patching keeps the checksum', async t => {
  const batch = threeRecords()
  const before = checkProducedBatch(batch)
  t.match(before, { ...producer, codec: 'none', recordCount: 3, lastOffsetDelta: 2, baseOffset: 0 })
  t.match(before, { baseTimestamp: 1000, maxTimestamp: 1002, sizeBytes: batch.length, magic: 2 })
  patchBatch(batch, Number.MAX_SAFE_INTEGER - 2, 2 ** 31 - 1)
  const after = checkBatch(batch)
  t.match(after, { baseOffset: 2 ** 53 - 3, lastOffset: 2 ** 53 - 1, leaderEpoch: 2 ** 31 - 1 })
  t.equal(after.crc, before.crc)
  t.equal(baseOffsetAt(batch, 0), after.baseOffset)
  t.equal(lastOffsetAt(batch, 0), after.lastOffset)
  stampProducer(batch, { producerId: 7, producerEpoch: 1, baseSequence: 0 })
  t.match(checkBatch(batch), { producerId: 7, producerEpoch: 1, baseSequence: 0 })
})

/** True where the batch is refused as damaged, and in no other way. */
function isRefused(batch: Uint8Array): boolean {
  try {
    checkBatch(batch)
    return false
  } catch (error) {
    return SluiceError.is(error, 'CORRUPT_MESSAGE')
  }
}

t.test('any one flipped bit under the checksum, or in it, is refused', async t => {
  const batch = threeRecords()
  const passed: string[] = []
  for (let byte = crcStart - 4; byte < batch.length; byte++) {
    for (let bit = 0; bit < 8; bit++) {
      const bad = batch.slice()
      bad[byte] = (bad[byte] ?? 0) ^ (1 << bit)
      if (!isRefused(bad)) passed.push(`byte ${byte} bit ${bit}`)
    }
  }
  t.same(passed, [])
})

t.test('any one flipped bit in batches of Kafka is refused', async () => {
  const files = ['none', 'gzip', 'snappy', 'lz4', 'zstd'].map(codec => {
    const bytes = readLog(`quakes-${codec}-0/00000000000000000000.log`)
    return bytes.subarray(0, batchSizeAt(bytes, 0))
  })
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(7), (batch, at, bit) => {
      const bad = batch.slice()
      const position = crcStart + (at % (batch.length - crcStart))
      bad[position] = (bad[position] ?? 0) ^ (1 << bit)
      return isRefused(bad)
    }),
  )
})

t.test('random bytes, with and without a right checksum, give only SluiceErrors', async () => {
  const onlySluiceErrors = (check: () => unknown) => {
    try {
      check()
      return true
    } catch (error) {
      return SluiceError.is(error)
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, plausible) => {
      if (plausible && bytes.length >= batchHeaderBytes) {
        writeInt32(bytes, 8, bytes.length - 12)
        bytes[16] = 2
        changed(() => {}, bytes)
      }
      return (
        onlySluiceErrors(() => checkBatch(bytes)) &&
        onlySluiceErrors(() => checkProducedBatch(bytes)) &&
        onlySluiceErrors(() => readBatchHeader(bytes, 3))
      )
    }),
    { numRuns: 500 },
  )
})

t.test('sizes are read cheaply, and a length no batch can have is told apart', async t => {
  const batch = threeRecords()
  t.equal(batchSizeAt(batch, 0), batch.length)
  t.equal(batchSizeAt(batch.subarray(0, 12), 0), batch.length, 'the rest need not be there')
  t.equal(batchSizeAt(batch, batch.length - 11), -1)
  t.equal(batchSizeAt(new Uint8Array(100), 0), -1, 'zeros at the end of a file')
  t.equal(batchSizeAt(batch, -1), -1)
})

const notABatch: [string, string, () => Uint8Array][] = [
  ['a cut-off batch', 'CORRUPT_MESSAGE', () => threeRecords().subarray(0, -1)],
  ['a cut-off header', 'CORRUPT_MESSAGE', () => threeRecords().subarray(0, 60)],
  ['nothing', 'CORRUPT_MESSAGE', () => new Uint8Array(0)],
  ['trailing bytes', 'CORRUPT_MESSAGE', () => Uint8Array.from([...threeRecords(), 0])],
  ['magic 1', 'UNSUPPORTED_FOR_MESSAGE_FORMAT', () => changed(b => b.fill(1, 16, 17))],
  ['codec 5', 'CORRUPT_MESSAGE', () => changed(b => writeInt16(b, 21, 5))],
  ['unknown attributes', 'CORRUPT_MESSAGE', () => changed(b => writeInt16(b, 21, 0x80))],
  ['a negative count', 'CORRUPT_MESSAGE', () => changed(b => writeInt32(b, 57, -1))],
  ['more records than offsets', 'CORRUPT_MESSAGE', () => changed(b => writeInt32(b, 57, 4))],
  ['a negative offset delta', 'CORRUPT_MESSAGE', () => changed(b => writeInt32(b, 23, -1))],
  ['no records in some bytes', 'CORRUPT_MESSAGE', () => changed(b => writeInt32(b, 57, 0))],
  [
    'a timestamp beyond the safe range',
    'CORRUPT_MESSAGE',
    () => changed(b => writeInt32(b, 27, 0x200000)),
  ],
  [
    'more records than fit in the bytes',
    'CORRUPT_MESSAGE',
    () =>
      changed(b => {
        writeInt32(b, 23, 2 ** 30 - 1)
        writeInt32(b, 57, 2 ** 30)
      }),
  ],
]

for (const [what, code, make] of notABatch) {
  t.test(`${what}: refused with ${code}`, async t => {
    t.throws(() => checkBatch(make()), { code })
    t.throws(() => checkProducedBatch(make()), { code })
  })
}

t.test("stored offsets out of range are refused, a producer's are ignored", async t => {
  for (const offset of [-1, Number.MAX_SAFE_INTEGER]) {
    const batch = threeRecords()
    writeInt64(batch, 0, offset)
    t.throws(() => checkBatch(batch), { code: 'CORRUPT_MESSAGE' })
    t.match(checkProducedBatch(batch), { baseOffset: 0, lastOffset: 2 })
  }
})

const notFromAProducer: [string, string, () => Uint8Array][] = [
  ['a transactional batch', 'INVALID_RECORD', () => changed(b => writeInt16(b, 21, 0x10))],
  ['a control batch', 'INVALID_RECORD', marker],
  ['a delete horizon', 'INVALID_RECORD', () => changed(b => writeInt16(b, 21, 0x40))],
  ['log append time', 'INVALID_TIMESTAMP', () => changed(b => writeInt16(b, 21, 0x08))],
  ['fewer records than offsets', 'INVALID_RECORD', () => changed(b => writeInt32(b, 23, 3))],
  ['more records than packed bytes can hold', 'INVALID_RECORD', () => changed(claimMany)],
  ['a producer id of -2', 'INVALID_RECORD', () => changed(b => writeInt64(b, 43, -2))],
  ['an id without epoch', 'INVALID_RECORD', () => changed(b => writeInt16(b, 51, -1))],
  ['an id without sequence', 'INVALID_RECORD', () => changed(b => writeInt32(b, 53, -1))],
]

for (const [what, code, make] of notFromAProducer) {
  t.test(`${what} is sound, but not from a producer: ${code}`, async t => {
    t.doesNotThrow(() => checkBatch(make()))
    t.throws(() => checkProducedBatch(make()), { code })
  })
}

t.test('what compaction leaves of an emptied batch is sound', async t => {
  const header = threeRecords().slice(0, batchHeaderBytes)
  writeInt32(header, 8, batchHeaderBytes - 12)
  const emptied = changed(b => writeInt32(b, 57, 0), header)
  t.match(checkBatch(emptied), { recordCount: 0, lastOffsetDelta: 2 })
  t.throws(() => checkProducedBatch(emptied), { code: 'INVALID_RECORD' })
})

t.test('a producer without idempotence may leave epoch and sequence as it likes', async t => {
  for (const [epoch, sequence] of [
    [-1, -1],
    [0, 0],
  ] as const) {
    const batch = threeRecords()
    stampProducer(batch, { producerId: -1, producerEpoch: epoch, baseSequence: sequence })
    t.equal(checkProducedBatch(batch).producerId, -1)
  }
})

function marker(): Uint8Array {
  return buildControlBatch({
    type: 'commit',
    coordinatorEpoch: 1,
    timestamp: 5,
    producerId: 1,
    producerEpoch: 0,
  })
}

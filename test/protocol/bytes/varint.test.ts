/** Varint: what is written reads back, in the sizes announced; what is out of range is refused. */
import fc from 'fast-check'
import t from 'tap'
import {
  VarintReader,
  varintSize,
  varlongSize,
  writeVarint,
  writeVarlong,
} from '../../../protocol/bytes/varint.ts'
import { SluiceError } from '../../../protocol/errors.ts'

const int32 = fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 }))
const safe = fc.oneof(fc.maxSafeInteger(), int32, bordering())

/** Numbers around the powers of two, where one more byte begins. */
function bordering(): fc.Arbitrary<number> {
  return fc
    .tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([power, step, negative]) => (negative ? -1 : 1) * (2 ** power + step))
}

/** Kafka's own algorithm, on BigInt: an independent yardstick. */
function reference(value: number): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

t.test('an int32 is written as Kafka writes it and reads back', async () => {
  fc.assert(
    fc.property(int32, value => {
      const bytes = new Uint8Array(10)
      const end = writeVarint(bytes, 0, value)
      const reader = new VarintReader(bytes, 0, end)
      const written = [...bytes.subarray(0, end)]
      return (
        end === varintSize(value) &&
        written.join() === reference(value).join() &&
        reader.readVarint() === value &&
        reader.position === end
      )
    }),
  )
})

t.test('any safe integer is written as Kafka writes it and reads back', async () => {
  const extremes = [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31) - 1]
  fc.assert(
    fc.property(safe, value => {
      const bytes = new Uint8Array(12)
      const end = writeVarlong(bytes, 1, value)
      const reader = new VarintReader(bytes, 1, end)
      const written = [...bytes.subarray(1, end)]
      return (
        end - 1 === varlongSize(value) &&
        written.join() === reference(value).join() &&
        reader.readVarlong() === value &&
        reader.position === end
      )
    }),
    { examples: extremes.map(value => [value] as [number]) },
  )
})

t.test('numbers out of range or cut off are refused', async t => {
  const refused = (bytes: number[], read: 'readVarint' | 'readVarlong') => {
    const reader = new VarintReader(Uint8Array.from(bytes))
    t.throws(() => reader[read](), { code: 'CORRUPT_MESSAGE' }, `${read} ${bytes}`)
    t.equal(reader.position, 0, 'the position stays')
  }
  refused([], 'readVarint')
  refused([0x80], 'readVarint')
  refused([0xff, 0xff, 0xff, 0xff, 0x1f], 'readVarint')
  refused([0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 'readVarint')
  refused([], 'readVarlong')
  refused([0xff, 0xff], 'readVarlong')
  refused(reference(2 ** 53), 'readVarlong')
  refused(reference(-(2 ** 53)), 'readVarlong')
  refused(reference(-(2 ** 63)), 'readVarlong')
  refused(
    Array.from({ length: 11 }, () => 0x80),
    'readVarlong',
  )
})

t.test('a reader never leaves its range, and only SluiceErrors come out', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.nat(24), (bytes, end) => {
      const reader = new VarintReader(bytes, 0, Math.min(end, bytes.length))
      try {
        for (;;) fc.pre(Number.isSafeInteger(reader.readVarlong()))
      } catch (error) {
        return SluiceError.is(error, 'CORRUPT_MESSAGE') && reader.position <= reader.end
      }
    }),
  )
})

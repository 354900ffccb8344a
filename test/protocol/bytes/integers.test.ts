/** Integers: the same numbers as DataView's, big-endian. */
import fc from 'fast-check'
import t from 'tap'
import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../../protocol/bytes/integers.ts'

t.test('integers are written and read as a DataView would', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.maxSafeInteger(), (small, large) => {
      const bytes = new Uint8Array(16)
      const view = new DataView(bytes.buffer)
      writeInt16(bytes, 1, small)
      writeInt32(bytes, 3, small)
      writeInt64(bytes, 7, large)
      return (
        view.getInt16(1) === (small << 16) >> 16 &&
        view.getInt32(3) === small &&
        view.getBigInt64(7) === BigInt(large) &&
        readInt16(bytes, 1) === view.getInt16(1) &&
        readInt32(bytes, 3) === small &&
        readUint32(bytes, 3) === small >>> 0 &&
        readInt64(bytes, 7) === large
      )
    }),
    {
      examples: [
        [-1, Number.MIN_SAFE_INTEGER],
        [-(2 ** 31), Number.MAX_SAFE_INTEGER],
      ],
    },
  )
})

t.test('an int64 outside the safe range is never mistaken for a safe one', async () => {
  const unsafe = fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .filter(value => value >= 2n ** 53n || value <= -(2n ** 53n))
  fc.assert(
    fc.property(unsafe, value => {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, value)
      return !Number.isSafeInteger(readInt64(bytes, 0))
    }),
    { examples: [[2n ** 53n], [-(2n ** 53n)], [2n ** 53n + 1n], [-(2n ** 53n) - 1n]] },
  )
})

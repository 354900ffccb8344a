/**
 * Numbers: varints and fixed-width integers. Any bytes give a number or CORRUPT_MESSAGE, and every
 * safe integer comes back as it went.
 */
import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../../../protocol/bytes/integers.ts'
import {
  VarintReader,
  varintSize,
  varlongSize,
  writeVarint,
  writeVarlong,
} from '../../../protocol/bytes/varint.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import type { FuzzRandom } from '../random.ts'
import { defaults, require, type Target, verdictOf } from '../target.ts'

const space = new Uint8Array(32)
const longest = 16
const padded = new Uint8Array(longest + 10)

/** The value that zig-zag varint bytes mean, by BigInt; null where they are none. */
function meaningOf(bytes: Uint8Array, bits: 32n | 64n): bigint | null {
  let value = 0n
  for (let i = 0; i < bytes.length; i++) {
    const byte = BigInt(bytes[i] ?? 0)
    value |= (byte & 0x7fn) << BigInt(7 * i)
    if (value >= 1n << (bits === 32n ? 32n : 70n)) return null
    if (byte < 0x80n) {
      if (i >= (bits === 32n ? 5 : 10)) return null
      const number = (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n
      return bits === 64n && !Number.isSafeInteger(Number(number)) ? null : number
    }
  }
  return null
}

function checkReading(bytes: Uint8Array): string {
  let stage = 'refused'
  for (const bits of [32n, 64n] as const) {
    // What stands behind the end would end any number.
    padded.fill(1).set(bytes)
    const reader = new VarintReader(padded, 0, bytes.length)
    const read = () => (bits === 32n ? reader.readVarint() : reader.readVarlong())
    const value = verdictOf(read)
    const meant = meaningOf(bytes, bits)
    if (SluiceError.is(value)) {
      require(value.code === 'CORRUPT_MESSAGE', () => `refused as ${value.code}`)
      require(meant === null, () => `${meant} in ${bits} bits is refused`)
      continue
    }
    require(BigInt(value) === meant, () => `${bits} bits read as ${value}, not ${meant}`)
    stage = 'read'
  }
  return stage
}

/** Eight bytes as a number each, written and read in every form. */
function checkWriting(bytes: Uint8Array): void {
  const int64 = readInt64(bytes, 0)
  const exact = new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0)
  require(Number.isSafeInteger(int64) ? BigInt(int64) === exact : int64 === Number(exact), () =>
    `int64 ${exact} read as ${int64}`)
  const int32 = readInt32(bytes, 0)
  const ends = [writeVarint(space, 0, int32), writeVarlong(space, 8, int32) - 8]
  require(ends[0] === varintSize(int32) && ends[1] === varlongSize(int32), () => `size of ${int32}`)
  require(new VarintReader(space).readVarint() === int32, () => `int32 ${int32}`)
  writeInt32(space, 0, int32)
  writeInt16(space, 4, int32)
  require(readInt32(space, 0) === int32 && readUint32(space, 0) === int32 >>> 0, () => `${int32}`)
  require(readInt16(space, 4) === (int32 << 16) >> 16, () => `int16 of ${int32}`)
  if (!Number.isSafeInteger(int64)) return
  require(writeVarlong(space, 0, int64) === varlongSize(int64), () => `size of ${int64}`)
  require(new VarintReader(space).readVarlong() === int64, () => `varlong ${int64}`)
  writeInt64(space, 0, int64)
  require(readInt64(space, 0) === int64, () => `int64 ${int64}`)
}

function make(random: FuzzRandom): Uint8Array {
  if (random.oneIn(2)) {
    const bytes = new Uint8Array(8)
    writeInt64(bytes, 0, random.safeInteger())
    return bytes
  }
  const length = random.between(1, 12)
  const bytes = random.bytes(length)
  const more = random.below(length + 1)
  for (let i = 0; i < more; i++) bytes[i] = random.oneIn(3) ? 0xff : (bytes[i] ?? 0) | 0x80
  return bytes
}

export const numbers: Target = {
  ...defaults,
  name: 'numbers',
  reaches: ['read', 'refused'],
  weight: 200_000,
  maxAllocatedBytes: 2 ** 20,
  open: async () => ({
    make,
    run(input) {
      const stage = checkReading(input.subarray(0, longest))
      if (input.length >= 8) checkWriting(input)
      return stage
    },
  }),
}

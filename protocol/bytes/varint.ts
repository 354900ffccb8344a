/**
 * Varint: Kafka's zig-zag variable-length integers (of protocol buffers' form), as plain numbers.
 *
 *   value    0 −1  1 −2  2 …
 *   zig-zag  0  1  2  3  4 …
 *   bytes    seven bits each, lowest first, 0x80 = more follow
 *
 * Always true: no BigInt; what is written reads back as the same safe integer; a value outside the
 * range, or one that runs past the end, is CORRUPT_MESSAGE and never a wrong number.
 * Called by records/batch-builder.ts and records/record-reader.ts.
 */
import { SluiceError } from '../errors.ts'

const two27 = 2 ** 27
const two28 = 2 ** 28

/** Bytes of an int32 in varint form, 1…5. */
export function varintSize(value: number): number {
  const zigZag = (value << 1) ^ (value >> 31)
  if ((zigZag & ~0x7f) === 0) return 1
  if ((zigZag & ~0x3fff) === 0) return 2
  if ((zigZag & ~0x1fffff) === 0) return 3
  if ((zigZag & ~0xfffffff) === 0) return 4
  return 5
}

/** Writes an int32 and returns the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let rest = (value << 1) ^ (value >> 31)
  while ((rest & ~0x7f) !== 0) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/** Bytes of a safe integer in varint form, 1…8. */
export function varlongSize(value: number): number {
  if (value === (value | 0)) return varintSize(value)
  // ⌊zig-zag / 2⌋: the sign takes one bit more, so 27 bits fit into four bytes.
  let magnitude = Math.floor((value < 0 ? -value - 1 : value) / two27)
  let size = 4
  while (magnitude > 0) {
    magnitude = Math.floor(magnitude / 128)
    size++
  }
  return size
}

/** Writes a safe integer and returns the position after it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value)
  const negative = value < 0
  const magnitude = negative ? -value - 1 : value
  let high = Math.floor(magnitude / two27)
  let low = (magnitude - high * two27) * 2 + (negative ? 1 : 0)
  if (high === 0) return writeUnsigned(bytes, position, low)
  for (let i = 0; i < 4; i++) {
    bytes[position++] = (low & 0x7f) | 0x80
    low >>>= 7
  }
  while (high >= 128) {
    bytes[position++] = (high % 128) | 0x80
    high = Math.floor(high / 128)
  }
  bytes[position++] = high
  return position
}

function writeUnsigned(bytes: Uint8Array, position: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/** Reads varints one after the other, from `position` up to `end`. */
export class VarintReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** The next int32. @throws SluiceError CORRUPT_MESSAGE */
  readVarint(): number {
    if (this.position >= this.end) throw cutOff(this.position)
    const first = this.bytes[this.position] as number
    if (first < 0x80) {
      this.position++
      return (first >>> 1) ^ -(first & 1)
    }
    return this.readLongerVarint(first)
  }

  private readLongerVarint(first: number): number {
    const start = this.position
    let position = start + 1
    let zigZag = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      if (position >= this.end) throw cutOff(start)
      const byte = this.bytes[position++] as number
      if (shift === 28 && byte > 0x0f) throw tooLarge(start, 'an int32')
      zigZag |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return (zigZag >>> 1) ^ -(zigZag & 1)
      }
    }
    throw tooLarge(start, 'an int32')
  }

  /** The next safe integer. @throws SluiceError CORRUPT_MESSAGE, also outside of ±(2^53 − 1) */
  readVarlong(): number {
    if (this.position >= this.end) throw cutOff(this.position)
    const first = this.bytes[this.position] as number
    if (first < 0x80) {
      this.position++
      return (first >>> 1) ^ -(first & 1)
    }
    return this.readLongerVarlong()
  }

  private readLongerVarlong(): number {
    const start = this.position
    let position = start
    let low = 0
    let high = 0
    // The first four bytes hold 28 bits; the six after them are added as floating-point multiples.
    for (let index = 0, factor = 1; index < 10; index++) {
      if (position >= this.end) throw cutOff(start)
      const byte = this.bytes[position++] as number
      if (index < 4) low += (byte & 0x7f) * factor
      else high += (byte & 0x7f) * (factor / two28)
      factor *= 128
      if (byte < 0x80) {
        const magnitude = high * two27 + Math.floor(low / 2)
        const value = (low & 1) === 0 ? magnitude : -magnitude - 1
        if (!Number.isSafeInteger(value)) throw tooLarge(start, 'a safe integer')
        this.position = position
        return value
      }
    }
    throw tooLarge(start, 'an int64')
  }
}

function cutOff(position: number): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', `The number at byte ${position} runs past the end.`)
}

function tooLarge(position: number, range: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', `The number at byte ${position} is not ${range}.`)
}

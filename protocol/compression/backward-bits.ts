/**
 * Backward bits: a bit stream that is read from its end to its begin, as Zstandard's entropy coders
 * write it. The highest bit that is set in the last byte ends the stream and carries nothing.
 *
 * Always true: no byte outside of the stream is looked at in vain: bits before the begin are zeros,
 * and `left` is then negative, which the caller must not take for good.
 * Called by zstd-huffman.ts and zstd-sequences.ts.
 */
import { SluiceError } from '../errors.ts'

/** Most bits of one `read`. */
export const mostBits = 24

export class BackwardBits {
  readonly #bytes: Uint8Array
  readonly #start: number
  /** Bits that were not read yet. */
  left: number

  /** The stream in [from, to). @throws SluiceError CORRUPT_MESSAGE where it has no end mark */
  constructor(bytes: Uint8Array, from: number, to: number) {
    const last = to > from ? (bytes[to - 1] as number) : 0
    if (last === 0) throw new SluiceError('CORRUPT_MESSAGE', 'A zstd bit stream has no end.')
    this.#bytes = bytes
    this.#start = from
    this.left = (to - from) * 8 - Math.clz32(last) + 23
  }

  /** The next `count` bits, 0 to 24, as a number. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  /** As read, and they are the next ones still. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  /** The next `count` bits, 0 to 31. */
  readLong(count: number): number {
    if (count <= mostBits) return this.read(count)
    const high = this.read(count - 16)
    return high * 65_536 + this.read(16)
  }

  /**
   * Bytes by their codes into `out`, as long as a whole code's width of bits is there; answers how
   * many. The loop that most of the time goes to.
   */
  readCodes(
    { width, codes }: { readonly width: number; readonly codes: Uint16Array },
    out: Uint8Array,
  ): number {
    const bytes = this.#bytes
    const start = this.#start
    const mask = (1 << width) - 1
    const count = out.length
    let position = this.left - width
    let i = 0
    while (position >= 0 && i < count) {
      const at = start + (position >> 3)
      const bits =
        (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
      const code = codes[(bits >> (position & 7)) & mask] as number
      out[i++] = code
      position -= code >> 8
    }
    this.left = position + width
    return i
  }

  #at(position: number, count: number): number {
    if (position < 0) return this.#atBegin(position, count)
    const bytes = this.#bytes
    const at = this.#start + (position >> 3)
    // Beyond the end of the array `undefined` counts as 0; those bits are masked off anyway.
    const bits =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    return (bits >>> (position & 7)) & ((1 << count) - 1)
  }

  /** Some or all of the bits lie before the stream. */
  #atBegin(position: number, count: number): number {
    const there = count + position
    return there <= 0 ? 0 : this.#at(0, there) << -position
  }
}

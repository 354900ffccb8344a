/**
 * Zstd output: what has been unpacked so far, which later matches copy from.
 *
 * Always true: it never holds more than `maxBytes`; it grows with what is really there, not with
 * what a header says; a match never reaches behind the begin of its frame.
 * Called by zstd.ts and zstd-block.ts.
 */
import { SluiceError } from '../errors.ts'
import { corruptZstd } from './fse.ts'

const firstBytes = 16 * 1024
const shortCopyBytes = 32

export class ZstdOutput {
  readonly #maxBytes: number
  #bytes: Uint8Array
  #frameStart = 0
  length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#bytes = new Uint8Array(Math.min(firstBytes, maxBytes))
  }

  /** Matches reach back to here from now on. */
  beginFrame(): void {
    this.#frameStart = this.length
  }

  result(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  /** @throws SluiceError CORRUPT_MESSAGE where so many more would be beyond the limit */
  requireRoom(bytes: number): void {
    if (this.length + bytes <= this.#maxBytes) return
    const message = `The batch's zstd data would grow beyond ${this.#maxBytes} bytes.`
    throw new SluiceError('CORRUPT_MESSAGE', message)
  }

  #grow(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.#bytes.length) return
    this.requireRoom(bytes)
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, 2 * this.#bytes.length)))
    grown.set(this.result())
    this.#bytes = grown
  }

  repeat(byte: number, count: number): void {
    this.#grow(count)
    this.#bytes.fill(byte, this.length, this.length + count)
    this.length += count
  }

  append(source: Uint8Array, from: number, to: number): void {
    const count = to - from
    this.#grow(count)
    if (count >= shortCopyBytes) this.#bytes.set(source.subarray(from, to), this.length)
    else {
      const bytes = this.#bytes
      for (let i = 0, at = this.length; i < count; i++) bytes[at + i] = source[from + i] as number
    }
    this.length += count
  }

  /** `count` bytes from `offset` bytes back; they may be those that are just being written. */
  copy(offset: number, count: number): void {
    const from = this.length - offset
    if (offset < 1 || from < this.#frameStart) throw corruptZstd(`an offset of ${offset}`)
    this.#grow(count)
    const bytes = this.#bytes
    if (offset >= count && count >= shortCopyBytes) {
      bytes.copyWithin(this.length, from, from + count)
    } else {
      for (let i = 0, at = this.length; i < count; i++) bytes[at + i] = bytes[from + i] as number
    }
    this.length += count
  }
}

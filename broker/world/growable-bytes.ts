/**
 * GrowableBytes: the content of one file in memory.
 *
 *   chunk 0 [256 KiB]  chunk 1 [256 KiB]  chunk 2 [256 KiB]   (a small file: one that doubles)
 *   |<------------------- length ------------->|...zeros...|
 *
 * Always true: every byte from `length` to the end of the last chunk is zero, so growing never
 * shows old bytes.
 * Called by memory-disk.ts and the simulator's disk.
 */
const chunkBytes = 256 * 1024
const firstBytes = 512

export class GrowableBytes {
  readonly #chunks: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A copy of at most `length` bytes at `position`; shorter where the content ends. */
  read(position: number, length: number): Uint8Array {
    const end = Math.min(this.#length, position + length)
    if (position >= end) return new Uint8Array(0)
    const out = new Uint8Array(end - position)
    let at = position
    while (at < end) {
      const offset = at % chunkBytes
      const chunk = this.#chunk(at)
      const piece = chunk.subarray(offset, Math.min(chunk.length, offset + end - at))
      out.set(piece, at - position)
      at += piece.length
    }
    return out
  }

  /** Copies `bytes` to `position`, growing as needed; a gap is zeros. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    this.#reserve(end)
    let at = position
    while (at < end) {
      const offset = at % chunkBytes
      const chunk = this.#chunk(at)
      const taken = Math.min(chunk.length - offset, end - at)
      chunk.set(bytes.subarray(at - position, at - position + taken), offset)
      at += taken
    }
    if (end > this.#length) this.#length = end
  }

  /** Cuts, or extends with zeros, to `length`. */
  truncate(length: number): void {
    if (length >= this.#length) this.#reserve(length)
    else this.#cut(length)
    this.#length = length
  }

  #cut(length: number): void {
    this.#chunks.length = Math.ceil(length / chunkBytes)
    const last = this.#chunks.at(-1)
    last?.fill(0, length - (this.#chunks.length - 1) * chunkBytes)
  }

  #chunk(position: number): Uint8Array {
    const chunk = this.#chunks[Math.floor(position / chunkBytes)]
    if (chunk === undefined) throw new RangeError(`no chunk at ${position}`)
    return chunk
  }

  #reserve(end: number): void {
    if (end === 0) return
    const first = this.#chunks[0]
    const wanted = Math.min(chunkBytes, end)
    if (first === undefined || first.length < wanted) {
      const grown = new Uint8Array(
        Math.min(chunkBytes, Math.max(wanted, firstBytes, 2 * (first?.length ?? 0))),
      )
      if (first !== undefined) grown.set(first)
      this.#chunks[0] = grown
    }
    while (this.#chunks.length * chunkBytes < end) this.#chunks.push(new Uint8Array(chunkBytes))
  }
}

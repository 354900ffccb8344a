/**
 * Output meter: what one connection was sent and has not taken yet.
 *
 * A body below 64 KiB was copied out of its slab and costs its length; a larger one pins its whole
 * slab and is charged as such (S16) when it is decided whether more may be read for this peer.
 *
 * Always true: above a quarter of the limit nothing more is read for the peer or from it, and what
 * is being read for it counts already; one answer always fits, however large, when nothing else is
 * waiting. One per session.
 */
const copyBelowBytes = 64 * 1024

interface Waiting {
  readonly bytes: number
  run(): void
}

export class OutputMeter {
  readonly #maxBytes: number
  readonly #onPause: (paused: boolean) => void
  #unsentBytes = 0
  #pinnedBytes = 0
  #reservedBytes = 0
  #paused = false
  #waiting: Waiting[] = []

  constructor(maxBytes: number, onPause: (paused: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#onPause = onPause
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /**
   * Charges an answer. The result is to be called when it was taken; null = the peer is over its
   * limit.
   */
  admit(parts: readonly Uint8Array[]): (() => void) | null {
    let bytes = 0
    let pinned = 0
    for (const part of parts) {
      bytes += part.byteLength
      pinned += part.byteLength < copyBelowBytes ? part.byteLength : part.buffer.byteLength
    }
    if (this.#unsentBytes > 0 && this.#unsentBytes + bytes > this.#maxBytes) return null
    this.#unsentBytes += bytes
    this.#pinnedBytes += pinned
    this.#update()
    return () => {
      this.#unsentBytes -= bytes
      this.#pinnedBytes -= pinned
      this.#update()
    }
  }

  /** Runs, now or later, with `bytes` set aside for the answer; `release` them when it is there. */
  reserve(bytes: number, run: () => void): void {
    this.#waiting.push({ bytes, run })
    this.#runWaiting()
  }

  release(bytes: number): void {
    this.#reservedBytes -= bytes
    this.#runWaiting()
  }

  /** The connection is gone: what waited for it runs and finds that out. */
  close(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { bytes, run } of waiting) {
      this.#reservedBytes += bytes
      run()
    }
  }

  #update(): void {
    const paused = this.#pinnedBytes > this.#maxBytes / 4
    if (paused !== this.#paused) {
      this.#paused = paused
      this.#onPause(paused)
    }
    this.#runWaiting()
  }

  /** One answer is always allowed, however large, when nothing else is on its way. */
  #runWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const held = this.#pinnedBytes + this.#reservedBytes
      if (held > 0 && held + next.bytes > this.#maxBytes / 4) return
      this.#waiting.shift()
      this.#reservedBytes += next.bytes
      next.run()
    }
  }
}

/** Copies a small view, so that it does not hold the large buffer that it lies in (S16). */
export function ownBytes(body: Uint8Array): Uint8Array {
  const isSmallView = body.byteLength < copyBelowBytes && body.buffer.byteLength > body.byteLength
  return isSmallView ? Uint8Array.prototype.slice.call(body) : body
}

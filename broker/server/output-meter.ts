/**
 * Output meter: what one connection was sent and has not taken yet.
 *
 * A body below 64 KiB was copied out of its slab and costs its length; a larger one pins its whole slab and is
 * charged as such (S16) when it is decided whether more may be read for this peer.
 *
 * Always true: above a quarter of the limit nothing more is read for the peer or from it; one answer always fits,
 * however large, when nothing else is waiting.
 * One per session.
 */
export const copyBelowBytes = 64 * 1024

export class OutputMeter {
  readonly #maxBytes: number
  readonly #onPause: (paused: boolean) => void
  #unsentBytes = 0
  #pinnedBytes = 0
  #paused = false
  #waiting: (() => void)[] = []

  constructor(maxBytes: number, onPause: (paused: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#onPause = onPause
  }

  /** Charges an answer. The result is to be called when it was taken; null = the peer is over its limit. */
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

  whenWritable(run: () => void): void {
    if (this.#paused) this.#waiting.push(run)
    else run()
  }

  /** The connection is gone: what waited for it runs and finds that out. */
  close(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const run of waiting) run()
  }

  #update(): void {
    const paused = this.#pinnedBytes > this.#maxBytes / 4
    if (paused === this.#paused) return
    this.#paused = paused
    this.#onPause(paused)
    while (!this.#paused) {
      const run = this.#waiting.shift()
      if (run === undefined) return
      run()
    }
  }
}

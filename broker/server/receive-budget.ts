/**
 * Receive budget: bytes of requests that were received and are not answered yet, over all
 * connections (S16). Above the limit nobody is read from until half of it is free again.
 *
 * Always true: `heldBytes` is the sum of what was charged and not released; a reader is paused at
 * most once at a time by this budget.
 * Charged by session.ts; one per broker.
 */
export interface Pausable {
  pauseForMemory(): void
  resumeFromMemory(): void
}

export class ReceiveBudget {
  readonly #maxBytes: number
  readonly #onFull: (isFull: boolean) => void
  readonly #readers = new Set<Pausable>()
  #heldBytes = 0
  #full = false

  /** `onFull` ends requests that only wait, so that nobody is kept from reading by them. */
  constructor(maxBytes: number, onFull: (isFull: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#onFull = onFull
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  join(reader: Pausable): void {
    this.#readers.add(reader)
    if (this.#full) reader.pauseForMemory()
  }

  leave(reader: Pausable): void {
    this.#readers.delete(reader)
  }

  charge(bytes: number): void {
    this.#heldBytes += bytes
    if (this.#full || this.#heldBytes <= this.#maxBytes) return
    this.#full = true
    for (const reader of this.#readers) reader.pauseForMemory()
    this.#onFull(true)
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
    if (!this.#full || this.#heldBytes > this.#maxBytes / 2) return
    this.#full = false
    this.#onFull(false)
    for (const reader of this.#readers) reader.resumeFromMemory()
  }
}

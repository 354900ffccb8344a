/**
 * Send budget: what all connections were sent, or are about to be, and have not taken yet (S16).
 * The more of it is held, the smaller the answers become that are read for anybody, so that there
 * is always something left for who comes next.
 *
 * Always true: a buffer that several answers lie in counts once; nobody is refused: the least that
 * is granted is `leastGrantBytes`, and who holds it up is dropped by the held watch.
 * Charged by output-meter.ts; one per broker.
 */

/** An answer of this size is always possible. */
const leastGrantBytes = 64 * 1024

export class SendBudget {
  readonly #maxBytes: number
  readonly #usersOf = new Map<ArrayBufferLike, number>()
  #heldBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The largest answer that may be read now: half of what is left, within reason. */
  get grantBytes(): number {
    return Math.max(leastGrantBytes, Math.floor((this.#maxBytes - this.#heldBytes) / 2))
  }

  charge(bytes: number): void {
    this.#heldBytes += bytes
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }

  /** The whole buffer is kept from going away by an answer. */
  pin(buffer: ArrayBufferLike): void {
    const users = this.#usersOf.get(buffer) ?? 0
    if (users === 0) this.#heldBytes += buffer.byteLength
    this.#usersOf.set(buffer, users + 1)
  }

  unpin(buffer: ArrayBufferLike): void {
    const users = this.#usersOf.get(buffer) ?? 0
    if (users > 1) this.#usersOf.set(buffer, users - 1)
    else if (this.#usersOf.delete(buffer)) this.#heldBytes -= buffer.byteLength
  }
}

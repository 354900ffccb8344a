/**
 * Buffer budget: the bytes of records that were taken and not yet acked, and who waits for room.
 *
 * Always true: one record may pass the limit, none is taken while the sum is at or above it;
 * waiters are woken in the order they came.
 * Called by producer.ts and topic-producer.ts.
 */
export class BufferBudget {
  readonly #limitBytes: number
  #usedBytes = 0
  #waiters: (() => void)[] = []

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.#limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes
    if (this.#waiters.length === 0 || this.isFull) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** `wake` runs once there is room; it looks again itself. */
  wait(wake: () => void): void {
    this.#waiters.push(wake)
  }
}

/**
 * Expiry: one timer for all delivery deadlines of a client.
 *
 * Always true: the timer is armed for the earliest deadline that was watched, or not at all; it
 * never keeps a finished process alive.
 * Called by producer.ts and topic-producer.ts.
 */
import type { TimerHandle, World } from '../../protocol/world.ts'

export class Expiry {
  readonly #world: World
  readonly #sweep: (nowMs: number) => number
  #timer: TimerHandle | undefined
  #dueMs = Number.POSITIVE_INFINITY

  /** `sweep` rejects what is due and returns the next deadline, Infinity where none is left. */
  constructor(world: World, sweep: (nowMs: number) => number) {
    this.#world = world
    this.#sweep = sweep
  }

  watch(atMs: number): void {
    if (atMs >= this.#dueMs) return
    this.#timer?.cancel()
    this.#dueMs = atMs
    const delayMs = atMs - this.#world.clock.monotonicMs()
    // Rounded up: a timer that fires a fraction early would find nothing due and fire again.
    const run = (): void => this.#fire()
    this.#timer = this.#world.timers.after(Math.ceil(delayMs), run, { background: true })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    this.watch(this.#sweep(this.#world.clock.monotonicMs()))
  }
}

/**
 * Deadlines: one timer for any number of them, set to the earliest.
 *
 * Always true: at most one timer is set, due less than 1 ms after the earliest deadline watched;
 * what ends early leaves it alone, so the common case touches no timer at all.
 * Used by request-channel.ts and, for delivery deadlines, by the SDK's producer.
 */
import type { Clock, TimerHandle, Timers } from '../world.ts'

export class Deadlines {
  readonly #clock: Clock
  readonly #timers: Timers
  /** Ends what is due at `nowMs` and returns the next deadline, Infinity for none. */
  readonly #expire: (nowMs: number) => number
  #timer: TimerHandle | null = null
  #dueMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, timers: Timers, expire: (nowMs: number) => number) {
    this.#clock = clock
    this.#timers = timers
    this.#expire = expire
  }

  watch(deadlineMs: number): void {
    if (deadlineMs >= this.#dueMs) return
    this.#timer?.cancel()
    this.#dueMs = deadlineMs
    // Rounded up: a timer that fires a fraction early would find nothing due and fire again.
    const delayMs = Math.ceil(deadlineMs - this.#clock.monotonicMs())
    // What is waited for keeps its socket open; the timer need not keep the process alive as well.
    this.#timer = this.#timers.after(delayMs, () => this.#onDue(), { background: true })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  #onDue(): void {
    this.#timer = null
    this.#dueMs = Number.POSITIVE_INFINITY
    const next = this.#expire(this.#clock.monotonicMs())
    if (next !== Number.POSITIVE_INFINITY) this.watch(next)
  }
}

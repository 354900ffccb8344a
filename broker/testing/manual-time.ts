/**
 * Manual time: a clock that stands still until a test moves it, and the timers that hang on it.
 *
 * Always true: `advance` runs what is due in order of time, and each callback sees its own time on
 * the clock; wall and monotonic time move together.
 * Used by `sluice/testing` and by tests of time-driven code.
 */
import type { Clock, TimerHandle, Timers } from '../../protocol/world.ts'

interface Due {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class ManualTime {
  readonly clock: Clock
  readonly timers: Timers
  readonly #startWallMs: number
  #elapsedMs = 0
  #order = 0
  #due: Due[] = []

  /** `endOfTurn` stays the real one: it is not about time. */
  constructor(startWallMs: number, real: Pick<Timers, 'endOfTurn'>) {
    this.#startWallMs = startWallMs
    this.clock = {
      wallMs: () => this.#startWallMs + Math.floor(this.#elapsedMs),
      monotonicMs: () => this.#elapsedMs,
    }
    this.timers = {
      after: (delayMs, run) => this.#add(Math.max(0, delayMs), run),
      endOfTurn: run => real.endOfTurn(run),
    }
  }

  /** Timers that have not run yet. */
  get waiting(): number {
    return this.#due.length
  }

  /** Moves time on, running what becomes due on the way. */
  advance(ms: number): void {
    const end = this.#elapsedMs + ms
    for (let next = this.#earliest(end); next !== undefined; next = this.#earliest(end)) {
      this.#due = this.#due.filter(due => due !== next)
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs)
      next.run()
    }
    this.#elapsedMs = end
  }

  #add(delayMs: number, run: () => void): TimerHandle {
    const due = { atMs: this.#elapsedMs + delayMs, order: this.#order++, run }
    this.#due.push(due)
    return {
      cancel: () => {
        this.#due = this.#due.filter(other => other !== due)
      },
    }
  }

  #earliest(endMs: number): Due | undefined {
    let earliest: Due | undefined
    for (const due of this.#due) {
      if (due.atMs > endMs) continue
      if (earliest === undefined || due.atMs < earliest.atMs) earliest = due
      else if (due.atMs === earliest.atMs && due.order < earliest.order) earliest = due
    }
    return earliest
  }
}

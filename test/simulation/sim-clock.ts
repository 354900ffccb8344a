/**
 * SimClock: the two clocks of one simulated machine.
 *
 * Always true: the monotonic clock is virtual time plus a start of the machine's own, so that no
 * two machines may compare theirs; the wall clock is off by what a scenario has made it jump.
 * Made by sim-world.ts, one per machine; it outlives the processes.
 */
import type { Clock } from '../../protocol/world.ts'
import type { Scheduler } from './scheduler.ts'

/** 2026-01-01T00:00Z: where every run's wall time begins. */
const startOfTimeMs = 1_767_225_600_000

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #monotonicStartMs: number
  #wallOffsetMs = 0

  constructor(scheduler: Scheduler, monotonicStartMs: number) {
    this.#scheduler = scheduler
    this.#monotonicStartMs = monotonicStartMs
  }

  wallMs(): number {
    return Math.floor(startOfTimeMs + this.#scheduler.nowMs + this.#wallOffsetMs)
  }

  monotonicMs(): number {
    return this.#monotonicStartMs + this.#scheduler.nowMs
  }

  /** Moves the wall clock by `ms`, forwards or backwards. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms
  }
}

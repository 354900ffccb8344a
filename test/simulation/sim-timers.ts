/**
 * SimTimers: the timers of one simulated process.
 *
 * Always true: after the process died none of them runs; callbacks of `endOfTurn` run in the order
 * in which they were given, a little later, so that now and then further input comes in before
 * them, as on a busy event loop.
 * Made by sim-world.ts for each generation.
 */
import type { TimerHandle, Timers } from '../../protocol/world.ts'
import type { Generation } from './generation.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimRandom } from './sim-random.ts'

const maxDelayMs = 2 ** 31 - 1
const maxTurnMs = 0.05

export class SimTimers implements Timers {
  readonly #scheduler: Scheduler
  readonly #generation: Generation
  readonly #random: SimRandom
  #turnEndMs = 0

  constructor(scheduler: Scheduler, generation: Generation) {
    this.#scheduler = scheduler
    this.#generation = generation
    this.#random = scheduler.random.stream(`timers/${generation.name}/${generation.number}`)
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const delay = Math.min(maxDelayMs, Math.max(0, delayMs))
    return this.#scheduler.after(delay, run, { label: 'timer', generation: this.#generation })
  }

  endOfTurn(run: () => void): void {
    const { nowMs } = this.#scheduler
    if (this.#turnEndMs <= nowMs) this.#turnEndMs = nowMs + this.#random.fraction() * maxTurnMs
    const options = { label: 'end-of-turn', generation: this.#generation, inOrder: true }
    this.#scheduler.at(this.#turnEndMs, run, options)
  }
}

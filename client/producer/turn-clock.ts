/**
 * Turn clock: the wall clock for records that are given in quick succession.
 *
 * Always true: a time is at most `callsPerReading` calls old, and never older than the turn of the
 * event loop in which it is asked for. Reading the machine's clock costs about as much as writing
 * a 100-byte record into its batch, so a loop of sends must not pay for it each time.
 * Made by producer.ts, one per client; asked by topic-handle.ts.
 */
import type { Clock, Timers } from '../../protocol/world.ts'

const callsPerReading = 16

export class TurnClock {
  readonly #clock: Clock
  readonly #timers: Timers
  #nowMs = 0
  #callsLeft = 0
  #isTurnEndAwaited = false

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
  }

  /** Milliseconds since 1970. */
  wallMs(): number {
    if (this.#callsLeft > 0) {
      this.#callsLeft--
      return this.#nowMs
    }
    return this.#read()
  }

  #read(): number {
    this.#nowMs = this.#clock.wallMs()
    this.#callsLeft = callsPerReading - 1
    if (!this.#isTurnEndAwaited) {
      this.#isTurnEndAwaited = true
      this.#timers.endOfTurn(() => {
        this.#isTurnEndAwaited = false
        this.#callsLeft = 0
      })
    }
    return this.#nowMs
  }
}

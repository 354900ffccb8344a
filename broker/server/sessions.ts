/**
 * Sessions: all open connections of a broker, and the memory that their requests share.
 *
 * Always true: a session is in here from its connection's start to its end.
 * Made by broker.ts; the listener asks it for a session per connection.
 */
import type { Connection, ConnectionEvents, Timers } from '../../protocol/world.ts'
import { HalfReceived } from './half-received.ts'
import type { BrokerParts } from './parts.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { type Dispatch, Session } from './session.ts'

type SessionsParts = Pick<
  BrokerParts,
  'config' | 'logger' | 'deadlines' | 'purgatory' | 'world' | 'counts'
>

export class Sessions {
  readonly #parts: SessionsParts
  readonly #dispatch: Dispatch
  readonly #budget: ReceiveBudget
  readonly #halfReceived: HalfReceived
  readonly #open = new Set<Session>()
  #onDrained: (() => void) | null = null
  #pausedSinceMs = 0

  constructor(parts: SessionsParts, dispatch: Dispatch) {
    const { config, deadlines, purgatory } = parts
    this.#parts = parts
    this.#dispatch = dispatch
    // long polls hold memory for as long as they wait: without room they are answered early
    this.#budget = new ReceiveBudget(config.maxReceiveBytes, isFull => {
      purgatory.mayWait(!isFull)
      this.#countPause(isFull)
    })
    this.#halfReceived = new HalfReceived(config.maxReceiveBytes, deadlines)
  }

  #countPause(isFull: boolean): void {
    const { world, counts } = this.#parts
    const nowMs = world.clock.monotonicMs()
    if (isFull) counts.connections.throttled.receive.begin(nowMs)
    else counts.connections.throttled.receive.end(this.#pausedSinceMs, nowMs)
    this.#pausedSinceMs = nowMs
  }

  /** Answers that peers have not taken yet. */
  get unsentBytes(): number {
    let bytes = 0
    for (const session of this.#open) bytes += session.unsentBytes
    return bytes
  }

  get size(): number {
    return this.#open.size
  }

  begin(connection: Connection): ConnectionEvents {
    const { config, logger, deadlines, counts, world } = this.#parts
    logger.debug({ event: 'connection-opened', peer: connection.peer }, 'connection opened')
    counts.connections.opened++
    const session = new Session(
      {
        config,
        clock: world.clock,
        counts,
        budget: this.#budget,
        logger,
        deadlines,
        dispatch: this.#dispatch,
        onGone: gone => {
          this.#open.delete(gone)
          this.#halfReceived.leave(gone)
        },
        onIdle: () => this.#checkDrained(),
      },
      connection,
    )
    this.#open.add(session)
    this.#halfReceived.join(session)
    return session
  }

  /** Resolves when every request is answered, or after `maxWaitMs`. */
  drained(timers: Timers, maxWaitMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = timers.after(maxWaitMs, resolve)
      this.#onDrained = () => {
        timer.cancel()
        resolve()
      }
      this.#checkDrained()
    })
  }

  #checkDrained(): void {
    if (this.#onDrained === null) return
    for (const session of this.#open) if (session.unanswered > 0) return
    this.#onDrained()
  }

  /** The broker stops: 1013 tells clients to come again later. */
  end(): void {
    for (const session of this.#open) session.end(1013, 'the broker is stopping')
  }
}

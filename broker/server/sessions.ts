/**
 * Sessions: all open connections of a broker, and the memory that their requests share.
 *
 * Always true: a session is in here from its connection's start to its end.
 * Made by broker.ts; the listener asks it for a session per connection.
 */
import type { Connection, ConnectionEvents, Timers } from '../../protocol/world.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Logger } from '../world/logger.ts'
import type { Deadlines } from './deadlines.ts'
import { HalfReceived } from './half-received.ts'
import type { BrokerParts } from './parts.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { type Dispatch, Session } from './session.ts'

type SessionsParts = Pick<BrokerParts, 'config' | 'logger' | 'deadlines' | 'purgatory'>

export class Sessions {
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #dispatch: Dispatch
  readonly #budget: ReceiveBudget
  readonly #halfReceived: HalfReceived
  readonly #deadlines: Deadlines
  readonly #open = new Set<Session>()
  #onDrained: (() => void) | null = null

  constructor(parts: SessionsParts, dispatch: Dispatch) {
    const { config, logger, deadlines, purgatory } = parts
    this.#config = config
    this.#logger = logger
    this.#deadlines = deadlines
    this.#dispatch = dispatch
    // long polls hold memory for as long as they wait: without room they are answered early
    this.#budget = new ReceiveBudget(config.maxReceiveBytes, isFull => {
      purgatory.mayWait(!isFull)
    })
    this.#halfReceived = new HalfReceived(config.maxReceiveBytes, deadlines)
  }

  get size(): number {
    return this.#open.size
  }

  begin(connection: Connection): ConnectionEvents {
    this.#logger.debug({ peer: connection.peer }, 'connection opened')
    const session = new Session(
      {
        config: this.#config,
        budget: this.#budget,
        logger: this.#logger,
        deadlines: this.#deadlines,
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

/**
 * Sessions: all open connections of a broker, and the memory that their requests share.
 *
 * Always true: a session is in here from its connection's start to its end.
 * Made by broker.ts; the listener asks it for a session per connection.
 */
import type { Connection, ConnectionEvents, Timers } from '../../protocol/world.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Deadlines } from './deadlines.ts'
import { HeldWatch } from './held-watch.ts'
import type { BrokerParts } from './parts.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { SendBudget } from './send-budget.ts'
import { type Dispatch, Session, type SessionParts } from './session.ts'
import { Turns } from './turns.ts'

type SessionsParts = Pick<
  BrokerParts,
  'config' | 'logger' | 'deadlines' | 'purgatory' | 'world' | 'counts'
>

/** Looks at unread answers without a byte taken, 2 s, after which a peer counts as gone. */
const unreadPatienceLooks = 8

export class Sessions {
  readonly #parts: SessionsParts
  readonly #sessionParts: SessionParts
  readonly #halfReceived: HeldWatch<Session>
  readonly #unread: HeldWatch<Session>
  readonly #open = new Set<Session>()
  #onDrained: (() => void) | null = null
  #pausedSinceMs = 0

  constructor(parts: SessionsParts, dispatch: Dispatch) {
    const { config, logger, deadlines, counts, purgatory, world } = parts
    const sendBudget = new SendBudget(config.maxSendBytes)
    this.#parts = parts
    this.#sessionParts = {
      config,
      clock: world.clock,
      counts,
      // long polls hold memory for as long as they wait: without room they are answered early
      budget: new ReceiveBudget(config.maxReceiveBytes, isCrowded => {
        purgatory.mayWait(!isCrowded)
        this.#countPause(isCrowded)
      }),
      sendBudget,
      turns: new Turns(world),
      logger,
      deadlines,
      dispatch,
      onGone: gone => this.#forget(gone),
      onReceiving: session => this.#halfReceived.grown(session),
      onIdle: () => this.#checkDrained(),
    }
    this.#halfReceived = watchHalfReceived(config, deadlines)
    this.#unread = watchUnread(config, sendBudget, deadlines)
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
    const { logger, counts } = this.#parts
    logger.debug({ event: 'connection-opened', peer: connection.peer }, 'connection opened')
    counts.connections.opened++
    const session = new Session(this.#sessionParts, connection)
    this.#open.add(session)
    this.#halfReceived.join(session)
    this.#unread.join(session)
    return session
  }

  #forget(session: Session): void {
    this.#open.delete(session)
    this.#halfReceived.leave(session)
    this.#unread.leave(session)
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
    for (const session of this.#open) if (session.unanswered > 0 || session.hasQueued) return
    this.#onDrained()
  }

  /** The broker stops. */
  end(): void {
    for (const session of this.#open) session.sendAway()
  }
}

/** Nobody can be asked to wait with them, for what is paused never becomes whole. */
function watchHalfReceived(config: BrokerConfig, deadlines: Deadlines): HeldWatch<Session> {
  const options = {
    maxBytes: config.maxReceiveBytes,
    patienceLooks: 1,
    reason: 'too many half-received messages: over max.receive.bytes',
    sight: ({ receivingBytes, isPaused }: Session) => ({
      bytes: receivingBytes,
      progress: receivingBytes,
      isExcused: isPaused,
    }),
  }
  return new HeldWatch(options, deadlines)
}

function watchUnread(
  config: BrokerConfig,
  budget: SendBudget,
  deadlines: Deadlines,
): HeldWatch<Session> {
  const options = {
    maxBytes: config.maxSendBytes,
    stalledAboveBytes: config.maxSendBytes / 2,
    patienceLooks: unreadPatienceLooks,
    reason: 'the answers are not being read: over max.send.bytes',
    sight: ({ unreadBytes, takenBytes }: Session) => ({
      bytes: unreadBytes,
      progress: takenBytes,
      isExcused: false,
    }),
    total: () => budget.heldBytes,
  }
  return new HeldWatch(options, deadlines)
}

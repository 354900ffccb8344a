/**
 * Broker link: the way to one broker, whatever happens to the sockets. It holds at most one session
 * and opens the next one when somebody wants it.
 *
 * Always true: at most one attempt runs; attempts are spaced by exponential backoff with full
 * jitter; who waits for a session learns the outcome of the next attempt and decides himself
 * whether to wait for another.
 * Called by cluster.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/world.ts'
import type { ClientSettings } from '../config/options.ts'
import { backoffMs, sleep } from './backoff.ts'
import { type BrokerSession, openSession } from './broker-session.ts'
import type { StatusFeed } from './status-feed.ts'

export interface LinkContext {
  readonly world: World
  readonly settings: ClientSettings
  readonly status: StatusFeed
  /** Checks that the broker is the one meant; throws if not. */
  onOpened(link: BrokerLink, session: BrokerSession): void
}

export class BrokerLink {
  /** Where the next attempt goes; metadata may change it. */
  url: string
  readonly #context: LinkContext
  readonly #closing = new AbortController()
  #session: BrokerSession | undefined
  #attempt: Promise<BrokerSession> | undefined
  #failures = 0
  #notBeforeMs = 0

  constructor(url: string, context: LinkContext) {
    this.url = url
    this.#context = context
  }

  /** The open session, if there is one now. */
  get current(): BrokerSession | undefined {
    return this.#session
  }

  /** Earliest time of the next attempt, for choosing among links. */
  get notBeforeMs(): number {
    return this.#notBeforeMs
  }

  /**
   * The open session, or the outcome of the next attempt. @throws SluiceError NETWORK_ERROR,
   * PROTOCOL_MISMATCH, CLOSED
   */
  session(): Promise<BrokerSession> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError())
    if (this.#session !== undefined) return Promise.resolve(this.#session)
    this.#attempt ??= this.#open().finally(() => {
      this.#attempt = undefined
    })
    return this.#attempt
  }

  close(): void {
    this.#closing.abort()
    this.#session?.close()
    this.#session = undefined
  }

  async #open(): Promise<BrokerSession> {
    const { world, settings, status } = this.#context
    await this.#waitForTurn()
    const url = this.url
    try {
      const session = await openSession(world, {
        url,
        clientId: settings.clientId,
        timeoutMs: settings.connectTimeoutMs,
        onClosed: (closed, cause) => this.#onClosed(closed, cause),
      })
      this.#adopt(session)
      settings.logger.info({ broker: session.hello.brokerId, url }, 'connected')
      status.emit({ type: 'connected', broker: session.hello.brokerId, url })
      return session
    } catch (error) {
      const cause = asSluiceError(error)
      if (!this.#closing.signal.aborted) this.#delayNext(cause)
      throw cause
    }
  }

  async #waitForTurn(): Promise<void> {
    const waitMs = this.#notBeforeMs - this.#context.world.clock.monotonicMs()
    if (this.#failures === 0 || waitMs <= 0) return
    await sleep(this.#context.world.timers, waitMs, this.#closing.signal).catch(() => {
      throw closedError()
    })
  }

  #adopt(session: BrokerSession): void {
    if (this.#closing.signal.aborted) {
      session.close()
      throw closedError()
    }
    if (session.closedBy !== undefined) throw session.closedBy
    try {
      this.#context.onOpened(this, session)
    } catch (error) {
      session.close()
      throw error
    }
    this.#session = session
    this.#failures = 0
  }

  #onClosed(session: BrokerSession, cause: SluiceError): void {
    if (this.#session !== session) return
    this.#session = undefined
    if (!this.#closing.signal.aborted) this.#delayNext(cause)
  }

  #delayNext(cause: SluiceError): void {
    const { world, settings, status } = this.#context
    this.#failures++
    const range = { baseMs: settings.reconnectBaseMs, maxMs: settings.reconnectMaxMs }
    const delayMs = backoffMs(this.#failures, range, world.random)
    this.#notBeforeMs = world.clock.monotonicMs() + delayMs
    settings.logger.debug(
      { url: this.url, attempt: this.#failures, delayMs, cause },
      'no connection',
    )
    status.emit({ type: 'reconnecting', url: this.url, attempt: this.#failures, cause })
  }
}

export function closedError(): SluiceError {
  return new SluiceError('CLOSED', 'the client is closed')
}

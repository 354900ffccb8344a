/**
 * Broker session: one connection to one broker that has said hello, with its limits and its
 * channel.
 *
 * Always true: nothing is asked before hello was answered; a request whose deadline passes while
 * not one byte came in is taken as a half-open connection: it is dropped, so that the next one is
 * dialled.
 * Opened by broker-link.ts; used through cluster.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { subprotocol } from '../../protocol/frame.ts'
import type { ApiName, Apis } from '../../protocol/messages/apis.ts'
import type { RequestOf, ResponseOf } from '../../protocol/messages/define.ts'
import type { BrokerLimits } from '../../protocol/messages/hello.ts'
import { RequestChannel } from '../../protocol/transport/request-channel.ts'
import type { Connection, ConnectionEvents, World } from '../../protocol/world.ts'

export type RequestHeader<N extends ApiName> = RequestOf<Apis[N]>
export type ResponseHeader<N extends ApiName> = ResponseOf<Apis[N]>
export interface Answer<N extends ApiName> {
  readonly response: ResponseHeader<N>
  readonly bodies: Uint8Array[]
}
export interface RequestLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}
export interface SessionOptions {
  readonly url: string
  readonly clientId: string
  readonly timeoutMs: number
  onClosed(session: BrokerSession, cause: SluiceError): void
}

/**
 * Largest message that the SDK reads; a batch above it is an error by name, never an endless
 * refetch.
 */
export const maxReceivedMessageBytes = 64 * 1024 * 1024
/** Largest JSON head of an answer; metadata of a large cluster is the longest. */
const maxHeaderBytes = 16 * 1024 * 1024
/** Before hello has said what the broker allows. */
const maxInFlightAtFirst = 16
/** Bytes of a header that one partition may take: a long name, an id, numbers. */
const headerBytesPerPartition = 512
export const maxQueuedRequests = 4096
const software = 'sluice 0.1.0'

export class BrokerSession {
  readonly #world: World
  readonly #connection: Connection
  readonly #channel: RequestChannel
  readonly #activity: { lastMs: number }
  #hello: ResponseHeader<'hello'> | undefined
  /** Why the session ended, once it has. */
  closedBy: SluiceError | undefined

  constructor(
    world: World,
    connection: Connection,
    channel: RequestChannel,
    activity: { lastMs: number },
  ) {
    this.#world = world
    this.#connection = connection
    this.#channel = channel
    this.#activity = activity
  }

  get hello(): ResponseHeader<'hello'> {
    if (this.#hello === undefined) throw new SluiceError('PROTOCOL_MISMATCH', 'no hello yet')
    return this.#hello
  }

  /** `address:port` of the broker. */
  get address(): string {
    return this.#connection.peer
  }

  get limits(): BrokerLimits {
    return this.hello.limits
  }

  /** Long polls take places too, so everything that the broker allows is used. */
  get maxInFlight(): number {
    return this.#hello?.limits.maxInFlightRequests ?? maxInFlightAtFirst
  }

  /** Partitions that one request may name without its header growing too large. */
  get maxPartitions(): number {
    const { maxPartitionsPerRequest, maxHeaderBytes: headerBytes } = this.limits
    const fitting = Math.floor(headerBytes / headerBytesPerPartition)
    return Math.max(1, Math.min(maxPartitionsPerRequest, fitting))
  }

  async sayHello(options: SessionOptions): Promise<void> {
    const header = { client: { software, id: options.clientId } }
    const { response } = await this.#channel.request('hello', header, [], options)
    this.#hello = response
  }

  /**
   * @throws SluiceError as RequestChannel.request; `maybeApplied` where a write was sent and not
   * answered
   */
  async request<N extends ApiName>(
    api: N,
    header: RequestHeader<N>,
    bodies: readonly Uint8Array[],
    limits: RequestLimits,
  ): Promise<Answer<N>> {
    const startedMs = this.#world.clock.monotonicMs()
    try {
      return await this.#channel.request(api, header, bodies, limits)
    } catch (cause) {
      const error = asSluiceError(cause)
      if (api === 'fetch' && this.closedBy?.code === 'FRAME_TOO_LARGE') throw this.closedBy
      const silent = this.#activity.lastMs <= startedMs
      if (error.code === 'REQUEST_TIMED_OUT' && silent) this.#connection.terminate()
      throw error
    }
  }

  /** A request without an answer; resolves when its bytes are with the operating system. */
  post<N extends ApiName>(
    api: N,
    header: RequestHeader<N>,
    bodies: readonly Uint8Array[],
  ): Promise<void> {
    return this.#channel.sendOneWay(api, header, bodies)
  }

  close(): void {
    this.#channel.close()
  }
}

/** The channel's events, with a note of when the peer was last heard. */
function listening(
  world: World,
  channel: RequestChannel,
  activity: { lastMs: number },
): ConnectionEvents {
  return {
    onMessage: parts => {
      activity.lastMs = world.clock.monotonicMs()
      channel.onMessage(parts)
    },
    onText: () => channel.onText(),
    onDrain: () => channel.onDrain(),
    onClose: closed => channel.onClose(closed),
  }
}

/** @throws SluiceError NETWORK_ERROR, PROTOCOL_MISMATCH, REQUEST_TIMED_OUT */
export async function openSession(world: World, options: SessionOptions): Promise<BrokerSession> {
  const { url, timeoutMs } = options
  const opened: BrokerSession[] = []
  const attach = (connection: Connection): ConnectionEvents => {
    const activity = { lastMs: world.clock.monotonicMs() }
    const channel = new RequestChannel(connection, {
      clock: world.clock,
      timers: world.timers,
      // Read anew for each request, and known better once hello has been answered.
      get maxInFlight(): number {
        return session.maxInFlight
      },
      maxQueued: maxQueuedRequests,
      maxHeaderBytes,
      onClose: closed => {
        session.closedBy = closeCause(url, closed)
        options.onClosed(session, session.closedBy)
      },
    })
    const session = new BrokerSession(world, connection, channel, activity)
    opened.push(session)
    return listening(world, channel, activity)
  }
  const dial = { url, subprotocol, maxMessageBytes: maxReceivedMessageBytes, timeoutMs }
  await world.network.dial(dial, attach)
  const session = opened[0]
  if (session === undefined) throw new SluiceError('NETWORK_ERROR', `${url}: no connection`)
  try {
    await session.sayHello(options)
  } catch (error) {
    session.close()
    throw error
  }
  return session
}

/** WebSocket's code for a message above the reader's limit. */
const messageTooLarge = 1009

function closeCause(url: string, closed: { code: number; reason: string; error?: Error }) {
  if (closed.code === messageTooLarge) {
    const message = `a message on ${url} was larger than its reader allows`
    return new SluiceError('FRAME_TOO_LARGE', message, { cause: closed.error })
  }
  const why = closed.reason === '' ? `code ${closed.code}` : `code ${closed.code}: ${closed.reason}`
  return new SluiceError('NETWORK_ERROR', `the connection to ${url} closed (${why})`, {
    cause: closed.error,
  })
}

/**
 * WebSocket network: the real Network. The only file that imports `ws`; the parts that need not
 * know the package are beside it (connection, listener, HTTP door, dial errors).
 *
 * Always true: permessage-deflate is off; a message over maxMessageBytes closes its connection with
 * 1009 before it is in memory; a client masks with zeros (which saves a copy) only where nobody can
 * listen between.
 * Used by real-world.ts.
 */
import { WebSocket, WebSocketServer } from 'ws'
import { SluiceError } from '../errors.ts'
import type {
  Connection,
  ConnectionEvents,
  DialOptions,
  ListenOptions,
  Network,
  Timers,
} from '../world.ts'
import { maxFragmentsOf } from './fragments.ts'
import {
  type ConnectionParts,
  type RawSocket,
  WebSocketConnection,
  type WebSocketLike,
} from './websocket-connection.ts'
import {
  type DialStep,
  type DialTarget,
  dialError,
  dialRefused,
  dialTimeout,
  requireDialTarget,
} from './websocket-dial.ts'
import { listen, type Upgrade } from './websocket-listen.ts'

export interface WebSocketNetworkOptions {
  /** How long a peer may take to finish its HTTP request; default 10 s. */
  readonly handshakeTimeoutMs?: number
}

type Attach = (connection: Connection) => ConnectionEvents
type RequestHook = (request: RequestEvents) => void
interface RequestEvents {
  once(event: 'socket', listener: (socket: SocketEvents) => void): unknown
  end(): void
}
interface SocketEvents {
  on(event: 'lookup', listener: (error: Error | null) => void): unknown
  on(event: 'connect' | 'secureConnect', listener: () => void): unknown
}
interface ResponseEvents {
  readonly statusCode?: number | undefined
  once(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  once(event: 'end', listener: () => void): unknown
}

/** How long a peer may take to answer a close frame; then the socket is destroyed. */
const closeTimeoutMs = 2000
/** Pieces of one frame: a read of the socket each, so 64 bytes on average for the default limit. */
export const maxChunks = 256 * 1024
/** Pings of a peer whose pongs are not sent yet; above it the connection is dropped. */
export const maxPendingPongs = 60
/** ws's limit is a signed 32-bit number. */
const largestMaxMessageBytes = 2 ** 31 - 1

export function webSocketNetwork(timers: Timers, options: WebSocketNetworkOptions = {}): Network {
  const { handshakeTimeoutMs = 10_000 } = options
  return {
    dial: async (dialOptions, attach) => dial(timers, dialOptions, attach),
    listen: async listenOptions => {
      const upgrade = upgrader(timers, listenOptions)
      return listen({ handshakeTimeoutMs, ...listenOptions }, { timers, upgrade })
    },
  }
}

/**
 * Completes handshakes whose headers the listener accepted; `ws` checks what is its own in them.
 */
function upgrader(timers: Timers, options: ListenOptions): (upgrade: Upgrade) => void {
  const server = new WebSocketServer({
    ...socketLimits(options.maxMessageBytes),
    noServer: true,
    clientTracking: false,
    handleProtocols: () => options.subprotocol,
  })
  const refusals = new WeakMap<object, Upgrade['refused']>()
  server.on('wsClientError', (error, socket) => {
    refusals.get(socket)?.({ status: 400, reason: error.message })
  })
  return ({ request, socket, head, opened, refused }) => {
    refusals.set(socket, refused)
    server.handleUpgrade(request, socket, head, accepted => {
      opened(new WebSocketConnection(likeOf(accepted), partsOf(accepted, timers)))
    })
  }
}

/** Options of both ends. */
function socketLimits(maxMessageBytes: number) {
  const isLimit = Number.isSafeInteger(maxMessageBytes) && maxMessageBytes > 0
  if (!isLimit || maxMessageBytes > largestMaxMessageBytes) {
    throw new SluiceError('INVALID_ARGUMENT', `maxMessageBytes is ${maxMessageBytes}`, {
      hint: `an integer from 1 to ${largestMaxMessageBytes}`,
    })
  }
  return {
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    maxFragments: maxFragmentsOf(maxMessageBytes),
    maxBufferedChunks: maxChunks,
    maxPendingAutoPongs: maxPendingPongs,
    skipUTF8Validation: true,
    closeTimeout: closeTimeoutMs,
  }
}

const likeOf = (socket: WebSocket): WebSocketLike => socket as unknown as WebSocketLike
interface Internals {
  readonly _socket: RawSocket
  readonly _receiver?: {
    readonly _bufferedBytes: number
    readonly _buffers: readonly unknown[]
    readonly _fragments: readonly unknown[]
  } | null
}

/**
 * Not public in ws: the socket under it, for corking, and what it has read, for limits. The version
 * is pinned, and tests see it.
 */
function partsOf(socket: WebSocket, timers: Timers): ConnectionParts {
  const internals = socket as unknown as Internals
  return {
    raw: internals._socket,
    timers,
    received: () => {
      const { _receiver: receiver } = internals
      return {
        bufferedBytes: receiver?._bufferedBytes ?? 0,
        chunks: receiver?._buffers.length ?? 0,
        fragments: receiver?._fragments.length ?? 0,
      }
    },
  }
}

const zeroMask = (mask: Uint8Array): void => void mask.fill(0)

/** No handshakeTimeout: ws counts silence only; the deadline in `dial` covers every step. */
function openSocket(target: DialTarget, options: DialOptions, onRequest: RequestHook): WebSocket {
  return new WebSocket(target.url, options.subprotocol, {
    ...socketLimits(options.maxMessageBytes),
    finishRequest: request => onRequest(request),
    ...(target.isTrustedPath && { generateMask: zeroMask }),
  })
}

function dial(timers: Timers, options: DialOptions, attach: Attach): Promise<Connection> {
  const target = requireDialTarget(options.url)
  return new Promise((resolve, reject) => {
    const steps = new DialSteps(target)
    const socket = openSocket(target, options, request => steps.watch(request))
    let isDone = false
    const finish = (): boolean => {
      const isFirst = !isDone
      isDone = true
      deadline.cancel()
      return isFirst
    }
    const fail = (error: unknown): void => {
      if (!finish()) return
      socket.terminate()
      reject(error)
    }
    const deadline = timers.after(options.timeoutMs, () => {
      fail(dialTimeout(target.url, steps.current, options.timeoutMs))
    })
    socket.on('error', error => fail(dialError(target.url, steps.current, error)))
    socket.on('unexpected-response', (_request, response) => {
      firstLineOf(response, reason =>
        fail(dialRefused(target.url, response.statusCode ?? 0, reason)),
      )
    })
    socket.on('open', () => {
      if (!finish()) return
      const connection = new WebSocketConnection(likeOf(socket), partsOf(socket, timers))
      try {
        connection.start(attach(connection))
        resolve(connection)
      } catch (error) {
        socket.terminate()
        reject(error)
      }
    })
  })
}

/** Which step of the way is under way, for the error message. */
class DialSteps {
  current: DialStep
  readonly #target: DialTarget

  constructor(target: DialTarget) {
    this.#target = target
    this.current = target.firstStep
  }

  watch(request: RequestEvents): void {
    request.once('socket', socket => {
      socket.on('lookup', error => {
        if (error === null) this.#enter('TCP connect')
      })
      socket.on('connect', () =>
        this.#enter(this.#target.isSecure ? 'TLS handshake' : 'HTTP upgrade'),
      )
      socket.on('secureConnect', () => this.#enter('HTTP upgrade'))
    })
    request.end()
  }

  #enter(step: DialStep): void {
    this.current = step
  }
}

/** A broker gives its reason as one line in the first chunk; the deadline covers its absence. */
function firstLineOf(response: ResponseEvents, use: (line: string) => void): void {
  response.once('data', chunk => use(new TextDecoder().decode(chunk.subarray(0, 200)).trim()))
  response.once('end', () => use(''))
}

/**
 * HTTP door: the one port. A node:http server that answers plain GET and HEAD, hands upgrades on,
 * and gets rid of everybody who does not speak HTTP or takes too long about it. The only file that
 * imports node:http.
 *
 * Always true: a peer that has not finished its request within `handshakeTimeoutMs` is dropped;
 * whoever is refused is named once through `onRefused`; every socket has an error listener.
 * Opened by websocket-listen.ts.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { SluiceError } from '../errors.ts'
import type { HttpAnswer, Timers } from '../world.ts'
import { PendingSockets } from './pending-sockets.ts'
import type { Refusal } from './upgrade-rules.ts'
import { peerOf } from './websocket-connection.ts'

/** Head of an HTTP request, upgrades too. */
export const maxHttpHeaderBytes = 16 * 1024
/** After so many plain requests a socket is closed: one may hold thousands of them in a row. */
export const maxRequestsPerSocket = 100

export type HttpRequest = IncomingMessage
export type HttpSocket = IncomingMessage['socket']

export interface HttpDoorOptions {
  readonly host: string
  readonly port: number
  readonly handshakeTimeoutMs: number
  /** Sockets that are no WebSocket; above it the oldest is dropped, so that newcomers get in. */
  readonly maxPendingSockets: number
  /** WebSockets. */
  readonly maxConnections: number
  readonly timers: Timers
  /** Whether a plain request is refused. */
  refusal(request: HttpRequest): Refusal | null
  onHttp(path: string): HttpAnswer | Promise<HttpAnswer>
  onUpgrade(request: HttpRequest, socket: HttpSocket, head: Buffer): void
  onRefused(reason: string, peer: string): void
}

export interface HttpDoor {
  /** The address that the operating system gave. */
  readonly address: string
  readonly port: number
  /** Resolves when the port is free and the last socket is gone. */
  readonly closed: Promise<void>
  stopAccepting(): void
  /** Drops what is plain HTTP; upgraded sockets belong to whoever took them. */
  dropRequests(): void
}

/** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const server = createServer({
    headersTimeout: options.handshakeTimeoutMs,
    requestTimeout: options.handshakeTimeoutMs,
    keepAliveTimeout: options.handshakeTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, options.handshakeTimeoutMs / 2),
    maxHeaderSize: maxHttpHeaderBytes,
  })
  server.maxRequestsPerSocket = maxRequestsPerSocket
  server.on('dropRequest', (_request: HttpRequest, socket: HttpSocket) => {
    stopParsing(socket)
    socket.destroy()
  })
  // Nobody opens sockets without end within a second either.
  server.maxConnections = options.maxConnections + options.maxPendingSockets
  const pending = new PendingSockets<HttpSocket>(
    options.maxPendingSockets,
    options.timers,
    socket => options.onRefused('too many sockets that are no connection', peerOf(socket)),
  )
  server.on('connection', (socket: HttpSocket) => pending.add(socket))
  server.on('request', (request, response) => void answer(options, request, response))
  server.on('upgrade', (request: HttpRequest, socket: HttpSocket, head: Buffer) => {
    pending.remove(socket)
    socket.on('error', () => socket.destroy())
    options.onUpgrade(request, socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: HttpSocket) => {
    refuseBroken(options, error, socket)
  })
  server.on('drop', (dropped?: { remoteAddress?: string; remotePort?: number }) => {
    options.onRefused('too many open sockets', peerOf(dropped ?? {}))
  })
  await listen(server, options)
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw badAddress(options, 'no TCP address')
  return {
    address: bound.address,
    port: bound.port,
    closed: new Promise(resolve => void server.once('close', resolve)),
    stopAccepting: () => {
      server.close()
      pending.close()
    },
    dropRequests: () => server.closeAllConnections(),
  }
}

/**
 * One read may hold 1,500 requests, and Node makes objects of each although the socket is gone, and
 * an error for each when it closes: a tenth of a second for a socket, seconds for fifty. The parser
 * goes no further when its listener says that what follows is another protocol (2). Not public in
 * Node; a test counts the requests, and without it only the time is lost.
 */
function stopParsing(socket: HttpSocket & { parser?: { onIncoming?: unknown } | null }): void {
  if (socket.parser) socket.parser.onIncoming = () => 2
}

function listen(server: Server, options: HttpDoorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(listenError(options, error))
    server.once('error', fail)
    try {
      server.listen({ host: options.host, port: options.port }, () => {
        server.removeListener('error', fail)
        // Accepting fails when the process has no file descriptor left; the listener lives on.
        server.on('error', error => options.onRefused(`cannot accept: ${error.message}`, ''))
        resolve()
      })
    } catch (error) {
      fail(error as Error)
    }
  })
}

function badAddress(options: HttpDoorOptions, why: string, cause?: unknown): SluiceError {
  const { host, port } = options
  return new SluiceError('BAD_LISTEN_ADDRESS', `cannot listen on ${host}:${port}: ${why}`, {
    hint: 'give an address of this machine, such as 127.0.0.1, and a port from 0 to 65535',
    cause,
  })
}

function listenError(options: HttpDoorOptions, error: NodeJS.ErrnoException): SluiceError {
  if (error.code !== 'EADDRINUSE') return badAddress(options, error.message, error)
  const { host, port } = options
  return new SluiceError('PORT_TAKEN', `${host}:${port} is in use by another process`, {
    hint: 'choose another port, 0 for any free one, or stop what listens there',
    cause: error,
  })
}

async function answer(
  options: HttpDoorOptions,
  request: HttpRequest,
  response: ServerResponse,
): Promise<void> {
  const refusal = plainRefusal(options, request)
  if (refusal !== null) options.onRefused(refusal.reason, peerOf(request.socket))
  const { status, contentType, body } =
    refusal === null ? await askHandler(options, request) : textAnswer(refusal)
  if (status === 405) response.setHeader('allow', 'GET, HEAD')
  if (refusal !== null) response.setHeader('connection', 'close')
  const utf8 = Buffer.from(body)
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': utf8.byteLength,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : utf8)
}

function plainRefusal(options: HttpDoorOptions, request: HttpRequest): Refusal | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, reason: `HTTP method ${request.method} is not allowed` }
  }
  return options.refusal(request)
}

const textAnswer = ({ status, reason }: Refusal): HttpAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${reason}\n`,
})

async function askHandler(options: HttpDoorOptions, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await options.onHttp(pathOf(request.url ?? '/'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return textAnswer({ status: 500, reason })
  }
}

/** Without the query; a proxy's absolute form `http://host/path` is a path too. */
function pathOf(url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/s, '')
  return path === '' ? '/' : path
}

/** Answers with a status and one line, and lets go of the socket. */
export function refuseSocket(socket: HttpSocket, { status, reason }: Refusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = `${reason}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function refuseBroken(
  options: HttpDoorOptions,
  error: NodeJS.ErrnoException & { rawPacket?: Buffer },
  socket: HttpSocket,
): void {
  socket.on('error', () => socket.destroy())
  if (error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const refusal = brokenRefusal(error)
  options.onRefused(refusal.reason, peerOf(socket))
  if (refusal.status === 400) socket.destroy()
  else refuseSocket(socket, refusal)
}

function brokenRefusal(error: NodeJS.ErrnoException & { rawPacket?: Buffer }): Refusal {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, reason: 'no complete request in time' }
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, reason: 'request headers too large' }
  }
  const isTls = error.rawPacket?.[0] === 0x16
  return { status: 400, reason: isTls ? 'not HTTP (a TLS hello)' : 'not HTTP' }
}

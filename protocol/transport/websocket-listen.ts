/**
 * WebSocket listener: decides who may connect to the port, counts them, pings them, and ends them.
 *
 * Always true: at most maxConnections are open, at most maxConnectionsPerAddress of one address; a
 * peer that is silent and answers no ping for two intervals is dropped; one timer serves all
 * connections and does not keep the process alive.
 * Made by websocket.ts, which hands in the one step that needs `ws`: completing an upgrade.
 */
import { SluiceError } from '../errors.ts'
import type { Listening, ListenOptions, TimerHandle, Timers } from '../world.ts'
import {
  type HttpDoor,
  type HttpRequest,
  type HttpSocket,
  openHttpDoor,
  refuseSocket,
} from './http-door.ts'
import {
  hostRefusal,
  isLoopbackName,
  type Refusal,
  type UpgradeRules,
  upgradeRefusal,
} from './upgrade-rules.ts'
import { peerOf, plainAddress, type WebSocketConnection } from './websocket-connection.ts'

/** Defaults of ListenOptions. Pending are health checks, metrics and handshakes under way. */
const defaultHandshakeTimeoutMs = 10_000
const defaultMaxPendingSockets = 256

export interface Upgrade {
  readonly request: HttpRequest
  readonly socket: HttpSocket
  readonly head: Buffer
  /** Called in the same turn, or never. */
  opened(connection: WebSocketConnection): void
  refused(refusal: Refusal): void
}

export interface ListenerParts {
  readonly timers: Timers
  /** Completes a handshake whose headers were found acceptable. */
  upgrade(upgrade: Upgrade): void
}

/** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
export async function listen(options: ListenOptions, parts: ListenerParts): Promise<Listening> {
  const listener = new WebSocketListener(options, parts)
  const door = await openHttpDoor({
    host: options.host,
    port: options.port,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
    maxPendingSockets: options.maxPendingSockets ?? defaultMaxPendingSockets,
    maxConnections: options.maxConnections,
    timers: parts.timers,
    refusal: request => hostRefusal(listener.rules, request.headers.host),
    onHttp: path => options.onHttp(path),
    onUpgrade: (request, socket, head) => listener.onUpgrade(request, socket, head),
    onRefused: (reason, peer) => options.onRefused(reason, peer),
  })
  listener.start(door)
  return listener
}

class WebSocketListener implements Listening {
  readonly host: string
  rules: UpgradeRules
  readonly #options: ListenOptions
  readonly #parts: ListenerParts
  readonly #connections = new Set<WebSocketConnection>()
  readonly #countOfAddress = new Map<string, number>()
  #door: HttpDoor | null = null
  #pingTimer: TimerHandle | null = null
  #stopped = false
  #closing: Promise<void> | null = null
  #onEmpty: (() => void) | null = null

  constructor(options: ListenOptions, parts: ListenerParts) {
    this.host = options.host
    this.#options = options
    this.#parts = parts
    const { subprotocol, allowedOrigins, allowedHosts, host } = options
    this.rules = { subprotocol, allowedOrigins, allowedHosts, host, isLoopback: true }
  }

  start(door: HttpDoor): void {
    this.#door = door
    this.rules = { ...this.rules, isLoopback: isLoopbackName(`[${plainAddress(door.address)}]`) }
    if (this.#options.pingIntervalMs > 0) this.#planProbe()
  }

  get port(): number {
    return this.#door?.port ?? this.#options.port
  }

  stopAccepting(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#door?.stopAccepting()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.stopAccepting()
    this.#pingTimer?.cancel()
    this.#door?.dropRequests()
    const empty = new Promise<void>(resolve => {
      this.#onEmpty = resolve
    })
    for (const connection of this.#connections) connection.terminate()
    if (this.#connections.size > 0) await empty
    await this.#door?.closed
  }

  onUpgrade(request: HttpRequest, socket: HttpSocket, head: Buffer): void {
    const address = plainAddress(socket.remoteAddress)
    const refused = (refusal: Refusal): void => {
      this.#options.onRefused(refusal.reason, peerOf(socket))
      refuseSocket(socket, refusal)
    }
    const refusal = upgradeRefusal(this.rules, request.headers) ?? this.#limitRefusal(address)
    if (refusal !== null) {
      refused(refusal)
      return
    }
    const opened = (connection: WebSocketConnection) => this.#admit(connection, address)
    this.#parts.upgrade({ request, socket, head, opened, refused })
  }

  #limitRefusal(address: string): Refusal | null {
    const { maxConnections, maxConnectionsPerAddress } = this.#options
    const notNow = this.#stopped ? 'the broker is stopping' : this.#options.refuseNow?.()
    if (typeof notNow === 'string') return { status: 503, reason: notNow }
    if (this.#connections.size >= maxConnections) {
      return { status: 503, reason: `limit of ${maxConnections} connections reached` }
    }
    if ((this.#countOfAddress.get(address) ?? 0) < maxConnectionsPerAddress) return null
    const reason = `limit of ${maxConnectionsPerAddress} connections from one address reached`
    return { status: 503, reason }
  }

  #admit(connection: WebSocketConnection, address: string): void {
    this.#connections.add(connection)
    this.#countOfAddress.set(address, (this.#countOfAddress.get(address) ?? 0) + 1)
    const events = this.#options.onConnection(connection)
    connection.start({
      onMessage: parts => events.onMessage(parts),
      onText: () => events.onText(),
      onDrain: () => events.onDrain(),
      ...(events.onReceiving !== undefined && { onReceiving: () => events.onReceiving?.() }),
      onClose: closed => {
        this.#forget(connection, address)
        events.onClose(closed)
        if (this.#connections.size === 0) this.#onEmpty?.()
      },
    })
  }

  #forget(connection: WebSocketConnection, address: string): void {
    this.#connections.delete(connection)
    const left = (this.#countOfAddress.get(address) ?? 1) - 1
    if (left === 0) this.#countOfAddress.delete(address)
    else this.#countOfAddress.set(address, left)
  }

  #planProbe(): void {
    const { pingIntervalMs } = this.#options
    const probe = () => {
      for (const connection of this.#connections) {
        if (connection.probe()) connection.drop(silentError(pingIntervalMs))
      }
      this.#planProbe()
    }
    this.#pingTimer = this.#parts.timers.after(pingIntervalMs, probe, { background: true })
  }
}

const silentError = (pingIntervalMs: number): SluiceError =>
  new SluiceError('NETWORK_ERROR', `silent peer: no answer to two pings ${pingIntervalMs} ms apart`)

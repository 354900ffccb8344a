/**
 * WebSocketConnection: one open WebSocket as a Connection, of either side. It knows `ws` only by
 * the shape below, so that websocket.ts stays the one door to the package.
 *
 *   send ─┐                                       ┌─ message (fragments) ─> onMessage(parts)
 *   send ─┼─ corked until flush or end of turn ───┤
 *   send ─┘                                       └─ last fragment written ─> onFlushed, onDrain
 *
 * Always true: messages leave in the order of `send`; every onFlushed runs exactly once, in that
 * order; onClose is the last event; nothing is delivered after `close` or `terminate` was called
 * here.
 * Made by websocket.ts; probed for silence by websocket-listen.ts.
 */
import type { Connection, ConnectionEvents, Timers } from '../world.ts'
import { FlushQueue } from './flush-queue.ts'
import { fragmentsOf } from './fragments.ts'

/** The TCP (or TLS) socket under a WebSocket. */
export interface RawSocket {
  readonly bytesRead: number
  /** Not public in Node: how far the system's write has come. Absent once the socket is closed. */
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  cork(): void
  uncork(): void
  once(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'data', listener: () => void): unknown
}

/** What ws has read of a message that is not whole; absent once the socket is closed. */
export interface Received {
  readonly bufferedBytes: number
  /** Pieces that were read and belong to no frame yet. */
  readonly chunks: number
  /** Frames of the message that are whole. */
  readonly fragments: number
}

/** What a connection needs of ws's WebSocket. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  readonly isPaused: boolean
  send(data: Uint8Array, options: { binary: boolean; fin: boolean }, sent?: () => void): void
  ping(): void
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown
  on(event: 'ping' | 'pong', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close', listener: (code: number, reason: Uint8Array) => void): unknown
}

const open = 1
/** What a piece of a message costs besides its bytes: a Buffer, its memory's head, a place in a list. */
const pieceBytes = 256
/** More than this waits for no end of turn: the kernel, and the peer's core, may start on it. */
const corkedBytesLimit = 128 * 1024
/** A message of which so much has arrived is worth a look before it is whole. */
const largeMessageBytes = 128 * 1024
/** Less than this is not worth a look. */
const oneReadBytes = 16 * 1024
/** Pings and pongs of one peer in one turn of the event loop; above it the connection is closed. */
export const maxControlFrames = 256
/** A close frame holds no more. */
const maxCloseReasonBytes = 123
/** ws tells a broken rule by its code, and the peer by a close code that it keeps to itself. */
const closeCodeOfError = new Map([
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
])

/** Node reports an IPv4 peer of a dual-stack listener as `::ffff:1.2.3.4`. */
export const plainAddress = (address = ''): string => address.replace(/^::ffff:(?=\d+\.)/, '')

export function peerOf(raw: Pick<RawSocket, 'remoteAddress' | 'remotePort'>): string {
  const address = plainAddress(raw.remoteAddress)
  const host = address.includes(':') ? `[${address}]` : address
  return `${host}:${raw.remotePort ?? 0}`
}

/** `reason` cut to what a close frame holds, never through a character. */
export function shortReason(reason: string): string {
  const utf8 = new TextEncoder().encode(reason)
  if (utf8.byteLength <= maxCloseReasonBytes) return reason
  const cut = new TextDecoder().decode(utf8.subarray(0, maxCloseReasonBytes))
  return cut.replace(/\ufffd+$/, '')
}

export interface ConnectionParts {
  readonly raw: RawSocket
  readonly timers: Timers
  received(): Received
}

export class WebSocketConnection implements Connection {
  readonly peer: string
  readonly #socket: WebSocketLike
  readonly #raw: RawSocket
  readonly #timers: Timers
  readonly #received: () => Received
  #events: ConnectionEvents | null = null
  #corked = false
  #flushPlanned = false
  #leaving = false
  #closed = false
  #error: Error | undefined
  /** onFlushed of the messages not yet written. */
  readonly #unwritten = new FlushQueue()
  #bytesReadAtProbe = 0
  #takenAtProbe = 0
  #takenBytes = 0
  #bytesReadAtMessage = 0
  #silentProbes = 0
  #controlFrames = 0

  constructor(socket: WebSocketLike, parts: ConnectionParts) {
    const { raw, timers, received } = parts
    this.#socket = socket
    this.#raw = raw
    this.#timers = timers
    this.#received = received
    this.peer = peerOf(raw)
    socket.binaryType = 'fragments'
  }

  /** Must be called in the turn in which the WebSocket opened: no message is missed then. */
  start(events: ConnectionEvents): void {
    this.#events = events
    this.#bytesReadAtMessage = this.#raw.bytesRead
    this.#socket.on('message', (data, isBinary) => {
      this.#bytesReadAtMessage = this.#raw.bytesRead
      if (this.#leaving) return
      if (isBinary) events.onMessage(data as Uint8Array[])
      else events.onText()
    })
    for (const event of ['ping', 'pong'] as const) this.#socket.on(event, this.#onControlFrame)
    // After ws, which listens to the socket already and has read the bytes by then.
    if (events.onReceiving !== undefined) this.#raw.on('data', this.#onBytes)
    this.#socket.on('error', error => this.#noteError(error))
    this.#raw.once('error', error => this.#noteError(error))
    this.#socket.on('close', (code, reason) => {
      this.#finish(code, new TextDecoder().decode(reason))
    })
  }

  /**
   * A fragment keeps the whole read that it came in, control frames and all, so everything since
   * the last message counts then. Without one, control frames are gone as soon as they are read.
   */
  get receivingBytes(): number {
    if (this.#closed) return 0
    const { bufferedBytes, chunks, fragments } = this.#received()
    const sinceMessage = this.#raw.bytesRead - this.#bytesReadAtMessage
    return (fragments > 0 ? sinceMessage : bufferedBytes) + (chunks + fragments) * pieceBytes
  }

  get takenBytes(): number {
    const { _handle: handle } = this.#raw
    if (handle) this.#takenBytes = handle.bytesWritten - handle.writeQueueSize
    return this.#takenBytes
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#socket.bufferedAmount
  }

  send(parts: readonly Uint8Array[], onFlushed?: () => void): void {
    if (this.#socket.readyState !== open) {
      if (onFlushed !== undefined) this.#timers.endOfTurn(onFlushed)
      return
    }
    this.#cork()
    this.#unwritten.push(onFlushed)
    const fragments = fragmentsOf(parts)
    const last = fragments.length - 1
    for (let i = 0; i < last; i++) {
      this.#socket.send(fragments[i] as Uint8Array, { binary: true, fin: false })
    }
    this.#socket.send(fragments[last] as Uint8Array, { binary: true, fin: true }, this.#onWritten)
    if (this.#socket.bufferedAmount >= corkedBytesLimit) this.#uncork()
  }

  flush(): void {
    this.#uncork()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(code: number, reason: string): void {
    if (this.#leaving || this.#closed) return
    this.#leaving = true
    this.#socket.close(code, shortReason(reason))
    // A paused socket would never see the peer's half of the closing handshake.
    this.#socket.resume()
  }

  terminate(): void {
    this.#leaving = true
    this.#socket.terminate()
  }

  /** Terminates with `error` as the cause that onClose reports. */
  drop(error: Error): void {
    this.#noteError(error)
    this.terminate()
  }

  /**
   * Called once per ping interval: pings a peer from which nothing came since the last call. True
   * when it stayed silent for two intervals after the first ping. While paused we do not listen, so
   * nobody is blamed for saying nothing, only for taking nothing of what we have for it.
   */
  probe(): boolean {
    const { bytesRead } = this.#raw
    const { takenBytes } = this
    const isTaking = this.bufferedBytes === 0 || takenBytes !== this.#takenAtProbe
    const isExcused = this.#socket.isPaused && isTaking
    const hasSpoken = bytesRead !== this.#bytesReadAtProbe
    this.#bytesReadAtProbe = bytesRead
    this.#takenAtProbe = takenBytes
    if (hasSpoken || isExcused) {
      this.#silentProbes = 0
      return false
    }
    if (++this.#silentProbes > 2) return true
    if (this.#socket.readyState === open) this.#socket.ping()
    return false
  }

  /** What is sent in one turn leaves in one writev: a frame alone costs twenty times as much. */
  #cork(): void {
    if (!this.#corked) {
      this.#corked = true
      this.#raw.cork()
    }
    if (!this.#flushPlanned) {
      this.#flushPlanned = true
      this.#timers.endOfTurn(this.#onEndOfTurn)
    }
  }

  readonly #onControlFrame = (): void => {
    if (this.#controlFrames++ === 0) {
      this.#timers.endOfTurn(() => {
        this.#controlFrames = 0
      })
    }
    if (this.#controlFrames === maxControlFrames) this.close(1008, 'too many control frames')
  }

  /** Many small pieces are as large as a message that came in few. */
  readonly #onBytes = (): void => {
    if (this.#raw.bytesRead - this.#bytesReadAtMessage < oneReadBytes) return
    if (this.receivingBytes >= largeMessageBytes) this.#events?.onReceiving?.()
  }

  readonly #onEndOfTurn = (): void => {
    this.#flushPlanned = false
    this.#uncork()
  }

  #uncork(): void {
    if (!this.#corked) return
    this.#corked = false
    this.#raw.uncork()
  }

  readonly #onWritten = (): void => {
    if (this.#closed) return
    this.#unwritten.take()?.()
    if (this.#unwritten.isEmpty) this.#events?.onDrain()
  }

  #noteError(error: Error): void {
    this.#error ??= error
  }

  #finish(wsCode: number, wsReason: string): void {
    this.#closed = true
    while (!this.#unwritten.isEmpty) this.#unwritten.take()?.()
    const error = this.#error
    const ruleBroken = (error as { code?: unknown } | undefined)?.code
    const isRule = typeof ruleBroken === 'string' && ruleBroken.startsWith('WS_ERR_')
    const code = isRule ? (closeCodeOfError.get(ruleBroken) ?? 1002) : wsCode
    const reason = wsReason !== '' ? wsReason : (error?.message ?? '')
    this.#events?.onClose({ code, reason, ...(error !== undefined && { error }) })
  }
}

/**
 * Session: one connection. Messages in become exchanges, answers go out by id.
 *
 *   onMessage → its turn? → frame → (greeted? in flight?) → dispatcher → handler … → reply → send
 *
 * Always true: hello comes first; at most maxInFlightRequests are unanswered; a peer that does not
 * take its answers is not read from, and is dropped above maxBufferedBytes; where framing is lost
 * the connection ends, nobody else notices.
 * Made by broker.ts for each connection; talks to dispatcher.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameHeader } from '../../protocol/frame.ts'
import type { Clock, Connection, ConnectionEvents, TimerHandle } from '../../protocol/world.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import type { Logger } from '../world/logger.ts'
import type { Deadlines } from './deadlines.ts'
import type { Holder } from './held-watch.ts'
import { MessageQueue, sizeOf } from './message-queue.ts'
import { OutputMeter, type Waiting } from './output-meter.ts'
import type { Exchange } from './parts.ts'
import type { Pausable, ReceiveBudget } from './receive-budget.ts'
import { type AnsweringSession, type Ended, RequestExchange } from './request-exchange.ts'
import type { SendBudget } from './send-budget.ts'
import type { Turns } from './turns.ts'

/** Receives each well-framed request; answers through the exchange, never throws. */
export type Dispatch = (exchange: Exchange, header: FrameHeader) => void

export interface SessionParts {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly counts: BrokerCounts
  readonly budget: ReceiveBudget
  readonly sendBudget: SendBudget
  readonly turns: Turns
  readonly deadlines: Deadlines
  readonly logger: Logger
  readonly dispatch: Dispatch
  onGone(session: Session): void
  /** More of a large message has arrived. */
  onReceiving(session: Session): void
  /** Nothing of the session is unanswered any more. */
  onIdle(): void
}

/** What a request costs besides its bytes: an exchange, promises, a place in maps and queues. */
const requestCost = 1024
/** A header as objects takes so many times its bytes, and its bytes are held besides. */
const headerCost = 3

export class Session implements ConnectionEvents, Pausable, Holder, AnsweringSession {
  readonly #parts: SessionParts
  readonly #connection: Connection
  readonly #inFlight = new Map<number, RequestExchange>()
  readonly #output: OutputMeter
  readonly #helloDeadline: TimerHandle
  readonly #queue: MessageQueue
  #greeted = false
  #open = true
  #turn = 0
  #pausedForMemory = false
  #pausedForOutput = false
  #pausedSinceMs = 0

  constructor(parts: SessionParts, connection: Connection) {
    this.#parts = parts
    this.#connection = connection
    const { maxBufferedBytes, helloTimeoutMs } = parts.config
    this.#output = new OutputMeter(maxBufferedBytes, parts.sendBudget, paused => {
      this.#setPausedForOutput(paused)
      this.#applyPause()
    })
    const handle = (message: Uint8Array[]) => this.#handle(message)
    const calls = { hold: this.hold.bind(this), handle, onChange: () => this.#applyPause() }
    this.#queue = new MessageQueue({ turns: parts.turns, ...calls })
    parts.budget.join(this)
    this.#helloDeadline = parts.deadlines.after(helloTimeoutMs, () => {
      this.end(1008, `no hello within ${helloTimeoutMs} ms`)
    })
  }

  get open(): boolean {
    return this.#open
  }
  get unanswered(): number {
    return this.#inFlight.size
  }
  /** Messages that came and whose turn has not come. */
  get hasQueued(): boolean {
    return !this.#queue.isEmpty
  }

  onMessage(parts: Uint8Array[]): void {
    if (!this.#open) return
    this.#queue.add(parts)
  }

  #handle(parts: Uint8Array[]): void {
    if (!this.#open) return
    let frame: Frame
    try {
      frame = decodeFrame(parts, this.#parts.config.maxHeaderBytes)
    } catch (error) {
      const { code, message } = asSluiceError(error)
      this.end(code === 'FRAME_TOO_LARGE' ? 1009 : 1002, `${code}: ${message}`)
      return
    }
    const id = frame.header.id
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      this.end(1002, 'INVALID_REQUEST: header.id must be an integer from 0')
      return
    }
    this.#accept(id, sizeOf(parts), frame)
  }

  onText(): void {
    this.end(1002, 'INVALID_REQUEST: text frame; messages are binary')
  }

  onDrain(): void {
    // what is still unsent is counted by the flush of each answer
  }

  onReceiving(): void {
    this.#parts.onReceiving(this)
  }

  onClose(closed: { code: number; reason: string; error?: Error }): void {
    this.#open = false
    this.#helloDeadline.cancel()
    this.#parts.budget.leave(this)
    const values = { event: 'connection-closed', peer: this.#connection.peer, ...closed }
    this.#parts.logger.debug(values, 'connection closed')
    for (const exchange of [...this.#inFlight.values()]) exchange.abandon()
    this.#output.close()
    this.#setPausedForOutput(false)
    this.#parts.onGone(this)
  }

  /** Closes with a WebSocket code; `reason` is cut to what a close frame holds. */
  end(code: number, reason: string): void {
    if (!this.#open) return
    const values = { event: 'connection-ended', peer: this.#connection.peer, code, reason }
    this.#parts.logger.warn(values, 'the connection is ended')
    this.#close(code, reason)
  }

  /** The broker stops, which is no news of this connection: 1013 says to come again later. */
  sendAway(): void {
    if (this.#open) this.#close(1013, 'the broker is stopping')
  }

  #close(code: number, reason: string): void {
    this.#open = false
    this.#connection.close(code, closeReason(reason))
  }

  /** For the held watches, as what follows. */
  get receivingBytes(): number {
    return this.#connection.receivingBytes
  }
  get unreadBytes(): number {
    return this.#output.heldBytes
  }
  get takenBytes(): number {
    return this.#connection.takenBytes
  }
  /** The broker does not read from it at the moment. */
  get isPaused(): boolean {
    return this.#pausedForMemory || this.#pausedForOutput || this.hasQueued
  }

  /** Ends the connection at once: its memory is needed. */
  drop(reason: string): void {
    if (this.#open) this.#parts.counts.connections.dropped++
    this.end(1013, reason)
    this.#connection.terminate()
  }

  pauseForMemory(): void {
    this.#pausedForMemory = true
    this.#connection.pause()
  }

  resumeFromMemory(): void {
    this.#pausedForMemory = false
    this.#applyPause()
  }

  /** Bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#output.unsentBytes
  }

  #setPausedForOutput(paused: boolean): void {
    if (paused === this.#pausedForOutput) return
    this.#pausedForOutput = paused
    const { clock, counts } = this.#parts
    const nowMs = clock.monotonicMs()
    if (paused) counts.connections.throttled.output.begin(nowMs)
    else counts.connections.throttled.output.end(this.#pausedSinceMs, nowMs)
    this.#pausedSinceMs = nowMs
  }

  #applyPause(): void {
    if (this.isPaused) this.#connection.pause()
    else this.#connection.resume()
  }

  #accept(id: number, bytes: number, frame: Frame): void {
    if (this.#inFlight.has(id)) {
      this.end(1002, `INVALID_REQUEST: request id ${id} is in use`)
      return
    }
    const refusal = this.#refusal(frame.header)
    const counts = this.#parts.counts.requests.of(frame.header.api)
    counts.receivedBytes += bytes
    if (refusal !== null) {
      counts.failed(refusal.code)
      this.#send(encodeFrame({ id, error: refusal.toJSON() }))
      return
    }
    const { bodies } = frame
    const cost = bytes + headerCost * (bytes - sizeOf(bodies)) + requestCost
    const request = { id, bytes: cost, bodies, turn: this.#turn++, counts }
    const exchange = new RequestExchange(this, request, this.#parts.clock)
    this.#inFlight.set(id, exchange)
    this.#parts.budget.charge(this, cost)
    this.#parts.dispatch(exchange, frame.header)
  }

  #refusal(header: FrameHeader): SluiceError | null {
    const { maxInFlightRequests } = this.#parts.config
    if (this.#inFlight.size >= maxInFlightRequests) {
      return new SluiceError(
        'TOO_MANY_REQUESTS',
        `${this.#inFlight.size} requests are unanswered, limit ${maxInFlightRequests}`,
        { hint: 'wait for answers; the limit is max.in.flight.requests' },
      )
    }
    if (this.#greeted || header.api === 'hello') return null
    return new SluiceError('INVALID_REQUEST', 'the first request on a connection must be hello')
  }

  /** For RequestExchange: answers and says how many bytes that takes. */
  answer(id: number, header: FrameHeader, bodies: readonly Uint8Array[]): number {
    const parts = encodeFrame({ id, ...header }, bodies)
    this.#send(parts)
    return sizeOf(parts)
  }

  /** For RequestExchange. */
  settle({ request, heldBytes, busyMs }: Ended): void {
    this.#inFlight.delete(request.id)
    this.#parts.budget.release(this, heldBytes)
    if (busyMs >= this.#parts.config.slowRequestMs) this.#noteSlow(request.counts.api, busyMs)
    if (this.#inFlight.size === 0) this.#parts.onIdle()
  }

  #noteSlow(api: string, busyMs: number): void {
    const values = { event: 'slow-request', api, tookMs: Math.round(busyMs) }
    this.#parts.logger.warn({ ...values, peer: this.#connection.peer }, 'a slow request')
  }

  /** For RequestExchange: hello was accepted. */
  greet(): void {
    this.#greeted = true
    this.#helloDeadline.cancel()
  }

  /** For RequestExchange, as what follows: room for its answer, until `unreserve`. */
  reserve(waiting: Waiting): void {
    this.#output.reserve(waiting)
  }

  unreserve(bytes: number): void {
    this.#output.release(bytes)
  }

  hold(bytes: number): void {
    if (bytes < 0) this.#parts.budget.release(this, -bytes)
    else this.#parts.budget.charge(this, bytes)
  }

  #send(parts: readonly Uint8Array[]): void {
    if (!this.#open) return
    const flushed = this.#output.admit(parts)
    if (flushed === null) {
      this.drop('the answers are not being read: over max.buffered.bytes')
      return
    }
    this.#connection.send(parts, flushed)
  }
}

/** A close frame holds 123 bytes; what is not printable ASCII becomes `?`. */
function closeReason(reason: string): string {
  return reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
}

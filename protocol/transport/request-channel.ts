/**
 * RequestChannel: requests and their answers over one Connection, client side.
 *
 *   request ─> queue (bounded) ─> in flight (≤ maxInFlight) ─> answer | error | deadline | abort | closed
 *                                        └─ abandoned: settled, but its answer is still to come
 *
 * Always true: requests leave in the order they were made (one-way ones never wait); each settles
 * once; an id is not used again while an answer to it may come; one timer serves all deadlines;
 * after the first broken message nothing more is believed.
 * Used by client/ (one per broker) and by replica fetchers.
 */
import { SluiceError } from '../errors.ts'
import { decodeFrame, type Frame, type FrameHeader } from '../frame.ts'
import { type ApiName, type Apis, apis } from '../messages/apis.ts'
import { checkMessage, type RequestOf } from '../messages/define.ts'
import type { Connection, ConnectionEvents, DialOptions, Network } from '../world.ts'
import { answerError, malformedAnswer } from './answer-errors.ts'
import { Deadlines } from './deadlines.ts'
import {
  abandon,
  aborted,
  fulfil,
  isReadApi,
  type Pending,
  refuse,
  requestFrame,
  timedOut,
} from './pending-request.ts'
import type {
  Answer,
  ChannelClosed,
  RequestChannelOptions,
  RequestOptions,
} from './request-options.ts'

/** Requests that want no answer carry it; what answers them all the same is dropped. */
const oneWayId = 0
const lastId = 2 ** 31 - 1

/** Dials and puts a channel on the connection. @throws as Network.dial does */
export async function openRequestChannel(
  network: Network,
  dialOptions: DialOptions,
  options: RequestChannelOptions,
): Promise<RequestChannel> {
  const channels: RequestChannel[] = []
  await network.dial(dialOptions, connection => {
    const channel = new RequestChannel(connection, options)
    channels.push(channel)
    return channel
  })
  return channels[0] as RequestChannel
}

export class RequestChannel implements ConnectionEvents {
  readonly #connection: Connection
  readonly #options: RequestChannelOptions
  readonly #inFlight = new Map<number, Pending>()
  readonly #queue: Pending[] = []
  readonly #deadlines: Deadlines
  #nextId = 1
  /** Why nothing can be sent any more. */
  #broken: SluiceError | null = null

  constructor(connection: Connection, options: RequestChannelOptions) {
    this.#connection = connection
    this.#options = options
    this.#deadlines = new Deadlines(options.clock, options.timers, nowMs => this.#expire(nowMs))
  }

  get peer(): string {
    return this.#connection.peer
  }

  /** Bytes not yet handed to the operating system, for whoever sends one way. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  get isOpen(): boolean {
    return this.#broken === null
  }

  get pendingCount(): number {
    return this.#inFlight.size + this.#queue.length
  }

  /**
   * Sends one request and resolves with its answer, checked against the api. An error of one
   * partition is data in the answer. `bodies` must not change before the promise settles; once it
   * has been rejected, they may still be on their way out and must not be written to again.
   * @throws SluiceError REQUEST_TIMED_OUT, ABORTED, NETWORK_ERROR, TOO_MANY_REQUESTS,
   * PROTOCOL_MISMATCH, or what the broker answered; `maybeApplied` where a write had been sent and
   * its outcome is unknown.
   */
  request<N extends ApiName>(
    api: N,
    header: RequestOf<Apis[N]>,
    bodies: readonly Uint8Array[],
    options: RequestOptions,
  ): Promise<Answer<N>> {
    const refusal = this.#refusal(options.signal)
    if (refusal !== null) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const { timeoutMs, signal, isWrite = !isReadApi(api) } = options
      const deadlineMs = this.#options.clock.monotonicMs() + timeoutMs
      const pending: Pending = {
        api,
        header: header as FrameHeader,
        bodies,
        isWrite,
        timeoutMs,
        deadlineMs,
        isSent: false,
        isSettled: false,
        // The answer was checked against the very api that N names.
        resolve: answer => resolve(answer as Answer<N>),
        reject,
        forgetSignal: null,
      }
      if (signal !== undefined) this.#watch(pending, signal)
      this.#queue.push(pending)
      this.#deadlines.watch(deadlineMs)
      this.#sendQueued()
    })
  }

  /**
   * Sends a request that gets no answer (acks none). Resolves when its bytes are with the operating
   * system, which says nothing about the broker. Not counted as in flight: watch `bufferedBytes`.
   */
  sendOneWay<N extends ApiName>(
    api: N,
    header: RequestOf<Apis[N]>,
    bodies: readonly Uint8Array[],
  ): Promise<void> {
    if (this.#broken !== null) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#connection.send(requestFrame(oneWayId, api, header as FrameHeader, bodies), () => {
        if (this.#broken === null) resolve()
        else reject(this.#broken)
      })
    })
  }

  /** Rejects what is pending with CLOSED and closes the connection in order. Idempotent. */
  close(reason = 'closed by the client'): void {
    this.#break(new SluiceError('CLOSED', `the connection to ${this.peer} was closed: ${reason}`))
    this.#connection.close(1000, reason)
  }

  onMessage(parts: Uint8Array[]): void {
    if (this.#broken !== null) return
    let frame: Frame
    try {
      frame = decodeFrame(parts, this.#options.maxHeaderBytes)
    } catch (error) {
      this.#distrust(malformedAnswer('message', this.peer, error))
      return
    }
    this.#receive(frame)
  }

  onText(): void {
    this.#distrust(malformedAnswer('text message', this.peer))
  }

  onDrain(): void {
    // Requests are bounded by maxInFlight; one-way senders look at bufferedBytes.
  }

  onClose(closed: ChannelClosed): void {
    const { code, reason, error } = closed
    const why = reason === '' ? `code ${code}` : `code ${code}, ${reason}`
    const message = `the connection to ${this.peer} closed (${why})`
    this.#break(new SluiceError('NETWORK_ERROR', message, { cause: error }))
    this.#options.onClose?.(closed)
  }

  #receive({ header, bodies }: Frame): void {
    const { id, error } = header
    if (header.push !== undefined) {
      this.#options.onPush?.(header, bodies)
      return
    }
    if (id === undefined && error !== undefined) {
      this.#distrust(answerError(error, this.peer))
      return
    }
    if (id === oneWayId) return
    const pending = typeof id === 'number' ? this.#inFlight.get(id) : undefined
    if (pending === undefined) {
      this.#distrust(malformedAnswer(`answer with id ${JSON.stringify(id)}`, this.peer))
      return
    }
    this.#inFlight.delete(id as number)
    if (error !== undefined) refuse(pending, answerError(error, this.peer))
    else this.#answer(pending, header, bodies)
    this.#sendQueued()
  }

  #answer(pending: Pending, header: FrameHeader, bodies: Uint8Array[]): void {
    try {
      checkMessage(apis[pending.api].response, header)
    } catch (error) {
      const broken = malformedAnswer(`answer to ${pending.api}`, this.peer, error)
      abandon(pending, broken)
      this.#distrust(broken)
      return
    }
    fulfil(pending, { response: header, bodies })
  }

  #refusal(signal: AbortSignal | undefined): SluiceError | null {
    if (this.#broken !== null) return this.#broken
    if (signal?.aborted === true) return aborted(signal)
    if (this.#queue.length < this.#options.maxQueued) return null
    if (this.#inFlight.size < this.#options.maxInFlight) return null
    return new SluiceError(
      'TOO_MANY_REQUESTS',
      `${this.pendingCount} requests to ${this.peer} wait`,
    )
  }

  #watch(pending: Pending, signal: AbortSignal): void {
    const onAbort = () => {
      abandon(pending, aborted(signal))
      this.#dropSettled()
    }
    signal.addEventListener('abort', onAbort)
    pending.forgetSignal = () => signal.removeEventListener('abort', onAbort)
  }

  #sendQueued(): void {
    while (this.#inFlight.size < this.#options.maxInFlight && this.#broken === null) {
      const pending = this.#queue.shift()
      if (pending === undefined) return
      const id = this.#takeId()
      pending.isSent = true
      this.#inFlight.set(id, pending)
      const frame = requestFrame(id, pending.api, pending.header, pending.bodies)
      pending.bodies = []
      this.#connection.send(frame)
      // The broker begins while this turn goes on.
      this.#connection.flush()
    }
  }

  #takeId(): number {
    while (this.#inFlight.has(this.#nextId)) this.#nextId = (this.#nextId % lastId) + 1
    const id = this.#nextId
    this.#nextId = (id % lastId) + 1
    return id
  }

  /** Settles what is due; returns the next deadline, Infinity where none is left. */
  #expire(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY
    let overdue = 0
    for (const pending of [...this.#inFlight.values(), ...this.#queue]) {
      if (pending.deadlineMs > nowMs) {
        next = Math.min(next, pending.deadlineMs)
        continue
      }
      if (pending.isSent) overdue++
      abandon(pending, timedOut(pending, this.peer))
    }
    this.#dropSettled()
    if (overdue >= this.#options.maxInFlight) this.#giveUp(overdue)
    return next
  }

  #dropSettled(): void {
    const waiting = this.#queue.filter(pending => !pending.isSettled)
    this.#queue.splice(0, this.#queue.length, ...waiting)
  }

  /** Every slot is held by a request that the peer did not answer in time: it counts as gone. */
  #giveUp(overdue: number): void {
    const message = `${this.peer} answered none of ${overdue} requests in time`
    this.#break(new SluiceError('NETWORK_ERROR', message))
    this.#connection.terminate()
  }

  /** The peer broke the protocol. */
  #distrust(error: SluiceError): void {
    this.#break(error)
    this.#connection.close(1002, error.message)
  }

  #break(error: SluiceError): void {
    if (this.#broken !== null) return
    this.#broken = error
    const pendings = [...this.#inFlight.values(), ...this.#queue]
    this.#inFlight.clear()
    this.#queue.length = 0
    this.#deadlines.stop()
    for (const pending of pendings) abandon(pending, error)
  }
}

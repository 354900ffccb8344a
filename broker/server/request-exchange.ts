/**
 * Request exchange: one request of one connection, from its arrival to its answer, and what is
 * counted of it.
 *
 * Always true: it is over once; room that was set aside for its answer is given back then; it is
 * counted when it is over, with every error that its answer holds.
 * Made by session.ts; used by the dispatcher and the handlers as their Exchange.
 */
import type { ErrorCode, SluiceError } from '../../protocol/errors.ts'
import type { FrameHeader } from '../../protocol/frame.ts'
import type { Clock } from '../../protocol/world.ts'
import type { ApiCounts } from '../metrics/request-counts.ts'
import type { Waiting } from './output-meter.ts'
import type { Exchange } from './parts.ts'

export interface Request {
  readonly id: number
  /** What it costs as long as it is not answered. */
  readonly bytes: number
  readonly bodies: readonly Uint8Array[]
  readonly turn: number
  readonly counts: ApiCounts
}

/** How long a request took, without the time in which it only waited. */
export interface Ended {
  readonly request: Request
  /** What of its bytes is on the receive budget. */
  readonly heldBytes: number
  readonly busyMs: number
}

/** What an exchange asks of its session. */
export interface AnsweringSession {
  readonly open: boolean
  /** Sends an answer and says how many bytes it has. */
  answer(id: number, header: FrameHeader, bodies: readonly Uint8Array[]): number
  /** The request is over. */
  settle(ended: Ended): void
  /** Hello was accepted. */
  greet(): void
  /** Room for an answer, until `unreserve`. */
  reserve(waiting: Waiting): void
  unreserve(bytes: number): void
  /** Charges the receive budget; negative where bytes are given back. */
  hold(bytes: number): void
}

export class RequestExchange implements Exchange {
  readonly #session: AnsweringSession
  readonly #request: Request
  readonly #clock: Clock
  readonly #beganMs: number
  #waitedMs = 0
  #over = false
  #isParked = false
  #reservedBytes = 0
  #closed: (() => void) | null = null

  constructor(session: AnsweringSession, request: Request, clock: Clock) {
    this.#session = session
    this.#request = request
    this.#clock = clock
    this.#beganMs = clock.monotonicMs()
  }

  get bodies(): readonly Uint8Array[] {
    return this.#request.bodies
  }
  get turn(): number {
    return this.#request.turn
  }
  get open(): boolean {
    return this.#session.open && !this.#over
  }

  reply(response: object, bodies: readonly Uint8Array[] = []): void {
    if (this.#over) return
    const { id, counts } = this.#request
    counts.sentBytes += this.#session.answer(id, response as FrameHeader, bodies)
    this.finish(response)
  }

  fail(error: SluiceError): void {
    if (this.#over) return
    this.#request.counts.failed(error.code)
    this.reply({ error: error.toJSON() })
  }

  finish(response: object = {}): void {
    if (this.#over) return
    this.#over = true
    const { counts } = this.#request
    const wholeMs = this.#clock.monotonicMs() - this.#beganMs
    counts.durationSeconds.observe(wholeMs / 1000)
    countItemErrors(counts, response)
    const heldBytes = this.#isParked ? 0 : this.#request.bytes
    this.#session.settle({ request: this.#request, heldBytes, busyMs: wholeMs - this.#waitedMs })
    this.#unreserve()
  }

  onClosed(run: () => void): void {
    this.#closed = run
  }

  greet(): void {
    this.#session.greet()
  }

  whenWritable(bytes: number, run: (grantedBytes: number) => void): void {
    const requestBytes = this.#request.bytes
    this.#session.reserve({
      bytes,
      requestBytes,
      // from now on it is the burden of the peer that does not take its answers
      park: () => {
        this.#isParked = true
        this.#session.hold(-requestBytes)
      },
      run: grantedBytes => {
        this.#reservedBytes = grantedBytes
        this.#waitedMs = this.#clock.monotonicMs() - this.#beganMs
        this.#request.counts.queueSeconds.observe(this.#waitedMs / 1000)
        if (this.#over) this.#unreserve()
        else this.#unpark()
        run(grantedBytes)
      },
    })
  }

  #unpark(): void {
    if (this.#isParked) this.#session.hold(this.#request.bytes)
    this.#isParked = false
  }

  #unreserve(): void {
    const bytes = this.#reservedBytes
    this.#reservedBytes = 0
    if (bytes > 0) this.#session.unreserve(bytes)
  }

  /** The connection is gone. */
  abandon(): void {
    // whatever it waited for, nobody was kept busy
    this.#waitedMs = this.#clock.monotonicMs() - this.#beganMs
    this.finish()
    this.#closed?.()
  }
}

/** An item of a list in an answer, or nothing where it was not decided. */
type Item = { readonly error?: { readonly code: string } } | undefined

/** Errors of single partitions or topics. */
function countItemErrors(counts: ApiCounts, response: object): void {
  const { partitions, topics } = response as Readonly<Record<string, readonly Item[] | undefined>>
  const items = partitions ?? topics
  if (!Array.isArray(items)) return
  for (const item of items as Item[]) {
    if (item?.error !== undefined) counts.failed(item.error.code as ErrorCode)
  }
}

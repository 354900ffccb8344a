/**
 * Request exchange: one request on its way to its answer.
 *
 * Always true: it ends exactly once, by an answer, without one, or with its connection; what it
 * held is given back then.
 * Made by session.ts for each request; handed to the dispatcher and the handlers.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { FrameHeader } from '../../protocol/frame.ts'
import type { Waiting } from './output-meter.ts'
import type { Exchange } from './parts.ts'

export interface Request {
  readonly id: number
  /** What it costs as long as it is not answered. */
  readonly bytes: number
  readonly bodies: readonly Uint8Array[]
  readonly turn: number
}

/** What an exchange needs of its session. */
export interface ExchangeHost {
  readonly open: boolean
  answer(id: number, header: FrameHeader, bodies: readonly Uint8Array[]): void
  /** The request is over; `heldBytes` of it are still on the receive budget. */
  settle(id: number, heldBytes: number): void
  greet(): void
  /** Room for an answer, until `unreserve`. */
  reserve(waiting: Waiting): void
  unreserve(bytes: number): void
  /** Charges the receive budget; negative where bytes are given back. */
  hold(bytes: number): void
}

export class RequestExchange implements Exchange {
  readonly #host: ExchangeHost
  readonly #request: Request
  #over = false
  #isParked = false
  #reservedBytes = 0
  #closed: (() => void) | null = null

  constructor(host: ExchangeHost, request: Request) {
    this.#host = host
    this.#request = request
  }

  get bodies(): readonly Uint8Array[] {
    return this.#request.bodies
  }
  get turn(): number {
    return this.#request.turn
  }
  get open(): boolean {
    return this.#host.open && !this.#over
  }

  reply(response: object, bodies: readonly Uint8Array[] = []): void {
    if (this.#over) return
    this.#host.answer(this.#request.id, response as FrameHeader, bodies)
    this.finish()
  }

  fail(error: SluiceError): void {
    this.reply({ error: error.toJSON() })
  }

  finish(): void {
    if (this.#over) return
    this.#over = true
    const { id, bytes } = this.#request
    this.#host.settle(id, this.#isParked ? 0 : bytes)
    this.#unreserve()
  }

  onClosed(run: () => void): void {
    this.#closed = run
  }

  greet(): void {
    this.#host.greet()
  }

  whenWritable(bytes: number, run: (grantedBytes: number) => void): void {
    const requestBytes = this.#request.bytes
    this.#host.reserve({
      bytes,
      requestBytes,
      park: () => {
        this.#isParked = true
        this.#host.hold(-requestBytes)
      },
      run: grantedBytes => {
        this.#reservedBytes = grantedBytes
        if (this.#over) this.#unreserve()
        else this.#unpark()
        run(grantedBytes)
      },
    })
  }

  #unpark(): void {
    if (this.#isParked) this.#host.hold(this.#request.bytes)
    this.#isParked = false
  }

  #unreserve(): void {
    const bytes = this.#reservedBytes
    this.#reservedBytes = 0
    if (bytes > 0) this.#host.unreserve(bytes)
  }

  /** The connection is gone. */
  abandon(): void {
    this.finish()
    this.#closed?.()
  }
}

/**
 * Direct network: a listener whose connections are plain objects in the test's hands, so that a
 * test can send any bytes at all, stop taking answers, and see every call that the broker makes.
 *
 * Always true: what the broker sends is delivered in the same turn unless the peer is `stalled`.
 */

import type { ErrorCode, WireError } from '../../protocol/errors.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../protocol/frame.ts'
import { apis } from '../../protocol/messages/apis.ts'
import { type Api, commonErrors, type Shape } from '../../protocol/messages/define.ts'
import type {
  Connection,
  ConnectionEvents,
  HttpAnswer,
  Listening,
  ListenOptions,
  Network,
} from '../../protocol/world.ts'

export class DirectNetwork implements Network {
  #options: ListenOptions | null = null
  listening = false
  /** Errors that answers held although their api does not declare them. */
  readonly undeclared: string[] = []

  dial(): Promise<never> {
    return Promise.reject(new Error('use connect()'))
  }

  async listen(options: ListenOptions): Promise<Listening> {
    this.#options = options
    this.listening = true
    return {
      host: options.host,
      port: 4242,
      stopAccepting: () => {
        this.#options = null
      },
      close: async () => {
        this.listening = false
      },
    }
  }

  connect(): Peer {
    const options = this.#options
    if (options === null) throw new Error('nobody listens')
    const notNow = options.refuseNow?.()
    if (typeof notNow === 'string') throw new Error(notNow)
    return new Peer(connection => options.onConnection(connection), this.undeclared)
  }

  async http(path: string): Promise<HttpAnswer> {
    const options = this.#options
    if (options === null) throw new Error('nobody listens')
    return options.onHttp(path)
  }
}

export interface Answer {
  readonly header: Record<string, unknown>
  readonly error: WireError | undefined
  readonly bodies: readonly Uint8Array[]
}

/** The client's end of one connection. */
export class Peer {
  readonly answers = new Map<number, Answer>()
  readonly #events: ConnectionEvents
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #held: { parts: readonly Uint8Array[]; onFlushed?: (() => void) | undefined }[] = []
  readonly #undeclared: string[]
  readonly #asked = new Map<number, string>()
  #id = 0
  /** Takes nothing while true. */
  stalled = false
  paused = false
  closed: { code: number; reason: string } | null = null
  terminated = false
  sentBytes = 0

  constructor(accept: (connection: Connection) => ConnectionEvents, undeclared: string[] = []) {
    const peer = this
    this.#undeclared = undeclared
    this.#events = accept({
      peer: '127.0.0.1:5',
      receivingBytes: 0,
      get takenBytes() {
        return peer.sentBytes
      },
      get bufferedBytes() {
        return peer.heldBytes
      },
      send: (parts, onFlushed) => this.#receive(parts, onFlushed),
      pause: () => {
        this.paused = true
      },
      resume: () => {
        this.paused = false
      },
      close: (code, reason) => this.#close(code, reason),
      flush: () => {},
      terminate: () => {
        this.terminated = true
        this.#close(1006, '')
      },
    })
  }

  get heldBytes(): number {
    return this.#held.reduce((sum, { parts }) => sum + parts.reduce((n, p) => n + p.length, 0), 0)
  }

  /** Sends raw parts, whatever they are. */
  sendRaw(...parts: Uint8Array[]): void {
    this.#events.onMessage(parts)
  }

  sendText(): void {
    this.#events.onText()
  }

  /** Sends a request without waiting; returns its id. */
  post(api: string, fields: object = {}, bodies: readonly Uint8Array[] = []): number {
    const id = this.#id++
    this.#asked.set(id, api)
    this.sendRaw(...encodeFrame({ id, api, v: 1, ...fields }, bodies))
    return id
  }

  call(api: string, fields: object = {}, bodies: readonly Uint8Array[] = []): Promise<Answer> {
    return this.answer(this.post(api, fields, bodies))
  }

  answer(id: number): Promise<Answer> {
    const there = this.answers.get(id)
    if (there !== undefined) return Promise.resolve(there)
    return new Promise(resolve => this.#waiting.set(id, resolve))
  }

  async hello(): Promise<this> {
    await this.call('hello', { client: { software: 'test 1', id: '' } })
    return this
  }

  /** Takes what was held back. */
  takeAll(): void {
    this.stalled = false
    for (let held = this.#held.shift(); held !== undefined; held = this.#held.shift()) {
      this.#receive(held.parts, held.onFlushed)
    }
  }

  /** The client goes away. */
  drop(): void {
    this.#close(1006, '')
  }

  #receive(parts: readonly Uint8Array[], onFlushed?: () => void): void {
    if (this.closed !== null) {
      onFlushed?.()
      return
    }
    if (this.stalled) {
      this.#held.push({ parts, onFlushed })
      return
    }
    this.sentBytes += parts.reduce((sum, part) => sum + part.byteLength, 0)
    const answer = asAnswer(decodeFrame(parts, 2 ** 30))
    const id = answer.header.id as number
    this.answers.set(id, answer)
    this.#undeclared.push(...undeclaredErrors(this.#asked.get(id), answer.header))
    this.#waiting.get(id)?.(answer)
    onFlushed?.()
  }

  #close(code: number, reason: string): void {
    if (this.closed !== null) return
    this.closed = { code, reason }
    for (const { onFlushed } of this.#held) onFlushed?.()
    this.#held.length = 0
    this.#events.onClose({ code, reason })
  }
}

type Item = { readonly error?: WireError }

/** Codes in an answer that neither its api nor the list for all apis names. */
function undeclaredErrors(api: string | undefined, header: Record<string, unknown>): string[] {
  // Raw bytes were sent, and may have named any api.
  if (api === undefined) return []
  const known = apis as Readonly<Record<string, Api<Shape, Shape>>>
  const declared = [...commonErrors, ...(known[api]?.errors ?? [])]
  const items = [header.partitions, header.topics].flatMap(list => (list ?? []) as Item[])
  return [header as Item, ...items]
    .flatMap(({ error }) => (error === undefined ? [] : [error.code as ErrorCode]))
    .filter(code => !declared.includes(code))
    .map(code => `${api}: ${code}`)
}

function asAnswer({ header, bodies }: Frame): Answer {
  return { header, error: header.error as WireError | undefined, bodies }
}

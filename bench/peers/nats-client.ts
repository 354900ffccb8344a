/**
 * NATS client: the text protocol over one pipelined connection: publish, subscribe, request.
 *
 * Always true: a request is answered by number, not by order; a message of a subject that nobody
 * reads any more is dropped; a lost connection rejects all that wait.
 * Used by nats.ts.
 */
import { PipelinedSocket } from './pipelined-socket.ts'

export interface Message {
  readonly subject: string
  /** Where an answer goes; '' = nowhere. */
  readonly reply: string
  /** Without headers; they are in `headers`. */
  readonly payload: Buffer
  /** '' = none. */
  readonly headers: string
}

interface Waiting {
  resolve(payload: Buffer): void
  reject(error: Error): void
}

const lineEnd = '\r\n'
const inboxId = '1'

export class NatsClient {
  #socket: PipelinedSocket | null = null
  readonly #inbox = `_INBOX.${process.pid}x${Math.random().toString(36).slice(2)}`
  readonly #waiting = new Map<number, Waiting>()
  readonly #readers = new Map<string, (message: Message) => void>()
  #requests = 0
  #readerIds = Number(inboxId)
  #ended: Error | null = null
  #pongs: (() => void)[] = []

  static async open(address: string): Promise<NatsClient> {
    const client = new NatsClient()
    const socket = await PipelinedSocket.open(address, {
      onData: bytes => client.#onData(bytes),
      onEnd: error => client.#onEnd(error),
    })
    client.#socket = socket
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true }
    socket.text(`CONNECT ${JSON.stringify({ ...options, lang: 'node', version: '1' })}${lineEnd}`)
    socket.text(`SUB ${client.#inbox}.* ${inboxId}${lineEnd}`)
    await client.#roundTrip()
    return client
  }

  publish(subject: string, payload: Uint8Array, reply = ''): void {
    this.#send(`PUB ${subject} ${reply}${reply === '' ? '' : ' '}`, payload)
  }

  /** The payload of the answer. @throws Error where the connection is lost */
  request(subject: string, payload: Uint8Array): Promise<Buffer> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const number = this.#requests++
    this.#send(`PUB ${subject} ${this.#inbox}.${number} `, payload)
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
    })
  }

  /** Resolves when the server knows of it; answers the subject's end. */
  async subscribe(subject: string, onMessage: (message: Message) => void): Promise<() => void> {
    const id = String(++this.#readerIds)
    this.#readers.set(id, onMessage)
    this.#socket?.text(`SUB ${subject} ${id}${lineEnd}`)
    await this.#roundTrip()
    return () => {
      this.#readers.delete(id)
      this.#socket?.text(`UNSUB ${id}${lineEnd}`)
    }
  }

  close(): void {
    this.#socket?.close()
    this.#onEnd(new Error('closed'))
  }

  #send(head: string, payload: Uint8Array): void {
    const socket = this.#socket
    socket?.text(`${head}${payload.byteLength}${lineEnd}`)
    socket?.bytes(payload)
    socket?.text(lineEnd)
  }

  #roundTrip(): Promise<void> {
    this.#socket?.text(`PING${lineEnd}`)
    return new Promise(resolve => this.#pongs.push(resolve))
  }

  #onData(bytes: Buffer): number {
    let at = 0
    for (;;) {
      const end = bytes.indexOf(lineEnd, at)
      if (end < 0) return at
      const next = this.#onLine(bytes, at, end)
      if (next < 0) return at
      at = next
    }
  }

  /** Where the next line begins; −1 = the message is not all there. */
  #onLine(bytes: Buffer, start: number, end: number): number {
    const first = bytes[start]
    const hasHeaders = first === 0x48
    if (first === 0x4d || hasHeaders) return this.#onMessage(bytes, start, { end, hasHeaders })
    const line = bytes.toString('latin1', start, end)
    if (line === 'PING') this.#socket?.text(`PONG${lineEnd}`)
    else if (line === 'PONG') this.#pongs.shift()?.()
    else if (line.startsWith('-ERR')) this.#onEnd(new Error(line))
    return end + 2
  }

  /** MSG subject sid [reply] size, or HMSG with the size of the headers before that of all. */
  #onMessage(bytes: Buffer, start: number, line: { end: number; hasHeaders: boolean }): number {
    const words = bytes.toString('latin1', start, line.end).split(' ')
    const size = Number(words.at(-1))
    const from = line.end + 2
    if (from + size + 2 > bytes.length) return -1
    const headerSize = line.hasHeaders ? Number(words.at(-2)) : 0
    const payload = bytes.subarray(from + headerSize, from + size)
    const [, subject = '', id = ''] = words
    if (id === inboxId) this.#onAnswer(subject, payload)
    else {
      const hasReply = words.length === (line.hasHeaders ? 6 : 5)
      const reply = hasReply ? (words[3] ?? '') : ''
      const headers = headerSize === 0 ? '' : bytes.toString('latin1', from, from + headerSize)
      this.#readers.get(id)?.({ subject, reply, payload, headers })
    }
    return from + size + 2
  }

  #onAnswer(subject: string, payload: Buffer): void {
    const number = Number(subject.slice(this.#inbox.length + 1))
    this.#waiting.get(number)?.resolve(payload)
    this.#waiting.delete(number)
  }

  #onEnd(error: Error): void {
    this.#ended ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended)
    this.#waiting.clear()
  }
}

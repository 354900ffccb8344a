/**
 * Hostile socket: a TCP connection to a broker that may say anything, at any speed, and need not
 * listen.
 *
 * Always true: nothing that the broker does throws here; what it says is counted (HTTP status,
 * close code, error codes),
 * nothing kept but the last header; `ended` resolves once the connection is gone.
 * Used by the attacks, in the attacker's process.
 */
import { connect, type Socket } from 'node:net'
import { decodeFrame, encodeFrame } from '../../../protocol/frame.ts'
import { opcodes, rawFrame, upgradeRequest } from '../../protocol/transport/harness.ts'

export interface SocketOptions {
  readonly port: number
  /** A loopback address to come from, for limits per address. */
  readonly from?: string
}

export class HostileSocket {
  readonly socket: Socket
  readonly ended: Promise<void>
  /** Status of the HTTP answer; 0 where there was none. */
  status = 0
  closeCode = 0
  closeReason = ''
  answers = 0
  isConnected = false
  /** Whether hello was answered, and not by an error. */
  isGreeted = false
  lastHeader: Readonly<Record<string, unknown>> = {}
  readonly errors = new Map<string, number>()
  #text = ''
  #unread: Buffer = Buffer.alloc(0)
  #message: Buffer[] = []
  #waiting: (() => void)[] = []
  #lastId = 0

  constructor({ port, from }: SocketOptions) {
    const local = from === undefined ? {} : { localAddress: from }
    this.socket = connect({ host: '127.0.0.1', port, ...local })
    this.socket.setNoDelay(true)
    this.socket.on('data', chunk => this.#onData(chunk))
    this.socket.on('connect', () => {
      this.isConnected = true
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.ended = new Promise(resolve => {
      this.socket.once('close', () => {
        resolve()
        this.#wake()
      })
    })
  }

  get isOpen(): boolean {
    return !this.socket.destroyed
  }

  /** Resolves once `holds`, or the connection is gone. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds() && this.isOpen) await new Promise<void>(wake => this.#waiting.push(wake))
  }

  /** Upgrades to a WebSocket; whether that worked. */
  async upgrade(headers: Record<string, string> = {}): Promise<boolean> {
    this.socket.write(upgradeRequest(headers))
    await this.until(() => this.status !== 0)
    return this.status === 101
  }

  /** A WebSocket that has said hello. */
  async greet(): Promise<boolean> {
    if (!(await this.upgrade())) return false
    this.request('hello', { client: { software: 'hostile 1', id: '' } })
    await this.until(() => this.answers > 0 || this.closeCode > 0)
    this.isGreeted = this.answers > 0 && this.errors.size === 0
    return this.isGreeted && this.isOpen
  }

  /** One binary message in one frame; the bytes of it. */
  static message(...parts: readonly Uint8Array[]): Buffer {
    return rawFrame(opcodes.binary, Buffer.concat(parts))
  }

  static requestBytes(header: object, bodies: readonly Uint8Array[] = []): Buffer {
    return HostileSocket.message(...encodeFrame({ v: 1, ...header }, bodies))
  }

  /** How many were made by `request`. */
  get requests(): number {
    return this.#lastId
  }

  request(api: string, fields: object = {}, bodies: readonly Uint8Array[] = []): number {
    const id = this.#lastId++
    this.socket.write(HostileSocket.requestBytes({ id, api, ...fields }, bodies))
    return id
  }

  /** Writes and waits until the system has taken it, the connection is gone, or `ms` are over. */
  write(bytes: Uint8Array, ms = 1000): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.socket.write(bytes, () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Reset instead of an orderly end: no TIME_WAIT is left on this machine. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  #onData(chunk: Buffer): void {
    if (this.status === 0) this.#onHead(chunk)
    else if (this.status === 101) this.#onFrames(chunk)
    this.#wake()
  }

  #onHead(chunk: Buffer): void {
    this.#text += chunk.toString('latin1')
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return
    this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.#text)?.[1] ?? 0)
    const rest = Buffer.from(this.#text.slice(end + 4), 'latin1')
    if (this.status === 101 && rest.length > 0) this.#onFrames(rest)
  }

  #onFrames(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
    for (;;) {
      const size = this.#oneFrame(this.#unread)
      if (size === 0) return
      this.#unread = this.#unread.subarray(size)
    }
  }

  /** Takes a frame off the begin of `bytes`; its size, 0 where it is not whole. */
  #oneFrame(bytes: Buffer): number {
    if (bytes.length < 2) return 0
    const short = (bytes[1] as number) & 0x7f
    const head = short === 127 ? 10 : short === 126 ? 4 : 2
    if (bytes.length < head) return 0
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short === 126
          ? bytes.readUInt16BE(2)
          : short
    if (bytes.length < head + length) return 0
    this.#onFrame(bytes[0] as number, bytes.subarray(head, head + length))
    return head + length
  }

  #onFrame(first: number, payload: Buffer): void {
    const opcode = first & 0xf
    if (opcode === opcodes.close) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      this.closeReason = payload.subarray(2).toString()
    }
    if (opcode !== opcodes.binary && opcode !== opcodes.continuation) return
    this.#message.push(Buffer.from(payload))
    if ((first & 0x80) === 0) return
    const { header } = decodeFrame(this.#message, 2 ** 30)
    this.#message = []
    this.lastHeader = header
    this.answers++
    const items = [header, ...itemsOf(header['topics']), ...itemsOf(header['partitions'])]
    for (const { error } of items) {
      const code = (error as { code?: string } | undefined)?.code
      if (code !== undefined) this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
    }
  }
}

const itemsOf = (value: unknown): { error?: unknown }[] => (Array.isArray(value) ? value : [])

/**
 * What became of many sockets: `connected × 9, greeted × 6, answers × 8, HTTP 503 × 3,
 * THROTTLED × 7`.
 * The answer to hello is not among the answers.
 */
export class Verdicts {
  readonly counts: Record<string, number> = {}

  add(name: string, count = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + count
  }

  /** Counts what became of a socket. */
  note(socket: HostileSocket): void {
    if (socket.isGreeted) this.add('greeted')
    else if (socket.isConnected) this.add('connected')
    if (socket.status !== 0 && socket.status !== 101) this.add(`HTTP ${socket.status}`)
    if (socket.closeCode !== 0) this.add(`close ${socket.closeCode}`)
    else if (!socket.isOpen) this.add('cut off')
    this.add('answers', socket.answers - (socket.isGreeted ? 1 : 0))
    for (const [code, count] of socket.errors) this.add(code, count)
  }
}

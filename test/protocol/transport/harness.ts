/**
 * Harness: real sockets for the transport's tests: a listener that records, a peer that records,
 * and a raw TCP client that can say anything byte by byte.
 *
 * Always true: everything opened here is closed by the test's teardown; waiting is on events, never
 * on time.
 * Used by the tests beside it.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { realTimers } from '../../../protocol/real-world.ts'
import { webSocketNetwork } from '../../../protocol/transport/websocket.ts'
import type {
  Connection,
  ConnectionEvents,
  DialOptions,
  Listening,
  ListenOptions,
} from '../../../protocol/world.ts'

export interface Closed {
  code: number
  reason: string
  error?: Error
}

/** What one end of a connection saw. */
export class Inbox implements ConnectionEvents {
  readonly connection: Connection
  readonly messages: Buffer[] = []
  readonly partCounts: number[] = []
  texts = 0
  drains = 0
  readonly closes: Closed[] = []
  onEvent: () => void = () => {}

  constructor(connection: Connection) {
    this.connection = connection
  }

  onMessage(parts: Uint8Array[]): void {
    this.messages.push(Buffer.concat(parts))
    this.partCounts.push(parts.length)
    this.onEvent()
  }
  onText(): void {
    this.texts++
    this.onEvent()
  }
  onDrain(): void {
    this.drains++
    this.onEvent()
  }
  onClose(closed: Closed): void {
    this.closes.push(closed)
    this.onEvent()
  }

  /** Resolves once `holds`, checked at every event. */
  until(holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = () => {
        if (!holds()) return
        this.onEvent = () => {}
        resolve()
      }
      this.onEvent = check
      check()
    })
  }

  async closed(): Promise<Closed> {
    await this.until(() => this.closes.length > 0)
    return this.closes[0] as Closed
  }
}

export class TestListener {
  readonly inboxes: Inbox[] = []
  readonly refused: string[] = []
  listening: Listening | null = null
  #onEvent: () => void = () => {}

  get port(): number {
    return this.listening?.port ?? 0
  }
  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  accept(connection: Connection): Inbox {
    const inbox = new Inbox(connection)
    this.inboxes.push(inbox)
    this.#onEvent()
    return inbox
  }

  refuse(reason: string): void {
    this.refused.push(reason)
    this.#onEvent()
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = () => {
        if (holds()) resolve()
      }
      this.#onEvent = check
      check()
    })
  }

  /** The server end of the `index`th connection. */
  async inbox(index = 0): Promise<Inbox> {
    await this.until(() => this.inboxes.length > index)
    return this.inboxes[index] as Inbox
  }
}

export const network = webSocketNetwork(realTimers)

export const listenDefaults = {
  host: '127.0.0.1',
  port: 0,
  subprotocol: 'sluice.v1',
  maxMessageBytes: 32 * 1024 * 1024,
  maxConnections: 100,
  maxConnectionsPerAddress: 100,
  pingIntervalMs: 0,
  allowedOrigins: [],
  allowedHosts: [],
  onHttp: (path: string) => ({ status: 404, contentType: 'text/plain', body: `no ${path}` }),
} satisfies Partial<ListenOptions>

export async function startListener(
  t: Test,
  options: Partial<ListenOptions> = {},
  handshakeTimeoutMs = 10_000,
): Promise<TestListener> {
  const listener = new TestListener()
  const own = webSocketNetwork(realTimers, { handshakeTimeoutMs })
  listener.listening = await own.listen({
    ...listenDefaults,
    onConnection: connection => listener.accept(connection),
    onRefused: reason => listener.refuse(reason),
    ...options,
  })
  t.teardown(() => listener.listening?.close())
  return listener
}

export async function dial(
  t: Test,
  listener: { url: string },
  options: Partial<DialOptions> = {},
): Promise<Inbox> {
  const inboxes: Inbox[] = []
  await network.dial(
    {
      url: listener.url,
      subprotocol: 'sluice.v1',
      maxMessageBytes: 32 * 1024 * 1024,
      timeoutMs: 10_000,
      ...options,
    },
    connection => {
      const inbox = new Inbox(connection)
      inboxes.push(inbox)
      return inbox
    },
  )
  const inbox = inboxes[0] as Inbox
  t.teardown(() => inbox.connection.terminate())
  return inbox
}

/** A dialled connection and the server's end of it. */
export async function openPair(t: Test, options: Partial<ListenOptions> = {}) {
  const listener = await startListener(t, options)
  const near = await dial(t, listener)
  return { listener, near, far: await listener.inbox() }
}

/** A TCP client that says what it is told to. */
export class RawPeer {
  readonly socket: Socket
  text = ''
  isEnded = false
  #onEvent: () => void = () => {}

  constructor(t: Test, port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', chunk => {
      this.text += chunk.toString('latin1')
      this.#onEvent()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.isEnded = true
      this.#onEvent()
    })
    t.teardown(() => this.socket.destroy())
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const check = () => {
        if (holds()) resolve()
      }
      this.#onEvent = check
      check()
    })
  }

  /** Everything the server said until it closed. */
  async answer(): Promise<string> {
    await this.until(() => this.isEnded)
    return this.text
  }

  /** Each byte in a TCP segment of its own, as far as the kernel lets us. */
  async writeByteByByte(bytes: Uint8Array): Promise<void> {
    this.socket.setNoDelay(true)
    for (const byte of bytes) {
      if (!this.socket.write(Uint8Array.of(byte))) await once(this.socket, 'drain')
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  async upgrade(headers: Record<string, string> = {}): Promise<void> {
    this.socket.write(upgradeRequest(headers))
    await this.until(() => this.text.includes('\r\n\r\n') || this.isEnded)
  }
}

export function upgradeRequest(headers: Record<string, string> = {}): string {
  const all: Record<string, string> = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'sluice.v1',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return `GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

/** A client's frame by the letter of RFC 6455 §5.2, masked with a key that is not zero. */
export function rawFrame(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const { length } = payload
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = (isFinal ? 0x80 : 0) | opcode
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] as number))
  return Buffer.concat([head, mask, masked])
}

/** Bytes that repeat only after `length`, different for each seed. */
export function patternBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

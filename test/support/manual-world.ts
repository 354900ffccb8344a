/**
 * Manual world: a clock that stands still until a test moves it, and a network of message pipes in
 * memory. Turns of the event loop are real (setImmediate), so no test waits for time.
 *
 * Always true: messages of one connection arrive in order, each in a turn of its own; timers run in
 * the order of their times, and only inside advance() or run().
 * Used by the SDK's tests together with fake-broker.ts.
 */

import { openCompression } from '../../protocol/compression/compression.ts'
import { SluiceError } from '../../protocol/errors.ts'
import type {
  Compression,
  Connection,
  ConnectionEvents,
  DialOptions,
  Network,
  Random,
  TimerHandle,
  World,
} from '../../protocol/world.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Lets everything that needs no time happen. */
export async function settle(turns = 25): Promise<void> {
  for (let i = 0; i < turns; i++) await turn()
}

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly background: boolean
  run(): void
}

export class ManualWorld implements World {
  readonly network = new PipeNetwork()
  readonly random: Random
  readonly compression: Compression
  nowMs = 1000
  wallOffsetMs = 1_700_000_000_000
  #timers: Timer[] = []
  #order = 0

  private constructor(compression: Compression, seed: number) {
    this.compression = compression
    this.random = seededRandom(seed)
  }

  static async make(seed = 1): Promise<ManualWorld> {
    return new ManualWorld(await openCompression(), seed)
  }

  readonly clock = {
    wallMs: (): number => Math.floor(this.wallOffsetMs + this.nowMs),
    monotonicMs: (): number => this.nowMs,
  }

  readonly timers = {
    after: (delayMs: number, run: () => void, options = { background: false }): TimerHandle => {
      const background = options.background === true
      const atMs = this.nowMs + Math.max(0, delayMs)
      const timer: Timer = { atMs, order: this.#order++, background, run }
      this.#timers.push(timer)
      return {
        cancel: () => {
          this.#timers = this.#timers.filter(other => other !== timer)
        },
      }
    },
    endOfTurn: (run: () => void): void => {
      setImmediate(run)
    },
  }

  get timerCount(): number {
    return this.#timers.length
  }

  /** Timers that would keep a real process alive. */
  get foregroundTimerCount(): number {
    return this.#timers.filter(timer => !timer.background).length
  }

  async advance(ms: number): Promise<void> {
    await settle()
    const endMs = this.nowMs + ms
    for (let next = this.#next(); next !== undefined && next.atMs <= endMs; next = this.#next()) {
      await this.#fire(next)
    }
    this.nowMs = endMs
    await settle()
  }

  /** Moves time from timer to timer until `work` settles, at most `limitMs`. */
  async run<T>(work: Promise<T>, limitMs = 600_000): Promise<T> {
    let done = false
    const mark = (): void => {
      done = true
    }
    work.then(mark, mark)
    const endMs = this.nowMs + limitMs
    for (await settle(); !done; await settle()) {
      const next = this.#next()
      if (next === undefined) throw new Error('nothing is under way that could settle it')
      if (next.atMs > endMs) throw new Error(`not settled within ${limitMs} ms`)
      await this.#fire(next)
    }
    return work
  }

  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>((first, timer) => {
      if (first === undefined || timer.atMs < first.atMs) return timer
      return timer.atMs === first.atMs && timer.order < first.order ? timer : first
    }, undefined)
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers = this.#timers.filter(other => other !== timer)
    this.nowMs = Math.max(this.nowMs, timer.atMs)
    timer.run()
    await settle()
  }
}

/** mulberry32: small, and the same numbers for the same seed. */
function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    fraction,
    bits: bits => Math.floor(fraction() * 2 ** bits),
    bytes: length => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)),
  }
}

/** As a socket gives it: a copy, and a view of the larger buffer that was read into. */
function received(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const slab = new Uint8Array(Math.max(bytes, 65_536))
  let at = 0
  for (const part of parts) {
    slab.set(part, at)
    at += part.length
  }
  return slab.subarray(0, bytes)
}

export type Accept = (connection: PipeEnd) => ConnectionEvents

/** One end of a pipe. */
export class PipeEnd implements Connection {
  readonly peer: string
  readonly bufferedBytes = 0
  readonly receivingBytes = 0
  readonly takenBytes = 0
  other: PipeEnd | undefined
  events: ConnectionEvents | undefined
  maxMessageBytes = Number.POSITIVE_INFINITY
  isOpen = true
  /** Messages sent from here vanish, as on a half-open connection. */
  isBlackHole = false

  constructor(peer: string) {
    this.peer = peer
  }

  send(parts: readonly Uint8Array[], onFlushed?: () => void): void {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const message = received(parts, bytes)
    setImmediate(() => {
      onFlushed?.()
      const { other } = this
      if (!this.isOpen || this.isBlackHole || other === undefined || !other.isOpen) return
      if (bytes > other.maxMessageBytes) other.close(1009, 'message too large')
      else other.events?.onMessage([message])
    })
  }

  pause(): void {
    throw new Error('the SDK never pauses')
  }

  resume(): void {
    throw new Error('the SDK never pauses')
  }

  close(code: number, reason: string): void {
    this.#end(code, reason)
  }

  flush(): void {}

  terminate(): void {
    this.#end(1006, 'terminated')
  }

  /** Both ends see the connection break. */
  cut(): void {
    this.#end(1006, 'cut')
  }

  #end(code: number, reason: string): void {
    if (!this.isOpen) return
    const { other } = this
    this.isOpen = false
    setImmediate(() => this.events?.onClose({ code, reason }))
    if (other === undefined || !other.isOpen) return
    other.isOpen = false
    if (!this.isBlackHole) setImmediate(() => other.events?.onClose({ code, reason }))
  }
}

export class PipeNetwork implements Network {
  readonly #listeners = new Map<string, Accept>()
  dials = 0

  serve(url: string, accept: Accept): void {
    this.#listeners.set(url, accept)
  }

  unserve(url: string): void {
    this.#listeners.delete(url)
  }

  async dial(
    options: DialOptions,
    attach: (connection: Connection) => ConnectionEvents,
  ): Promise<Connection> {
    this.dials++
    await turn()
    const accept = this.#listeners.get(options.url)
    if (accept === undefined) {
      throw new SluiceError('NETWORK_ERROR', `${options.url}: connection refused`)
    }
    const client = new PipeEnd(options.url)
    const server = new PipeEnd('client')
    client.other = server
    server.other = client
    client.maxMessageBytes = options.maxMessageBytes
    client.events = attach(client)
    server.events = accept(server)
    return client
  }

  listen(): never {
    throw new Error('the SDK never listens')
  }
}

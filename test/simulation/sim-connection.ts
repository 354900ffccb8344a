/**
 * SimConnection: one end of a simulated WebSocket, and how both ends are made.
 *
 *   open ── close() ──> closing ── the peer's close frame, or 30 s ──> closed
 *   open ── terminate() or a reset ──> closed
 *
 * Always true: `onClose` is called once and last, unless the process of this end died; a dead
 * process's machine answers what still arrives with a reset, as a kernel does, and a machine
 * without power answers nothing.
 * Called by sim-network.ts.
 */
import type { Connection, ConnectionEvents } from '../../protocol/world.ts'
import type { Generation } from './generation.ts'
import { joined } from './joined.ts'
import type { Scheduler } from './scheduler.ts'
import type { ChannelItem } from './sim-channel.ts'
import { SimChannel } from './sim-channel.ts'
import type { SimLinks } from './sim-links.ts'

const closeTimeoutMs = 30_000
const abnormalClosure = 1006

export interface EndOptions {
  readonly generation: Generation
  readonly machine: string
  /** What this end calls the other one. */
  readonly peer: string
  readonly maxMessageBytes: number
}

interface Shared {
  readonly scheduler: Scheduler
  readonly links: SimLinks
}

/** Two ends, each still without a listener for its events. */
export function connectedPair(
  shared: Shared,
  a: EndOptions,
  b: EndOptions,
): [SimConnection, SimConnection] {
  const first = new SimConnection(shared, a)
  const second = new SimConnection(shared, b)
  first.joinWith(second)
  second.joinWith(first)
  return [first, second]
}

export class SimConnection implements Connection {
  readonly peer: string
  readonly machine: string
  readonly generation: Generation
  readonly #shared: Shared
  readonly #maxMessageBytes: number
  #out: SimChannel | undefined
  #other: SimConnection | undefined
  #events: ConnectionEvents | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #isPaused = false
  #closeTimeout: { cancel(): void } | undefined
  /** Messages that still come in although reading is paused. */
  #afterPause = 0

  constructor(shared: Shared, options: EndOptions) {
    this.#shared = shared
    this.peer = options.peer
    this.machine = options.machine
    this.generation = options.generation
    this.#maxMessageBytes = options.maxMessageBytes
  }

  /** Messages arrive whole here. */
  readonly receivingBytes = 0
  readonly takenBytes = 0

  get bufferedBytes(): number {
    return this.#state === 'closed' ? 0 : (this.#out?.queuedBytes ?? 0)
  }

  get isOpen(): boolean {
    return this.#state !== 'closed' && this.generation.alive
  }

  /**
   * Whether a ping of the other end would be answered: its bytes come through and are read here.
   */
  get answersPings(): boolean {
    return this.isOpen && !this.#isPaused
  }

  joinWith(other: SimConnection): void {
    this.#other = other
    this.#out = new SimChannel({
      ...this.#shared,
      from: this.machine,
      to: other.machine,
      sender: this.generation,
      receiver: other.generation,
      isReading: () => other.#isReading(),
      deliver: item => other.#deliver(item),
      onDrain: () => {
        if (this.isOpen) this.#events?.onDrain()
      },
    })
  }

  /** From here on events are heard. */
  attach(events: ConnectionEvents): void {
    this.#events = events
    this.#resumeOther()
  }

  send(parts: readonly Uint8Array[], onFlushed?: () => void): void {
    if (!this.generation.alive) return
    if (this.#state !== 'open') {
      if (onFlushed !== undefined) this.#soon('network.flushed', onFlushed)
      return
    }
    this.#out?.push({ kind: 'message', bytes: joined(parts), parts: [...parts], onFlushed })
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#afterPause = this.#shared.links.random.below(3)
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#resumeOther()
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open' || !this.generation.alive) return
    this.#state = 'closing'
    this.#out?.push({ kind: 'close', code, reason })
    const giveUp = (): void => this.fail(new Error('the peer does not answer the close'))
    this.#closeTimeout = this.#soon('network.close-timeout', giveUp, closeTimeoutMs)
  }

  /** Every message travels by itself here. */
  flush(): void {}

  terminate(): void {
    if (!this.isOpen) return
    this.drop('the peer dropped the connection')
    this.#soon('network.close', () => this.#fireClose(abnormalClosure, ''))
  }

  /**
   * Ends this end without a word to its own process; the peer sees a reset, if it sees anything.
   */
  drop(reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const { links } = this.#shared
    const inFlight = this.#out?.inFlight ?? 0
    this.#out?.cutShort(links.random.chance(0.5) ? inFlight : links.random.below(inFlight + 1))
    if (!links.isOff(this.machine)) this.#out?.push({ kind: 'reset', error: new Error(reason) })
  }

  /** Ends this end with an error to its own process, as a ping without answer does. */
  fail(error: Error): void {
    if (!this.isOpen) return
    this.drop('the peer gave up')
    this.#fireClose(abnormalClosure, '', error)
  }

  #resumeOther(): void {
    const other = this.#other
    if (other !== undefined) other.#out?.resume()
  }

  #isReading(): boolean {
    // A closed end takes everything: it answers with a reset or drops it.
    if (!this.isOpen) return true
    if (this.#events === undefined) return false
    if (!this.#isPaused) return true
    return this.#afterPause-- > 0
  }

  #deliver(item: ChannelItem): void {
    if (!this.isOpen) {
      if (item.kind === 'message') this.#answerWithReset()
      return
    }
    if (item.kind === 'message') this.#message(item.bytes)
    else if (item.kind === 'reset') this.#reset(item.error)
    else this.#closeFrame(item.code, item.reason)
  }

  #message(bytes: Uint8Array): void {
    if (bytes.length > this.#maxMessageBytes) {
      this.#out?.push({ kind: 'close', code: 1009, reason: 'message too large' })
      this.#closed(1009, 'message too large')
      return
    }
    this.#events?.onMessage(this.#split(bytes))
  }

  /** How a message is cut into parts means nothing, so it is cut at random. */
  #split(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length === 0) return []
    const { random } = this.#shared.links
    if (!random.chance(0.2)) return [bytes]
    const at = random.below(bytes.length)
    return at === 0 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)]
  }

  #reset(error: Error): void {
    this.#state = 'closed'
    this.#out?.cutShort(0)
    this.#fireClose(abnormalClosure, '', error)
  }

  #closeFrame(code: number, reason: string): void {
    // The answer to a close frame is a close frame; what was sent before it still goes first.
    if (this.#state === 'open') this.#out?.push({ kind: 'close', code, reason })
    this.#closed(code, reason)
  }

  #closed(code: number, reason: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#fireClose(code, reason)
  }

  #answerWithReset(): void {
    const other = this.#other
    if (other === undefined || !other.isOpen || this.#shared.links.isOff(this.machine)) return
    this.#out?.push({ kind: 'reset', error: new Error('connection reset by peer') })
  }

  #fireClose(code: number, reason: string, error?: Error): void {
    if (!this.generation.alive) return
    this.#closeTimeout?.cancel()
    const events = this.#events
    this.#events = undefined
    events?.onClose({ code, reason, ...(error !== undefined && { error }) })
  }

  #soon(label: string, run: () => void, delayMs = 0.01): { cancel(): void } {
    return this.#shared.scheduler.after(delayMs, run, { label, generation: this.generation })
  }
}

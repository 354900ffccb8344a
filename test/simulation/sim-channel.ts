/**
 * SimChannel: one direction of one simulated connection.
 *
 *   send ──> queue ── window has room ──> wire (in flight) ── arrival, receiver reads ──> delivered
 *            bufferedBytes                with the kernels; leaves when the receiver took it
 *
 * Always true: items are delivered in the order in which they were sent, each at most once; bytes
 * are copied when they are sent, and a sender that changes them too early fails the run.
 * Called by sim-connection.ts only.
 */
import type { Generation } from './generation.ts'
import { isJoined } from './joined.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimLinks } from './sim-links.ts'

export type ChannelItem =
  | {
      readonly kind: 'message'
      readonly bytes: Uint8Array
      readonly parts: readonly Uint8Array[]
      readonly onFlushed: (() => void) | undefined
    }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'reset'; readonly error: Error }

export interface ChannelOptions {
  readonly scheduler: Scheduler
  readonly links: SimLinks
  readonly from: string
  readonly to: string
  readonly sender: Generation
  readonly receiver: Generation
  /** Whether the receiver would take an item now. */
  isReading(): boolean
  deliver(item: ChannelItem): void
  /** The sender's buffer fell to zero. */
  onDrain(): void
}

interface InFlight {
  readonly item: ChannelItem
  readonly arrivesMs: number
}

export class SimChannel {
  readonly #options: ChannelOptions
  #queue: ChannelItem[] = []
  #queuedBytes = 0
  #wire: InFlight[] = []
  /** Sent and not yet acknowledged by the peer's kernel. */
  #windowUsed = 0
  #unacknowledged = 0
  #lastArrivalMs = 0
  #isArrivalPlanned = false

  constructor(options: ChannelOptions) {
    this.#options = options
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  push(item: ChannelItem): void {
    const { links, scheduler, sender } = this.#options
    this.#queue.push(item)
    this.#queuedBytes += sizeOf(item)
    // Now and then the kernel takes nothing for a moment, so that every sender meets a filled
    // buffer.
    if (!links.random.chance(0.1)) this.#pump(false)
    else {
      const generation = item.kind === 'message' ? sender : undefined
      scheduler.after(0.02, () => this.#pump(true), { label: 'network.send', generation })
    }
  }

  /** The receiver reads again, or is there at last. */
  resume(): void {
    this.#planArrival()
  }

  /**
   * What the process of the sender still held is gone; `keep` of the messages on the wire arrive.
   */
  cutShort(keep: number): void {
    this.#flushAll()
    this.#wire = this.#wire.slice(0, keep)
  }

  /** Messages on the wire. */
  get inFlight(): number {
    return this.#wire.length
  }

  #flushAll(): void {
    const dropped = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    for (const item of dropped) this.#flushed(item)
  }

  /** Hands to the kernel what the window allows. */
  #pump(isLater: boolean): void {
    const { links, from, to, scheduler } = this.#options
    const { windowBytes } = links.profile(from, to)
    const before = this.#queuedBytes
    let count = 0
    for (const item of this.#queue) {
      const bytes = sizeOf(item)
      if (this.#windowUsed > 0 && this.#windowUsed + bytes > windowBytes) break
      count++
      this.#windowUsed += bytes
      this.#queuedBytes -= bytes
      const arrivesMs = scheduler.nowMs + links.drawDelay(from, to, bytes)
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivesMs)
      this.#wire.push({ item, arrivesMs: this.#lastArrivalMs })
      this.#flushed(item)
    }
    if (count === 0) return
    this.#queue.splice(0, count)
    this.#planArrival()
    if (isLater && before > 0 && this.#queuedBytes === 0) this.#options.onDrain()
  }

  #flushed(item: ChannelItem): void {
    if (item.kind !== 'message' || item.onFlushed === undefined) return
    const { scheduler, sender: generation } = this.#options
    const { onFlushed } = item
    const flush = (): void => {
      this.#requireUnchanged(item)
      onFlushed()
    }
    scheduler.after(0.01, flush, { label: 'network.flushed', generation, inOrder: true })
  }

  #planArrival(): void {
    const [first] = this.#wire
    if (first === undefined || this.#isArrivalPlanned) return
    this.#isArrivalPlanned = true
    // Not the receiver's event: a machine answers for its dead processes.
    const arrive = (): void => {
      this.#isArrivalPlanned = false
      this.#arrive()
    }
    this.#options.scheduler.at(first.arrivesMs, arrive, { label: 'network.arrival' })
  }

  #arrive(): void {
    const { links, from, to, scheduler } = this.#options
    const [first] = this.#wire
    if (first === undefined) return
    if (!links.reaches(from, to)) {
      links.whenChanged(() => this.#planArrival())
      return
    }
    if (!this.#options.isReading()) return
    this.#wire.shift()
    const { item } = first
    const bytes = sizeOf(item)
    scheduler.digest.mix(bytes)
    if (item.kind === 'message' && item.onFlushed === undefined) this.#requireUnchanged(item)
    this.#acknowledge(bytes)
    this.#planArrival()
    this.#options.deliver(item)
  }

  /** The window opens again when the way back is open too. */
  #acknowledge(bytes: number): void {
    const { links, from, to } = this.#options
    this.#unacknowledged += bytes
    if (!links.reaches(to, from)) {
      links.whenChanged(() => this.#acknowledge(0))
      return
    }
    this.#windowUsed -= this.#unacknowledged
    this.#unacknowledged = 0
    this.#pump(true)
  }

  #requireUnchanged(item: ChannelItem): void {
    if (item.kind !== 'message' || !this.#options.sender.alive) return
    if (isJoined(item.bytes, item.parts)) return
    const { scheduler, from, to } = this.#options
    scheduler.fail(new Error(`${from} changed a message to ${to} before it was flushed`))
  }
}

function sizeOf(item: ChannelItem): number {
  return item.kind === 'message' ? item.bytes.length : 0
}

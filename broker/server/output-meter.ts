/**
 * Output meter: what one connection was sent and has not taken yet.
 *
 * A body below 64 KiB was copied out of its slab and costs its length; a larger one pins its whole
 * slab and is charged as such (S16) when it is decided whether more may be read for this peer.
 *
 * Always true: above a quarter of the limit nothing more is read for the peer or from it, and what
 * is being read for it counts already; one answer always fits, however large, when nothing else is
 * waiting; requests that wait for the peer to take its answers are its own burden, not that of who
 * still sends. One per session.
 * Called by session.ts.
 */
import type { SendBudget } from './send-budget.ts'

const copyBelowBytes = 64 * 1024

/** A request whose answer waits until the peer has taken others. */
export interface Waiting {
  /** Most that its answer will hold. */
  readonly bytes: number
  /** What the request itself holds while it waits. */
  readonly requestBytes: number
  /** It waits from now on. */
  park(): void
  /** It may go on, with an answer of at most `grantedBytes`. */
  run(grantedBytes: number): void
}

interface Queued {
  readonly one: Waiting
  isParked: boolean
  hasRun: boolean
}

export class OutputMeter {
  readonly #maxBytes: number
  readonly #budget: SendBudget
  readonly #onPause: (paused: boolean) => void
  #unsentBytes = 0
  #pinnedBytes = 0
  #reservedBytes = 0
  #parkedBytes = 0
  #paused = false
  #waiting: Queued[] = []

  constructor(maxBytes: number, budget: SendBudget, onPause: (paused: boolean) => void) {
    this.#maxBytes = maxBytes
    this.#budget = budget
    this.#onPause = onPause
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** All that would be free if the peer were gone. */
  get heldBytes(): number {
    return this.#pinnedBytes + this.#parkedBytes
  }

  /**
   * Charges an answer. The result is to be called when it was taken; null = the peer is over its
   * limit.
   */
  admit(parts: readonly Uint8Array[]): (() => void) | null {
    let bytes = 0
    let pinned = 0
    for (const part of parts) {
      bytes += part.byteLength
      pinned += part.byteLength < copyBelowBytes ? part.byteLength : part.buffer.byteLength
    }
    if (this.#unsentBytes > 0 && this.#unsentBytes + bytes > this.#maxBytes) return null
    this.#chargeAll(parts)
    this.#unsentBytes += bytes
    this.#pinnedBytes += pinned
    this.#update()
    return () => {
      this.#releaseAll(parts)
      this.#unsentBytes -= bytes
      this.#pinnedBytes -= pinned
      this.#update()
    }
  }

  /** `waiting` runs, now or later, with room set aside for its answer; `release` that afterwards. */
  reserve(one: Waiting): void {
    const queued = { one, isParked: false, hasRun: false }
    this.#waiting.push(queued)
    this.#runWaiting()
    if (queued.hasRun) return
    queued.isParked = true
    this.#park(one.requestBytes)
    one.park()
  }

  release(bytes: number): void {
    this.#reservedBytes -= bytes
    this.#budget.release(bytes)
    this.#runWaiting()
  }

  /** The connection is gone: what waited for it runs and finds that out. */
  close(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const queued of waiting) this.#grant(queued, 0)
  }

  #chargeAll(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.byteLength < copyBelowBytes) this.#budget.charge(part.byteLength)
      else this.#budget.pin(part.buffer)
    }
  }

  #releaseAll(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.byteLength < copyBelowBytes) this.#budget.release(part.byteLength)
      else this.#budget.unpin(part.buffer)
    }
  }

  #park(bytes: number): void {
    this.#parkedBytes += bytes
    this.#budget.charge(bytes)
  }

  #grant(queued: Queued, bytes: number): void {
    const { one, isParked } = queued
    queued.hasRun = true
    if (isParked) this.#park(-one.requestBytes)
    this.#reservedBytes += bytes
    this.#budget.charge(bytes)
    one.run(bytes)
  }

  #update(): void {
    const paused = this.#pinnedBytes > this.#maxBytes / 4
    if (paused !== this.#paused) {
      this.#paused = paused
      this.#onPause(paused)
    }
    this.#runWaiting()
  }

  /**
   * One answer is always allowed, however large, when nothing else is on its way; where the broker
   * is short of room no more than that.
   */
  #runWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const held = this.#pinnedBytes + this.#reservedBytes
      const wanted = next.one.bytes
      const bytes = Math.min(wanted, this.#budget.grantBytes)
      if (held > 0 && (held + bytes > this.#maxBytes / 4 || bytes < wanted)) return
      this.#waiting.shift()
      this.#grant(next, bytes)
    }
  }
}

/** Copies a small view, so that it does not hold the large buffer that it lies in (S16). */
export function ownBytes(body: Uint8Array): Uint8Array {
  const isSmallView = body.byteLength < copyBelowBytes && body.buffer.byteLength > body.byteLength
  return isSmallView ? Uint8Array.prototype.slice.call(body) : body
}

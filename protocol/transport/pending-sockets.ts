/**
 * Pending sockets: those that have not become WebSockets: handshakes under way, health checks,
 * metrics, and whoever only takes up room.
 *
 * Always true: above the limit a newcomer costs the one that has been there longest its place, but
 * never one that came within the last second: a thousand clients that come back at once are no
 * attack. So the limit holds for those that are older than that, up to two seconds.
 * Used by http-door.ts; one per listener.
 */
import type { TimerHandle, Timers } from '../world.ts'

export interface PendingSocket {
  once(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

const youthMs = 1000

export class PendingSockets<S extends PendingSocket> {
  readonly #max: number
  readonly #timers: Timers
  readonly #onDropped: (socket: S) => void
  /** Came since the last tick, and in the second before it. */
  #young = new Set<S>()
  #grown = new Set<S>()
  readonly #old = new Set<S>()
  #timer: TimerHandle | null = null

  constructor(max: number, timers: Timers, onDropped: (socket: S) => void) {
    this.#max = max
    this.#timers = timers
    this.#onDropped = onDropped
  }

  get size(): number {
    return this.#young.size + this.#grown.size + this.#old.size
  }

  add(socket: S): void {
    this.#young.add(socket)
    socket.once('close', () => this.remove(socket))
    this.#timer ??= this.#timers.after(youthMs, () => this.#age(), { background: true })
    if (this.size <= this.#max) return
    const [oldest] = this.#old
    if (oldest === undefined) return
    this.remove(oldest)
    this.#onDropped(oldest)
    oldest.destroy()
  }

  remove(socket: S): void {
    this.#young.delete(socket)
    this.#grown.delete(socket)
    this.#old.delete(socket)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #age(): void {
    for (const socket of this.#grown) this.#old.add(socket)
    this.#grown = this.#young
    this.#young = new Set()
    const isIdle = this.size === 0
    this.#timer = isIdle
      ? null
      : this.#timers.after(youthMs, () => this.#age(), { background: true })
  }
}

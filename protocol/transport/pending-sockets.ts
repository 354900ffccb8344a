/**
 * Pending sockets: those that have not become WebSockets: handshakes under way, health checks,
 * metrics, and whoever only takes up room.
 *
 * Always true: above the limit a newcomer costs the one that has been there longest its place, but
 * never one that came within the last second: a thousand clients that come back at once are no
 * attack.
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
  readonly #young = new Set<S>()
  readonly #old = new Set<S>()
  #timer: TimerHandle | null = null

  constructor(max: number, timers: Timers, onDropped: (socket: S) => void) {
    this.#max = max
    this.#timers = timers
    this.#onDropped = onDropped
  }

  get size(): number {
    return this.#young.size + this.#old.size
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
    this.#old.delete(socket)
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #age(): void {
    for (const socket of this.#young) this.#old.add(socket)
    this.#young.clear()
    const isIdle = this.#old.size === 0
    this.#timer = isIdle
      ? null
      : this.#timers.after(youthMs, () => this.#age(), { background: true })
  }
}

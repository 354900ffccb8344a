/**
 * Deadlines: many waits, few timers. A deadline is kept in a slot with others that end at about the
 * same time; one timer per slot.
 *
 * Always true: nothing runs before its time, and at most an eighth of its delay (but 1 s at most)
 * after it; what was cancelled never runs; a slot's timer stays until its time, so that cancelling
 * costs nothing.
 * Used by the produce handler (timeoutMs), fetch-waiter.ts (maxWaitMs), session.ts (hello) and
 * held-watch.ts (its looks).
 */
import type { TimerHandle } from '../../protocol/world.ts'
import type { BrokerWorld } from '../world/world.ts'

export class Deadlines {
  readonly #world: Pick<BrokerWorld, 'clock' | 'timers'>
  readonly #slots = new Map<number, Set<Deadline>>()
  readonly #timers = new Map<number, TimerHandle>()
  #closed = false

  constructor(world: Pick<BrokerWorld, 'clock' | 'timers'>) {
    this.#world = world
  }

  after(delayMs: number, run: () => void): TimerHandle {
    const now = this.#world.clock.monotonicMs()
    const grain = grainOf(delayMs)
    const end = Math.ceil((now + delayMs) / grain) * grain
    let slot = this.#slots.get(end)
    if (slot === undefined) {
      slot = new Set()
      this.#slots.set(end, slot)
      this.#arm(end, end - now)
    }
    const deadline = new Deadline(slot, run)
    slot.add(deadline)
    return deadline
  }

  /** Nothing that still waits will run, nor what comes later. */
  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
    this.#slots.clear()
  }

  #arm(end: number, delayMs: number): void {
    if (this.#closed) return
    const timer = this.#world.timers.after(delayMs, () => this.#expire(end), { background: true })
    this.#timers.set(end, timer)
  }

  #expire(end: number): void {
    this.#timers.delete(end)
    const slot = this.#slots.get(end)
    this.#slots.delete(end)
    for (const deadline of slot ?? []) deadline.run()
  }
}

class Deadline implements TimerHandle {
  readonly #slot: Set<Deadline>
  readonly run: () => void

  constructor(slot: Set<Deadline>, run: () => void) {
    this.#slot = slot
    this.run = run
  }

  cancel(): void {
    this.#slot.delete(this)
  }
}

/** A power of two not above an eighth of the delay: 1 ms for short waits, 1 s for long ones. */
function grainOf(delayMs: number): number {
  let grain = 1
  while (grain < 1024 && grain * 16 <= delayMs) grain *= 2
  return grain
}

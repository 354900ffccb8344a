/**
 * EventHeap: the events to come, a binary heap.
 *
 * Always true: `pop` gives the event of the smallest (time, tie, order); `order` is unique, so the
 * sequence of events depends on nothing but what was pushed.
 * Called by scheduler.ts only.
 */
import type { Generation } from './generation.ts'

export interface SimEvent {
  readonly time: number
  readonly tie: number
  readonly order: number
  readonly label: string
  /** The process it belongs to; none for what happens outside of every process. */
  readonly generation: Generation | undefined
  /** Undefined once cancelled. */
  run: (() => void) | undefined
}

export class EventHeap {
  readonly #events: SimEvent[] = []

  get size(): number {
    return this.#events.length
  }

  push(event: SimEvent): void {
    const events = this.#events
    let at = events.length
    events.push(event)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = events[above]
      if (parent === undefined || !isBefore(event, parent)) break
      events[at] = parent
      at = above
    }
    events[at] = event
  }

  pop(): SimEvent | undefined {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined || events.length === 0) return first
    this.#sink(last)
    return first
  }

  /** For error messages; in no order. */
  all(): readonly SimEvent[] {
    return this.#events
  }

  #sink(event: SimEvent): void {
    const events = this.#events
    const size = events.length
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const leftEvent = events[left]
      if (leftEvent === undefined) break
      const rightEvent = left + 1 < size ? events[left + 1] : undefined
      const useRight = rightEvent !== undefined && isBefore(rightEvent, leftEvent)
      const child = useRight ? rightEvent : leftEvent
      if (!isBefore(child, event)) break
      events[at] = child
      at = useRight ? left + 1 : left
    }
    events[at] = event
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  if (a.time !== b.time) return a.time < b.time
  if (a.tie !== b.tie) return a.tie < b.tie
  return a.order < b.order
}

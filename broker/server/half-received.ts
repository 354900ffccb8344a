/**
 * Half received: messages that have begun to arrive and are not whole yet, over all connections
 * (S16). Nobody can be asked to wait with them, for what is paused never becomes whole; so above
 * the limit connections are dropped until half of it is free again.
 *
 * Always true: who made no progress since the last look goes first, then who holds most; a
 * connection that the broker itself has paused is not blamed for standing still.
 * Made by sessions.ts.
 */
import type { TimerHandle } from '../../protocol/world.ts'
import type { Deadlines } from './deadlines.ts'

export interface Receiver {
  /** Bytes of the message that is arriving. */
  readonly receivingBytes: number
  /** The broker does not read from it at the moment. */
  readonly isPaused: boolean
  drop(reason: string): void
}

/** What arrives between two looks is the most by which the limit is passed. */
const lookIntervalMs = 250

interface Sighting {
  readonly receiver: Receiver
  readonly bytes: number
  readonly isStalled: boolean
}

export class HalfReceived {
  readonly #maxBytes: number
  readonly #deadlines: Deadlines
  /** Bytes at the last look. */
  readonly #seen = new Map<Receiver, number>()
  #timer: TimerHandle | null = null

  constructor(maxBytes: number, deadlines: Deadlines) {
    this.#maxBytes = maxBytes
    this.#deadlines = deadlines
  }

  join(receiver: Receiver): void {
    this.#seen.set(receiver, 0)
    this.#timer ??= this.#deadlines.after(lookIntervalMs, () => this.#look())
  }

  leave(receiver: Receiver): void {
    this.#seen.delete(receiver)
  }

  #look(): void {
    const sightings: Sighting[] = []
    for (const [receiver, before] of this.#seen) {
      const bytes = receiver.receivingBytes
      const isStalled = bytes > 0 && bytes === before && !receiver.isPaused
      sightings.push({ receiver, bytes, isStalled })
      this.#seen.set(receiver, bytes)
    }
    for (const { receiver } of toDrop(sightings, this.#maxBytes)) {
      receiver.drop('too many half-received messages: over max.receive.bytes')
    }
    const isIdle = this.#seen.size === 0
    this.#timer = isIdle ? null : this.#deadlines.after(lookIntervalMs, () => this.#look())
  }
}

/** Nobody within the limit; above it as many as it takes to come down to half of it. */
function toDrop(sightings: readonly Sighting[], maxBytes: number): Sighting[] {
  let total = sightings.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total <= maxBytes) return []
  const worstFirst = [...sightings].sort(
    (a, b) => Number(b.isStalled) - Number(a.isStalled) || b.bytes - a.bytes,
  )
  const dropped: Sighting[] = []
  for (const sighting of worstFirst) {
    if (total <= maxBytes / 2) break
    total -= sighting.bytes
    dropped.push(sighting)
  }
  return dropped
}

/**
 * Bounded read: keeps track of which partitions still have records before their stop.
 *
 * Always true: `done` becomes true once every partition's position reached its stop, also where the
 * last offsets hold no visible record (transaction markers).
 * Used by consume and bench consume.
 */
import type { PlannedPartition } from './consume-plan.ts'

export class BoundedRead {
  readonly #stops = new Map<string, number>()
  readonly #open = new Set<string>()

  constructor(partitions: readonly PlannedPartition[]) {
    for (const { topic, partition, from, to } of partitions) {
      const id = `${topic}/${partition}`
      this.#stops.set(id, to ?? Number.POSITIVE_INFINITY)
      if (to === null || from < to) this.#open.add(id)
    }
  }

  get done(): boolean {
    return this.#open.size === 0
  }

  /** Offset before which to stop. */
  stopOf(topic: string, partition: number): number {
    return this.#stops.get(`${topic}/${partition}`) ?? Number.POSITIVE_INFINITY
  }

  /** The next offset to come from the partition is `position`. */
  reached(topic: string, partition: number, position: number): void {
    if (position >= this.stopOf(topic, partition)) this.#open.delete(`${topic}/${partition}`)
  }
}

/**
 * Permits: at most n of something at once, first come first served: fsyncs under way per data
 * directory, so that the thread pool keeps room for reads, and lookups by time.
 *
 * Always true: a permit is given back exactly once, whatever the work does.
 * Called by timed-sync.ts and handlers/list-offsets.ts.
 */
export class Permits {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

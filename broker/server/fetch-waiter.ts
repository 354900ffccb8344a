/**
 * Fetch waiter: a fetch that waits for its partitions to have something to say. The purgatory holds
 * all of them.
 *
 *   progress of a partition → count its bytes again → enough, or an error to tell? → ready
 *
 * Always true: `ready` runs exactly once, unless the connection closes first; a waiter costs one
 * subscription per partition and a place in a shared deadline, no timer of its own.
 * Made by handlers/fetch.ts.
 */
import type { TimerHandle } from '../../protocol/world.ts'
import type { Deadlines } from './deadlines.ts'

/** One partition of a waiting fetch. */
export interface Awaited {
  /** Bytes that can be answered now; null = there is an error, or news, to tell at once. */
  readableBytes(): number | null
  onProgress(callback: () => void): () => void
}

export interface WaitOptions {
  readonly minBytes: number
  readonly maxWaitMs: number
  ready(): void
}

export class FetchPurgatory {
  readonly #deadlines: Deadlines
  readonly #waiting = new Set<FetchWaiter>()
  #mayWait = true

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines
  }

  get size(): number {
    return this.#waiting.size
  }

  /**
   * Calls `ready` as soon as there is enough, or the time is over; at once where that is so now.
   */
  wait(partitions: readonly Awaited[], options: WaitOptions): FetchWaiter | null {
    const waiter = new FetchWaiter(partitions, options, () => this.#waiting.delete(waiter))
    if (!this.#mayWait || options.maxWaitMs === 0 || waiter.isSatisfied) {
      options.ready()
      return null
    }
    this.#waiting.add(waiter)
    waiter.park(this.#deadlines)
    return waiter
  }

  /**
   * With false everybody is answered with what there is, and nobody waits until it is true again.
   */
  mayWait(allowed: boolean): void {
    this.#mayWait = allowed
    if (allowed) return
    for (const waiter of [...this.#waiting]) waiter.release()
  }
}

export class FetchWaiter {
  readonly #partitions: readonly Awaited[]
  readonly #options: WaitOptions
  readonly #onOver: () => void
  readonly #readable: number[]
  readonly #unsubscribe: (() => void)[] = []
  #total = 0
  #hasNews = false
  #deadline: TimerHandle | null = null
  #over = false

  constructor(partitions: readonly Awaited[], options: WaitOptions, onOver: () => void) {
    this.#partitions = partitions
    this.#options = options
    this.#onOver = onOver
    this.#readable = new Array<number>(partitions.length).fill(0)
    for (let index = 0; index < partitions.length && !this.isSatisfied; index++) this.#count(index)
  }

  get isSatisfied(): boolean {
    return this.#hasNews || this.#total >= this.#options.minBytes
  }

  park(deadlines: Deadlines): void {
    this.#partitions.forEach((partition, index) => {
      this.#unsubscribe.push(
        partition.onProgress(() => {
          this.#count(index)
          if (this.isSatisfied) this.release()
        }),
      )
    })
    this.#deadline = deadlines.after(this.#options.maxWaitMs, () => this.release())
  }

  /** Ends the wait with an answer. */
  release(): void {
    if (this.#over) return
    this.cancel()
    this.#options.ready()
  }

  /** Ends the wait without an answer. */
  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#deadline?.cancel()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#onOver()
  }

  #count(index: number): void {
    if (this.#over) return
    const bytes = this.#partitions[index]?.readableBytes() ?? null
    if (bytes === null) this.#hasNews = true
    else {
      this.#total += bytes - (this.#readable[index] ?? 0)
      this.#readable[index] = bytes
    }
  }
}

/**
 * Commit waiters: who waits until an offset is committed, in the order of their offsets.
 *
 * Always true: each is called exactly once, after the call that added it has returned.
 * Called by log.ts.
 */
import type { SluiceError } from '../../protocol/errors.ts'

type Done = (error: SluiceError | null) => void

interface Waiter {
  readonly lastOffset: number
  readonly done: Done
}

export class CommitWaiters {
  #waiting: Waiter[] = []
  #head = 0
  #highest = -1
  /** Parked duplicates, whose offsets lie below those of waiters before them. */
  #stray: Waiter[] = []

  add(lastOffset: number, done: Done): void {
    const waiter = { lastOffset, done }
    if (lastOffset < this.#highest) this.#stray.push(waiter)
    else this.#waiting.push(waiter)
    this.#highest = Math.max(this.#highest, lastOffset)
  }

  /** Everything below `endOffset` is committed. */
  commit(endOffset: number): void {
    for (;;) {
      const waiter = this.#waiting[this.#head]
      if (waiter === undefined || waiter.lastOffset >= endOffset) break
      this.#head++
      waiter.done(null)
    }
    if (this.#head === this.#waiting.length) this.#clear()
    else if (this.#head > 1024 && this.#head > this.#waiting.length / 2) {
      // Under steady load there is always somebody waiting; those who were answered must go all the
      // same.
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    if (this.#stray.length > 0) {
      const ready = this.#stray.filter(waiter => waiter.lastOffset < endOffset)
      this.#stray = this.#stray.filter(waiter => waiter.lastOffset >= endOffset)
      for (const waiter of ready) waiter.done(null)
    }
  }

  #clear(): void {
    this.#waiting = []
    this.#head = 0
    this.#highest = -1
    for (const waiter of this.#stray) this.#highest = Math.max(this.#highest, waiter.lastOffset)
  }

  /** Nobody's record will be committed any more. */
  fail(error: SluiceError): void {
    const all = [...this.#waiting.slice(this.#head), ...this.#stray]
    this.#stray = []
    this.#clear()
    for (const waiter of all) waiter.done(error)
  }
}

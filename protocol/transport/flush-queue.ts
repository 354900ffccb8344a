/**
 * Flush queue: what is to be called when messages have been written, oldest first.
 *
 * Always true: each is given out once, in the order of `push`, and not held on to after that.
 * Used by websocket-connection.ts.
 */
type Flushed = (() => void) | undefined

export class FlushQueue {
  readonly #waiting: Flushed[] = []
  #first = 0

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  push(onFlushed: Flushed): void {
    this.#waiting.push(onFlushed)
  }

  take(): Flushed {
    const onFlushed = this.#waiting[this.#first]
    this.#waiting[this.#first++] = undefined
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0
      this.#first = 0
    } else if (this.#first === 1024) {
      this.#waiting.splice(0, 1024)
      this.#first = 0
    }
    return onFlushed
  }
}

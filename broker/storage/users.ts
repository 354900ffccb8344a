/**
 * Users: counts who is at work on something that must not go away under them: a file, a directory.
 *
 * Always true: `none` resolves only at a moment when nobody is at work.
 * Called by segment.ts (reads and writes of a file) and log-maintenance.ts (work in a directory).
 */
export class Users {
  #count = 0
  #waiting: (() => void)[] = []

  get count(): number {
    return this.#count
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#count++
    try {
      return await work()
    } finally {
      this.#count--
      if (this.#count === 0) this.#wake()
    }
  }

  /** Resolves when nobody is at work; whoever begins later is waited for too. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}

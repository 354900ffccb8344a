/**
 * Flush barrier: one flush() call, counting what was given before it and has not settled.
 *
 * Always true: `done` resolves once everything added has passed, whether it was acked or rejected.
 * Called by producer.ts (makes it), pending-batch.ts and topic-producer.ts (pass it).
 */
export class FlushBarrier {
  readonly done: Promise<void>
  #open = 1
  #resolve: () => void = () => undefined

  constructor() {
    this.done = new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  add(): void {
    this.#open++
  }

  pass(): void {
    this.#open--
    if (this.#open === 0) this.#resolve()
  }
}

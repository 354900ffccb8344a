/**
 * Generation: one life of one simulated process, from its start to its crash.
 *
 * Always true: after `end` nothing that belongs to it is delivered any more: no timer, no message,
 * no disk answer; its promises stay pending for ever, as the promises of a killed process do.
 * Made by sim-world.ts; held by everything that acts on behalf of a process.
 */
export class Generation {
  readonly name: string
  readonly number: number
  #alive = true

  constructor(name: string, number: number) {
    this.name = name
    this.number = number
  }

  get alive(): boolean {
    return this.#alive
  }

  end(): void {
    this.#alive = false
  }
}

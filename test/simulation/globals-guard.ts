/**
 * Globals guard: while a simulation runs, the clocks, timers and dice of the real world throw, so that code
 * which does not use its injected world fails in the first run that reaches it.
 *
 * Always true: a leak is reported to `onLeak` even where the code swallows the exception; everything is put
 * back by `restore`, and the guard is in place only while the scheduler is running events.
 * Called by scheduler.ts only.
 */
type Holder = Record<string, unknown>

interface Replaced {
  readonly holder: Holder
  readonly name: string
  /** Undefined where the name was inherited. */
  readonly descriptor: PropertyDescriptor | undefined
}

export class GlobalsGuard {
  readonly #onLeak: (error: Error) => void
  #replaced: Replaced[] = []

  constructor(onLeak: (error: Error) => void) {
    this.#onLeak = onLeak
  }

  install(): void {
    const world = globalThis as unknown as Holder
    this.#replace(world, 'Date', this.#guardedDate())
    const timers = ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'WebSocket']
    for (const name of timers) this.#forbid(world, name)
    this.#forbid(Math as unknown as Holder, 'random')
    this.#forbid(performance as unknown as Holder, 'now')
    this.#forbid(process as unknown as Holder, 'hrtime')
    this.#forbid(crypto as unknown as Holder, 'getRandomValues')
    this.#forbid(crypto as unknown as Holder, 'randomUUID')
    this.#forbid(AbortSignal as unknown as Holder, 'timeout')
  }

  restore(): void {
    for (const { holder, name, descriptor } of this.#replaced.reverse()) {
      if (descriptor === undefined) Reflect.deleteProperty(holder, name)
      else Object.defineProperty(holder, name, descriptor)
    }
    this.#replaced = []
  }

  #forbid(holder: Holder, name: string): void {
    if (holder[name] === undefined) return
    const leak = (): never => this.#leak(name)
    this.#replace(
      holder,
      name,
      Object.assign(() => leak(), { bigint: leak }),
    )
  }

  #replace(holder: Holder, name: string, value: unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name)
    this.#replaced.push({ holder, name, descriptor })
    Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  }

  /** `new Date(number)` is pure and stays. */
  #guardedDate(): unknown {
    const leak = (name: string): never => this.#leak(name)
    return new Proxy(Date, {
      apply: () => leak('Date'),
      construct: (target, given, newTarget) =>
        given.length === 0 ? leak('new Date()') : Reflect.construct(target, given, newTarget),
      get: (target, name) => (name === 'now' ? () => leak('Date.now') : Reflect.get(target, name)),
    })
  }

  #leak(name: string): never {
    const error = new Error(`${name} was used inside a simulation: use the injected world`)
    this.#onLeak(error)
    throw error
  }
}

/**
 * Globals guard: while a simulation runs, the clocks, timers and dice of the real world throw, so
 * that code which does not use its injected world fails in the first run that reaches it.
 *
 * Always true: a leak is reported to `onLeak` even where the code swallows the exception; the test
 * runner, which has to time and print its assertions, may pass; everything is put back by
 * `restore`, and the guard is in place only while the scheduler is running events.
 * Called by scheduler.ts only.
 */
type Holder = Record<string, unknown>
type Real = (...given: unknown[]) => unknown

const RealDate = Date
const testRunner = /node_modules\/(@tapjs|tap|tcompare)\//

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
    const real = holder[name]
    if (typeof real !== 'function') return
    const { bigint } = real as { bigint?: Real }
    const guarded = this.#guarded(name, real.bind(holder))
    this.#replace(
      holder,
      name,
      bigint === undefined
        ? guarded
        : Object.assign(guarded, { bigint: this.#guarded(name, bigint) }),
    )
  }

  #replace(holder: Holder, name: string, value: unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(holder, name)
    this.#replaced.push({ holder, name, descriptor })
    Object.defineProperty(holder, name, { value, configurable: true, writable: true })
  }

  /** `new Date(number)` is pure and stays. */
  #guardedDate(): unknown {
    const now = this.#guarded('Date.now', () => RealDate.now())
    const asText = this.#guarded('Date', () => RealDate())
    const current = this.#guarded('new Date()', () => new RealDate())
    return new Proxy(RealDate, {
      apply: () => asText(),
      construct: (target, given, newTarget) => {
        if (given.length === 0) return current() as Date
        return Reflect.construct(target, given, newTarget)
      },
      get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
    })
  }

  #guarded(name: string, real: Real): Real {
    return (...given) => {
      const error = leakError(name)
      if (testRunner.test(error.stack ?? '')) return real(...given)
      this.#onLeak(error)
      throw error
    }
  }
}

/** With a stack that is long enough to find the test runner in. */
function leakError(name: string): Error {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 50
  const error = new Error(`${name} was used inside a simulation: use the injected world`)
  Error.stackTraceLimit = stackTraceLimit
  return error
}

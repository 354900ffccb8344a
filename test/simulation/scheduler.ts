/**
 * Scheduler: the one queue of everything that will happen in a simulated world, and its virtual
 * time.
 *
 *   pop the earliest event ──> run it ──> run all promise reactions ──> next
 *
 * Always true: nothing but an event or a reaction to one runs; of events at the same time the order
 * is drawn from the seed; the digest covers each event, so two runs of one seed end with the same
 * digest.
 * Called by sim-world.ts and the simulated clock, timers, disks and network; scenarios use `sleep`.
 */
import { Digest } from './digest.ts'
import type { SimEvent } from './event-heap.ts'
import { EventHeap } from './event-heap.ts'
import type { Generation } from './generation.ts'
import { GlobalsGuard } from './globals-guard.ts'
import { drainMicrotasks } from './microtasks.ts'
import { SimRandom } from './sim-random.ts'

export interface SchedulerOptions {
  readonly seed: number
  /** Events after which a run is taken for an endless loop; default 50 million. */
  readonly stepLimit?: number
  /**
   * Gives each event a turn of the real event loop, as where Node cannot drain promises. Slow; a
   * test's.
   */
  readonly slowTurns?: boolean
  /** Sees each event before it runs; for traces. */
  readonly onEvent?: (timeMs: number, label: string, generation: Generation | undefined) => void
}

export interface EventOptions {
  readonly label?: string
  readonly generation?: Generation | undefined
  /** Before every drawn tie, and first come first served: for what must keep its order. */
  readonly inOrder?: boolean
}

export interface DriveOptions {
  /** Virtual time after which a promise that is still pending fails the run; default one hour. */
  readonly deadlineMs?: number
}

/** The real event loop, kept before the guard takes it away. */
const realSetImmediate = setImmediate
const eventsPerTurn = 20_000

export class Scheduler {
  readonly random: SimRandom
  readonly digest = new Digest()
  readonly #heap = new EventHeap()
  readonly #ties: SimRandom
  readonly #stepLimit: number
  readonly #onEvent: SchedulerOptions['onEvent']
  readonly #slowTurns: boolean
  readonly #guard = new GlobalsGuard(error => this.fail(error))
  #nowMs = 0
  #order = 0
  #steps = 0
  #forgivenStep = -1
  #driving = false
  #failure: Error | undefined

  constructor(options: SchedulerOptions) {
    this.random = new SimRandom(options.seed)
    this.#ties = this.random.stream('ties')
    this.#stepLimit = options.stepLimit ?? 50_000_000
    this.#onEvent = options.onEvent
    this.#slowTurns = options.slowTurns === true
  }

  /** Virtual milliseconds since the start of the run, with fractions. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Events run so far. */
  get steps(): number {
    return this.#steps
  }

  /**
   * Runs `run` after `delayMs` of virtual time, unless cancelled or its process is dead by then.
   */
  after(delayMs: number, run: () => void, options: EventOptions = {}): { cancel(): void } {
    return this.at(this.#nowMs + Math.max(0, delayMs), run, options)
  }

  /** The same at a moment; one that is past becomes now. */
  at(timeMs: number, run: () => void, options: EventOptions = {}): { cancel(): void } {
    if (Number.isNaN(timeMs)) throw new RangeError(`${options.label ?? 'event'} at time NaN`)
    const event: SimEvent = {
      time: Math.max(timeMs, this.#nowMs),
      tie: options.inOrder === true ? -1 : this.#ties.next(),
      order: this.#order++,
      label: options.label ?? 'event',
      generation: options.generation,
      run,
    }
    this.#heap.push(event)
    return {
      cancel: () => {
        event.run = undefined
      },
    }
  }

  /** Resolves after `ms` of virtual time. */
  sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      this.after(ms, resolve, { label: 'sleep' })
    })
  }

  /** Makes the run fail with this error, the first one given. */
  fail(error: Error): void {
    this.#failure ??= error
  }

  /**
   * What a process throws from now to the next event is not held against it: it has just died, and
   * real code does not get that far.
   */
  forgiveThisStep(): void {
    this.#forgivenStep = this.#steps
  }

  /**
   * Events that are still to come, by label; those of dead processes and cancelled ones left out.
   */
  pending(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const event of this.#heap.all()) {
      if (!isDue(event)) continue
      const label = `${event.generation?.name ?? 'world'}: ${event.label}`
      counts.set(label, (counts.get(label) ?? 0) + 1)
    }
    return counts
  }

  /**
   * Runs the world until the promise of `start` settles, and settles likewise. Fails when an event
   * throws, a rejection is left unhandled, the real world is touched, nothing is left that could
   * settle the promise, the virtual deadline passes or the step limit is reached.
   */
  drive<T>(start: () => Promise<T>, options: DriveOptions = {}): Promise<T> {
    if (this.#driving)
      throw new Error('the scheduler is being driven already: await inside the scenario')
    this.#driving = true
    const drive = new Drive(start)
    const deadlineMs = this.#nowMs + (options.deadlineMs ?? 3_600_000)
    const onRejection = (reason: unknown): void => this.#thrown(reason, 'unhandled rejection')
    process.on('unhandledRejection', onRejection)
    return new Promise<T>((resolve, reject) => {
      const turn = (): void => {
        const drain = this.#slowTurns ? undefined : drainMicrotasks()
        if (!this.#runTurn(drive, deadlineMs, drain)) {
          realSetImmediate(turn)
          return
        }
        process.off('unhandledRejection', onRejection)
        this.#driving = false
        if (this.#failure !== undefined) reject(this.#failure)
        else drive.settle(resolve, reject)
      }
      realSetImmediate(turn)
    })
  }

  /** Runs the world up to a moment of virtual time. */
  async runUntil(timeMs: number): Promise<void> {
    await this.drive(() => this.sleep(timeMs - this.#nowMs), {
      deadlineMs: Number.POSITIVE_INFINITY,
    })
  }

  /** One turn of the real event loop; true when the drive has come to its end. */
  #runTurn(drive: Drive<unknown>, deadlineMs: number, drain: (() => void) | undefined): boolean {
    this.#guard.install()
    try {
      drive.begin()
      drain?.()
      // Without a drain the reactions run when this turn has ended, so a turn is one event.
      const limit = drain === undefined ? 1 : eventsPerTurn
      for (let count = 0; count < limit; count++) {
        if (drive.settled || this.#failure !== undefined) return true
        this.#step(deadlineMs)
        drain?.()
      }
      return drive.settled || this.#failure !== undefined
    } finally {
      this.#guard.restore()
    }
  }

  #step(deadlineMs: number): void {
    const event = this.#nextDue()
    if (event === undefined) {
      this.fail(new Error(`nothing is left to run at ${this.#nowMs} ms, yet the scenario waits`))
      return
    }
    const isLate = event.time > deadlineMs
    if (isLate || ++this.#steps > this.#stepLimit) {
      this.#heap.push(event)
      const limit = isLate
        ? `the virtual deadline of ${deadlineMs} ms`
        : `${this.#stepLimit} events`
      this.fail(new Error(`the run went beyond ${limit}. ${this.#describe()}`))
      return
    }
    this.#nowMs = event.time
    this.digest.mix(event.time)
    this.digest.mix(event.tie)
    this.#onEvent?.(event.time, event.label, event.generation)
    try {
      event.run?.()
    } catch (error) {
      this.#thrown(error, `${event.generation?.name ?? 'world'}, ${event.label}`)
    }
  }

  #thrown(reason: unknown, where: string): void {
    if (this.#forgivenStep === this.#steps) return
    this.fail(reason instanceof Error ? reason : new Error(`${where}: ${String(reason)}`))
  }

  #nextDue(): SimEvent | undefined {
    for (;;) {
      const event = this.#heap.pop()
      if (event === undefined || isDue(event)) return event
    }
  }

  #describe(): string {
    const top = [...this.pending()].sort((a, b) => b[1] - a[1]).slice(0, 8)
    return `Still to come: ${top.map(([label, count]) => `${label} ×${count}`).join(', ')}`
  }
}

/** The scenario under way and how it ended. */
class Drive<T> {
  readonly #start: () => Promise<T>
  #begun = false
  #outcome: { value: T } | { reason: unknown } | undefined

  constructor(start: () => Promise<T>) {
    this.#start = start
  }

  get settled(): boolean {
    return this.#outcome !== undefined
  }

  /** Starts the scenario at the first call: inside a turn, so that the guard is in place. */
  begin(): void {
    if (this.#begun) return
    this.#begun = true
    const run = async (): Promise<T> => this.#start()
    run().then(
      value => {
        this.#outcome = { value }
      },
      reason => {
        this.#outcome = { reason }
      },
    )
  }

  settle(resolve: (value: T) => void, reject: (reason: unknown) => void): void {
    if (this.#outcome === undefined) return
    if ('reason' in this.#outcome) reject(this.#outcome.reason)
    else resolve(this.#outcome.value)
  }
}

function isDue(event: SimEvent): boolean {
  return event.run !== undefined && event.generation?.alive !== false
}

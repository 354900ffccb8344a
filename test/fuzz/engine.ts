/**
 * Engine: executions of one target, one after the other, and what they broke.
 *
 *   number → input (make) → run → stage │ too slow? too much memory? anything thrown? → finding
 *
 * Always true: an input is judged slow or hungry only if it is so again when run by itself, because
 * the machine is shared; a finding carries its input and its number.
 * Used by worker.ts (a process per core), by the test of the corpus and by the short run in
 * `npm test`.
 */
import { allocatedBytes, cpuMs } from './measures.ts'
import { FuzzRandom, nameHash } from './random.ts'
import type { Target, TargetState } from './target.ts'

export interface Finding {
  readonly target: string
  readonly seed: number
  /** Number of the execution; −1, −2, … = the files of the corpus in their order. */
  readonly index: number
  readonly what: string
  readonly detail: string
  readonly inputBase64: string
}

export interface Range {
  readonly seed: number
  readonly from: number
  readonly to: number
  /** Told before each execution; for finding out which one never ends. */
  readonly onStart?: (index: number) => void
}

export interface RangeResult {
  executions: number
  ms: number
  /** Of this process, so that a shared machine does not make the target look slow. */
  cpuMs: number
  slowestMs: number
  readonly stages: Record<string, number>
  readonly findings: Finding[]
}

interface Place {
  readonly index: number
  readonly seed: number
}

interface Execution {
  readonly input: Uint8Array
  readonly place: Place
  readonly start: number
}

/** Memory is looked at once per so many executions, and once for each where that was too much. */
const windowSize = 32
const maxFindings = 20

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** What the same flaw says each time, whatever the numbers. */
export const signatureOf = ({ target, what }: Pick<Finding, 'target' | 'what'>): string =>
  `${target}: ${what.replace(/\d+/g, '#').slice(0, 200)}`

const emptyResult = (): RangeResult => ({
  executions: 0,
  ms: 0,
  cpuMs: 0,
  slowestMs: 0,
  stages: {},
  findings: [],
})

export class Engine {
  readonly #target: Target
  readonly #hash: number
  readonly #keepStacks: boolean
  readonly #random = new FuzzRandom()
  readonly #signatures = new Set<string>()
  #state: TargetState | null = null
  #stateFrom = -1
  #rejection: unknown = null
  #window: { input: Uint8Array; index: number }[] = []
  #before = 0
  result: RangeResult = emptyResult()

  constructor(target: Target, options: { readonly keepStacks?: boolean } = {}) {
    this.#target = target
    this.#keepStacks = options.keepStacks === true
    this.#hash = nameHash(target.name)
  }

  /** Executions [from, to) of a run with this seed. */
  async run(range: Range): Promise<RangeResult> {
    return this.#counted(async () => {
      let state = await this.#stateFor(range.seed, range.from)
      for (let index = range.from; index < range.to; index++) {
        if (index % this.#target.executionsPerState === 0) {
          state = await this.#stateFor(range.seed, index)
        }
        range.onStart?.(index)
        this.#random.restart(range.seed, this.#hash, index)
        const input = state.make(this.#random)
        // No promise is waited for that there is not: waiting costs more than many an execution.
        const running = this.#execute(state, input, { index, seed: range.seed })
        if (running !== undefined) await running
        if (this.result.findings.length >= maxFindings) break
      }
    })
  }

  /** These inputs, each on a state of its own where that matters; in findings they are −1, −2, … */
  async replay(inputs: readonly Uint8Array[]): Promise<RangeResult> {
    return this.#counted(async () => {
      for (const [n, input] of inputs.entries()) {
        if (this.#target.isStateful) await this.close()
        const state = await this.#stateFor(0, 0)
        await this.#execute(state, input, { index: -1 - n, seed: 0 })
      }
    })
  }

  /** The input of one execution, not run. */
  async inputOf(seed: number, index: number): Promise<Uint8Array> {
    const state = await this.#stateFor(seed, index)
    this.#random.restart(seed, this.#hash, index)
    return state.make(this.#random)
  }

  async close(): Promise<void> {
    await this.#state?.close?.()
    this.#state = null
  }

  async #counted(work: () => Promise<void>): Promise<RangeResult> {
    this.result = emptyResult()
    const start = performance.now()
    const cpu = process.cpuUsage()
    const noteRejection = (reason: unknown) => {
      this.#rejection = reason
    }
    process.on('unhandledRejection', noteRejection)
    const framesBefore = Error.stackTraceLimit
    // Most inputs are refused, and the stack is what refusing costs. A finding is run once more.
    Error.stackTraceLimit = this.#keepStacks ? 20 : 0
    this.#window = []
    this.#before = allocatedBytes()
    try {
      await work()
      await this.#checkMemory()
    } finally {
      process.removeListener('unhandledRejection', noteRejection)
      Error.stackTraceLimit = framesBefore
      await this.close()
    }
    this.result.ms = performance.now() - start
    const used = process.cpuUsage(cpu)
    this.result.cpuMs = (used.user + used.system) / 1000
    return this.result
  }

  /** States begin at fixed numbers, so that a number meets the same state in every run. */
  async #stateFor(seed: number, index: number): Promise<TargetState> {
    const from = index - (index % this.#target.executionsPerState)
    if (this.#state !== null && this.#stateFrom === from) return this.#state
    await this.#checkMemory()
    await this.close()
    this.#state = await this.#target.open((seed + from) | 0)
    this.#stateFrom = from
    this.#before = allocatedBytes()
    return this.#state
  }

  /** A promise only where there is something to wait for. */
  #execute(state: TargetState, input: Uint8Array, place: Place): Promise<void> | undefined {
    const start = performance.now()
    try {
      const running = state.run(input)
      if (typeof running === 'string') this.#count(running)
      else return this.#executed(running, { input, place, start })
    } catch (error) {
      this.#find(place, input, describe(error, stackOf(state, input)))
    }
    return this.#noteTime({ input, place, start })
  }

  async #executed(running: Promise<string>, execution: Execution): Promise<void> {
    try {
      this.#count(await running)
      if (this.#rejection !== null) throw this.#rejection
    } catch (error) {
      this.#rejection = null
      this.#find(execution.place, execution.input, describe(error))
    }
    await this.#noteTime(execution)
  }

  #count(stage: string): void {
    const { stages } = this.result
    stages[stage] = (stages[stage] ?? 0) + 1
  }

  #noteTime({ input, place, start }: Execution): Promise<void> | undefined {
    const ms = performance.now() - start
    this.result.executions++
    if (ms > this.result.slowestMs) this.result.slowestMs = ms
    this.#window.push({ input, index: place.index })
    const isSlow = ms > this.#target.maxMs
    if (!isSlow && this.#window.length < windowSize) return undefined
    return this.#lookCloser({ input, place, start }, isSlow ? ms : 0)
  }

  async #lookCloser({ input, place }: Execution, slowMs: number): Promise<void> {
    if (slowMs > 0) await this.#checkSlow(input, place, slowMs)
    if (this.#window.length >= windowSize) await this.#checkMemory(place.seed)
  }

  async #checkSlow(input: Uint8Array, place: Place, firstMs: number): Promise<void> {
    const { maxMs } = this.#target
    const best = Math.min(firstMs, await this.#leastAlone(input, cpuMs, maxMs))
    if (best <= maxMs) return
    this.#find(place, input, { what: 'is slow', detail: `${best.toFixed(0)} ms each time` })
  }

  async #checkMemory(seed = 0): Promise<void> {
    const window = this.#window
    this.#window = []
    const limit = this.#target.maxAllocatedBytes
    const grown = allocatedBytes() - this.#before
    if (grown > limit && window.length > 0) {
      for (const { input, index } of window) {
        const bytes = await this.#leastAlone(input, allocatedBytes, limit)
        if (bytes <= limit) continue
        const detail = `${Math.round(bytes / 1024)} KiB for an input of ${input.length} bytes`
        this.#find({ index, seed }, input, { what: 'takes too much memory', detail })
      }
    }
    this.#before = allocatedBytes()
  }

  /** The least of three times, for now and then the engine itself takes time or memory meanwhile. */
  async #leastAlone(input: Uint8Array, measure: () => number, limit: number): Promise<number> {
    let least = Number.POSITIVE_INFINITY
    for (let again = 0; again < 3 && least > limit; again++) {
      least = Math.min(least, await this.#alone(input, measure))
    }
    return least
  }

  /** How much `measure` grows while the input is run once more; a state of its own is used. */
  async #alone(input: Uint8Array, measure: () => number): Promise<number> {
    const { isStateful } = this.#target
    const state = (isStateful ? null : this.#state) ?? (await this.#target.open(0))
    const before = measure()
    try {
      await state.run(input)
    } catch {
      // what it throws was found the first time
    }
    const grown = measure() - before
    if (state !== this.#state) await state.close?.()
    return grown
  }

  #find(
    { index, seed }: Place,
    input: Uint8Array,
    { what, detail }: { what: string; detail: string },
  ): void {
    const target = this.#target.name
    const finding = { target, seed, index, what, detail, inputBase64: base64(input) }
    const signature = signatureOf(finding)
    if (this.#signatures.has(signature)) return
    this.#signatures.add(signature)
    this.result.findings.push(finding)
  }
}

function describe(error: unknown, stack?: string): { what: string; detail: string } {
  if (!(error instanceof Error)) return { what: `threw ${String(error)}`, detail: '' }
  const what = `${error.name}: ${error.message}`.slice(0, 500)
  return { what, detail: stack ?? error.stack ?? '' }
}

/** Where it happens, found by doing it again. */
function stackOf(state: TargetState, input: Uint8Array): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = 20
  try {
    state.run(input)
    return 'not the second time'
  } catch (error) {
    return error instanceof Error ? (error.stack ?? '') : ''
  } finally {
    Error.stackTraceLimit = before
  }
}

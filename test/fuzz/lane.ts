/**
 * Lane: ranges of executions handed out to worker processes until the asked number or time is
 * reached; what they found, put together.
 *
 * Always true: a worker that ends or hangs costs one range, which is run again by number to find
 * the input that did it, and then piece by piece around it; what was handed out and yet never run
 * is counted; the same seed runs the same executions whatever the number of workers.
 * Called by run.ts.
 */
import { Engine, type Finding, type RangeResult, signatureOf } from './engine.ts'
import { hanging, LaneWorker, realWorker, type WorkerProgram } from './lane-worker.ts'
import type { Target } from './target.ts'
import type { Task } from './worker.ts'

/** A range is to take about so long: short enough to share out, long enough to warm up. */
const rangeMs = 2000

export interface TargetTotal {
  readonly target: Target
  executions: number
  cpuMs: number
  slowestMs: number
  readonly stages: Record<string, number>
}

export interface LaneParts {
  readonly seed: number
  readonly executions: number
  readonly seconds: number
  readonly targets: readonly Target[]
  readonly workers: number
  /** Default: the real one. */
  readonly program?: WorkerProgram
  onProgress(totals: readonly TargetTotal[]): void
  onFinding(finding: Finding): void
}

/** What is to be run of one target, and what is handed out already. */
class Share {
  readonly target: Target
  readonly wanted: number
  readonly total: TargetTotal
  next = 0
  #perRange: number

  constructor(target: Target, wanted: number) {
    this.target = target
    this.wanted = wanted
    this.#perRange = target.executionsPerState
    this.total = { target, executions: 0, cpuMs: 0, slowestMs: 0, stages: {} }
  }

  /** How much of it is handed out; the smallest is next. */
  get fraction(): number {
    return this.next / (this.wanted === Infinity ? this.target.weight : this.wanted)
  }

  take(seed: number): Task | null {
    if (this.next >= this.wanted) return null
    const from = this.next
    this.next = Math.min(this.wanted, from + this.#perRange)
    return { target: this.target.name, seed, from, to: this.next, careful: false }
  }

  add(result: RangeResult): void {
    const { total } = this
    total.executions += result.executions
    total.cpuMs += result.cpuMs
    total.slowestMs = Math.max(total.slowestMs, result.slowestMs)
    for (const [stage, count] of Object.entries(result.stages)) {
      total.stages[stage] = (total.stages[stage] ?? 0) + count
    }
    const perState = this.target.executionsPerState
    const fitting = Math.round((rangeMs * result.executions) / result.ms / perState)
    this.#perRange = perState * Math.max(1, Math.min(fitting, 50))
  }
}

export class Lane {
  readonly #parts: LaneParts
  readonly #shares: readonly Share[]
  readonly #signatures = new Set<string>()
  readonly #program: WorkerProgram
  #endMs = Infinity

  constructor(parts: LaneParts) {
    this.#parts = parts
    this.#program = parts.program ?? realWorker
    const weights = parts.targets.reduce((sum, { weight }) => sum + weight, 0)
    this.#shares = parts.targets.map(target => {
      const wanted = Math.ceil((parts.executions * target.weight) / weights)
      return new Share(target, wanted)
    })
  }

  get totals(): readonly TargetTotal[] {
    return this.#shares.map(({ total }) => total)
  }

  /** Executions that were handed out, and of which no worker told that it ran them. */
  get missing(): number {
    return this.#shares.reduce((sum, { next, total }) => sum + next - total.executions, 0)
  }

  async run(): Promise<void> {
    this.#endMs = performance.now() + this.#parts.seconds * 1000
    await Promise.all(Array.from({ length: this.#parts.workers }, () => this.#work()))
  }

  /** One worker, replaced when it is lost, until nothing is left to do. */
  async #work(): Promise<void> {
    let worker: LaneWorker | null = null
    for (let task = this.#next(); task !== null; task = this.#next()) {
      worker ??= new LaneWorker(this.#program)
      const outcome = await worker.run(task)
      if ('result' in outcome) {
        this.#take(task, outcome.result)
        continue
      }
      worker.end()
      worker = null
      await this.#investigate(task, outcome.lost)
    }
    worker?.end()
  }

  #next(): Task | null {
    if (performance.now() > this.#endMs) return null
    const open = this.#shares.filter(share => share.next < share.wanted)
    const [first] = open.sort((a, b) => a.fraction - b.fraction)
    return first?.take(this.#parts.seed) ?? null
  }

  #take({ target }: Task, result: RangeResult): void {
    this.#shares.find(share => share.target.name === target)?.add(result)
    for (const finding of result.findings) this.#find(finding)
    this.#parts.onProgress(this.totals)
  }

  #find(finding: Finding): void {
    const signature = signatureOf(finding)
    if (this.#signatures.has(signature)) return
    this.#signatures.add(signature)
    this.#parts.onFinding(finding)
  }

  /** Runs the range again, number by number, in a worker of its own. */
  async #investigate(task: Task, lost: string): Promise<void> {
    const { outcome, lastIndex } = await this.#runAlone({ ...task, careful: true })
    if ('result' in outcome) {
      this.#take(task, outcome.result)
      // The machine may have been busy with others for minutes; an end is an end.
      if (lost === hanging) return
      const what = `the process was lost (${lost}), and was not when the range was run again`
      this.#findLost(task, task.from, what)
      return
    }
    if (lastIndex < 0) {
      this.#findLost(task, task.from, `the process was lost before its first execution: ${lost}`)
      return
    }
    const isCulprit = !(await this.#endsAlone(task, lastIndex))
    const inputBase64 = isCulprit ? await this.#inputOf(task, lastIndex) : ''
    if (isCulprit) {
      this.#findLost(task, lastIndex, `the process was lost: ${outcome.lost}`, inputBase64)
    }
    await this.#runPieces(task, isCulprit ? lastIndex : -1)
  }

  async #runAlone(task: Task) {
    const worker = new LaneWorker(this.#program)
    const outcome = await worker.run(task)
    worker.end()
    return { outcome, lastIndex: worker.lastIndex }
  }

  #findLost({ target, seed }: Task, index: number, what: string, inputBase64 = ''): void {
    this.#find({ target, seed, index, what, detail: '', inputBase64 })
  }

  /** On a busy machine a range may take long, and one execution of it may not. */
  async #endsAlone(task: Task, index: number): Promise<boolean> {
    const { isStateful, executionsPerState } = this.#targetOf(task)
    const from = isStateful ? index - (index % executionsPerState) : index
    const { outcome } = await this.#runAlone({ ...task, from, to: index + 1 })
    return 'result' in outcome
  }

  /** The range once more, a state at a time, without the one in which `index` lies. */
  async #runPieces(task: Task, index: number): Promise<void> {
    const { executionsPerState } = this.#targetOf(task)
    for (let from = task.from; from < task.to; from += executionsPerState) {
      const to = Math.min(task.to, from + executionsPerState)
      if (index >= from && index < to) continue
      const { outcome } = await this.#runAlone({ ...task, from, to })
      if ('result' in outcome) this.#take(task, outcome.result)
      else this.#findLost(task, from, `the process was lost from here on: ${outcome.lost}`)
    }
  }

  async #inputOf(task: Task, index: number): Promise<string> {
    const input = await new Engine(this.#targetOf(task)).inputOf(task.seed, index)
    return Buffer.from(input).toString('base64')
  }

  /** @throws Error where the lane has no such target */
  #targetOf({ target }: Task): Target {
    const found = this.#parts.targets.find(({ name }) => name === target)
    if (found === undefined) throw new Error(`no target "${target}" in this lane`)
    return found
  }
}

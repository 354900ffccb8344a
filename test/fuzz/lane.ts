/**
 * Lane: ranges of executions handed out to worker processes until the asked number or time is
 * reached; what they found, put together.
 *
 * Always true: a worker that ends or hangs costs one range, which is run again by number to find
 * the input that did it; the same seed runs the same executions whatever the number of workers.
 * Called by run.ts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { realTimers } from '../../protocol/real-world.ts'
import { compiledPath } from '../support/repository.ts'
import { Engine, type Finding, type RangeResult, signatureOf } from './engine.ts'
import type { Target } from './target.ts'
import type { Task, TaskDone } from './worker.ts'

/** A range is to take about so long: short enough to share out, long enough to warm up. */
const rangeMs = 2000
const hanging = 'it hangs'
/** A worker that says nothing for so long hangs. */
const hangMs = 180_000

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
  #endMs = Infinity

  constructor(parts: LaneParts) {
    this.#parts = parts
    const weights = parts.targets.reduce((sum, { weight }) => sum + weight, 0)
    this.#shares = parts.targets.map(target => {
      const wanted = Math.ceil((parts.executions * target.weight) / weights)
      return new Share(target, wanted)
    })
  }

  get totals(): readonly TargetTotal[] {
    return this.#shares.map(({ total }) => total)
  }

  async run(): Promise<void> {
    this.#endMs = performance.now() + this.#parts.seconds * 1000
    await Promise.all(Array.from({ length: this.#parts.workers }, () => this.#work()))
  }

  /** One worker, replaced when it is lost, until nothing is left to do. */
  async #work(): Promise<void> {
    let worker: Worker | null = null
    for (let task = this.#next(); task !== null; task = this.#next()) {
      worker ??= new Worker()
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
    const worker = new Worker()
    const outcome = await worker.run({ ...task, careful: true })
    worker.end()
    if ('result' in outcome) {
      this.#take(task, outcome.result)
      // The machine may have been busy with others for minutes; an end is an end.
      if (lost === hanging) return
      const what = `the process was lost (${lost}), and was not when the range was run again`
      this.#find({ ...task, index: task.from, what, detail: '', inputBase64: '' })
      return
    }
    const { lastIndex } = worker
    const target = this.#parts.targets.find(one => one.name === task.target)
    if (await this.#endsAlone(target, { ...task, from: lastIndex, to: lastIndex + 1 })) return
    const input = target && (await new Engine(target).inputOf(task.seed, lastIndex))
    const inputBase64 = Buffer.from(input ?? []).toString('base64')
    const { target: name, seed } = task
    const what = `the process was lost: ${outcome.lost}`
    this.#find({ target: name, seed, index: lastIndex, what, detail: '', inputBase64 })
  }

  /** On a busy machine a range may take long, and one execution of it may not. */
  async #endsAlone(target: Target | undefined, task: Task): Promise<boolean> {
    if (target === undefined || task.from < 0) return true
    const isStateful = target.isStateful
    const from = isStateful ? task.from - (task.from % target.executionsPerState) : task.from
    const worker = new Worker()
    const outcome = await worker.run({ ...task, from })
    worker.end()
    if ('result' in outcome) this.#take(task, outcome.result)
    return 'result' in outcome
  }
}

type Outcome = TaskDone | { readonly lost: string }

class Worker {
  readonly #process: ChildProcess
  /** Of the last execution that a careful worker began. */
  lastIndex = -1

  constructor() {
    this.#process = fork(compiledPath('test/fuzz/worker.ts'), {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    })
    let rest = Buffer.alloc(0)
    this.#process.stdio[4]?.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      const whole = rest.length - (rest.length % 8)
      if (whole >= 8) this.lastIndex = rest.readDoubleBE(whole - 8)
      rest = rest.subarray(whole)
    })
  }

  run(task: Task): Promise<Outcome> {
    return new Promise(resolve => {
      const child = this.#process
      const finish = (outcome: Outcome) => {
        deadline.cancel()
        child.removeAllListeners()
        resolve(outcome)
      }
      const deadline = realTimers.after(hangMs, () => finish({ lost: hanging }))
      child.once('message', done => finish(done as TaskDone))
      child.once('exit', (code, signal) => finish({ lost: `it ended, ${signal ?? code}` }))
      child.send(task)
    })
  }

  end(): void {
    this.#process.removeAllListeners()
    this.#process.kill('SIGKILL')
  }
}

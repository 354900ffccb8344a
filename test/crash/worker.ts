/**
 * Worker: one process of the crash lane, which explores its share of the workloads.
 *
 * Always true: the share depends on its number alone; it stops by itself when its CPU time is used
 * up or too much has failed.
 * Started by lane.ts.
 */
import { type Counts, Explorer } from './explore.ts'
import type { CrashJob, PhaseReport, WorkerReport } from './protocol.ts'
import { isMine, type Phase, wordsOf } from './workloads.ts'

const mostFailures = 10
const reportEveryMs = 1000

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

class Worker {
  readonly #job: CrashJob
  readonly #explorer = new Explorer()
  readonly #phases: PhaseReport[] = []
  /** Words whose last operation changed nothing, by flush. */
  readonly #idle = { commit: new Set<string>(), os: new Set<string>() }
  #nextReportMs = 0

  constructor(job: CrashJob) {
    this.#job = job
  }

  /** Answers the last message. */
  async work(): Promise<WorkerReport> {
    for (const phase of this.#job.phases) {
      const isComplete = await this.#explore(phase)
      if (!isComplete) break
    }
    return { ...this.#report(), keys: [...this.#explorer.examiner.keys] }
  }

  async #explore(phase: Phase): Promise<boolean> {
    const { worker, workers } = this.#job
    const before = this.#state()
    const idle = phase.pace === 'settled' ? this.#idle[phase.flush] : new Set<string>()
    const at = this.#phases.length
    let covered = 0
    for (const word of wordsOf(phase.length)) {
      if (!isMine(word, worker, workers)) continue
      if (this.#isOver) return false
      covered++
      if (!hasIdlePrefix(word, idle)) await this.#exploreOne(phase, word, idle)
      this.#phases[at] = reportOf(covered, before, this.#state())
      this.#reportNowAndThen()
    }
    return true
  }

  async #exploreOne({ flush, pace }: Phase, word: string, idle: Set<string>): Promise<void> {
    const didWork = await this.#explorer.explore({ flush, pace, word })
    if (!didWork) idle.add(word)
  }

  get #isOver(): boolean {
    return cpuMs() > this.#job.cpuMs || this.#explorer.failures.length >= mostFailures
  }

  #state(): State {
    const { counts, examiner } = this.#explorer
    return { counts: { ...counts }, recoveries: examiner.recoveries, cpuMs: cpuMs() }
  }

  #reportNowAndThen(): void {
    const nowMs = performance.now()
    if (nowMs < this.#nextReportMs) return
    this.#nextReportMs = nowMs + reportEveryMs
    process.send?.(this.#report())
  }

  #report(): WorkerReport {
    const { failures, examiner } = this.#explorer
    const rest = { failures: [...failures], distinctImages: examiner.images }
    return { phases: [...this.#phases], ...rest }
  }
}

interface State {
  readonly counts: Counts
  readonly recoveries: number
  readonly cpuMs: number
}

function reportOf(covered: number, before: State, now: State): PhaseReport {
  const counts = { ...now.counts }
  for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] -= before.counts[name]
  const recoveries = now.recoveries - before.recoveries
  return { covered, counts, recoveries, cpuMs: now.cpuMs - before.cpuMs }
}

function hasIdlePrefix(word: string, idle: ReadonlySet<string>): boolean {
  for (let end = 1; end < word.length; end++) if (idle.has(word.slice(0, end))) return true
  return false
}

process.once('message', async message => {
  const last = await new Worker(message as CrashJob).work()
  process.send?.(last, () => process.disconnect())
})

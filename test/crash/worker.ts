/**
 * Worker: one process of the crash lane, which explores its share of the workloads.
 *
 * Always true: the share depends on its number alone; it stops by itself when its CPU time is used
 * up or too much has failed.
 * Started by lane.ts.
 */
import { type Counts, Explorer } from './explore.ts'
import type { CrashJob, PhaseReport, WorkerReport } from './protocol.ts'
import { isMine, type Phase, roundsOf, spreadWordsOf, workloadName } from './workloads.ts'

const mostFailures = 10
const reportEveryMs = 1000

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

class Worker {
  readonly #job: CrashJob
  /** One workload may take long: each image that is checked shows that it gets on. */
  readonly #explorer = new Explorer(() => this.#reportNowAndThen())
  readonly #phases: PhaseReport[] = []
  /** Words whose last operation changed nothing, by flush. */
  readonly #idle = { commit: new Set<string>(), os: new Set<string>() }
  #donePhases = 0
  #nextReportMs = 0

  constructor(job: CrashJob) {
    this.#job = job
  }

  /** Answers the last message. */
  async work(): Promise<WorkerReport> {
    for (const round of roundsOf(this.#job.phases)) {
      const isComplete = await this.#exploreRound(round)
      if (!isComplete) break
      this.#donePhases += round.length
    }
    return { ...this.#report(), keys: [...this.#explorer.examiner.keys] }
  }

  /** Each word in all phases of the round, so that what is cut off is a sample of all of them. */
  async #exploreRound(round: readonly Phase[]): Promise<boolean> {
    const { worker, workers } = this.#job
    for (const word of spreadWordsOf(round[0]?.length ?? 0)) {
      if (!isMine(word, worker, workers)) continue
      for (const [index, phase] of round.entries()) {
        if (this.#isOver) return false
        const before = this.#state()
        await this.#exploreOne(phase, word)
        this.#add(this.#donePhases + index, before)
        this.#reportNowAndThen()
      }
    }
    return true
  }

  async #exploreOne({ flush, pace }: Phase, word: string): Promise<void> {
    const idle = pace === 'settled' ? this.#idle[flush] : new Set<string>()
    if (hasIdlePrefix(word, idle)) return
    const workload = { flush, pace, word }
    process.send?.(workloadName(workload))
    const didWork = await this.#explorer.explore(workload)
    if (!didWork) idle.add(word)
  }

  #add(at: number, before: State): void {
    this.#phases[at] = sumOf(this.#phases[at], before, this.#state())
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
    return { donePhases: this.#donePhases, phases: [...this.#phases], ...rest }
  }
}

interface State {
  readonly counts: Counts
  readonly recoveries: number
  readonly cpuMs: number
}

/** One word more. */
function sumOf(sum: PhaseReport | undefined, before: State, now: State): PhaseReport {
  const counts = { ...now.counts }
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    counts[name] += (sum?.counts[name] ?? 0) - before.counts[name]
  }
  return {
    covered: (sum?.covered ?? 0) + 1,
    counts,
    recoveries: (sum?.recoveries ?? 0) + now.recoveries - before.recoveries,
    cpuMs: (sum?.cpuMs ?? 0) + now.cpuMs - before.cpuMs,
  }
}

function hasIdlePrefix(word: string, idle: ReadonlySet<string>): boolean {
  for (let end = 1; end < word.length; end++) if (idle.has(word.slice(0, end))) return true
  return false
}

process.once('message', async message => {
  const last = await new Worker(message as CrashJob).work()
  process.send?.(last, () => process.disconnect())
})

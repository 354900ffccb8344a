/**
 * Lane: the crash lane over all workloads, on as many processes as there are processors.
 *
 * Always true: what it prints and records says how much of each length was covered; a failure comes
 * with the command that repeats it.
 * Called by run.ts.
 */
import { writeLaneResult } from '../support/lane-result.ts'
import { runCrew } from './crew.ts'
import type { Counts, Failure } from './explore.ts'
import { operations } from './operations.ts'
import type { CrashJob, PhaseReport, WorkerReport } from './protocol.ts'
import { countOfWords, type Phase, phaseName, phasesOf } from './workloads.ts'

export interface LaneOptions {
  /** CPU minutes of all processes together. */
  readonly minutes: number
  readonly operations: number
  readonly workers: number
  readonly record: boolean
}

/** Answers the exit code. */
export async function runLane(options: LaneOptions): Promise<number> {
  const phases = phasesOf(options.operations)
  const startMs = performance.now()
  const letters = operations.map(({ letter, name }) => `  ${letter}  ${name}`)
  console.log(`operations:\n${letters.join('\n')}`)
  const reports: WorkerReport[] = []
  const progress = new Progress(phases)
  const begun: string[] = []
  const onMessage = (worker: number, message: unknown): void => {
    if (typeof message === 'string') {
      begun[worker] = message
      return
    }
    reports[worker] = message as WorkerReport
    if (Object.keys(reports).length === options.workers) progress.show(reports)
  }
  const where = (worker: number): string => begun[worker] ?? 'its begin'
  await runCrew({ script: 'worker.js', jobs: jobsOf(options, phases), onMessage, where })
  progress.end(reports)
  const rows = phases.map((phase, at) => rowOf(phase, reports, at))
  const facts = {
    ...factsOf(options, rows, reports),
    seconds: (performance.now() - startMs) / 1000,
  }
  printTotal(facts)
  if (options.record) writeLaneResult('crash', facts)
  return facts.failures.length === 0 ? 0 : 1
}

function jobsOf({ workers, minutes }: LaneOptions, phases: readonly Phase[]): CrashJob[] {
  const cpuMs = (minutes * 60_000) / workers
  return Array.from({ length: workers }, (_, worker) => ({ worker, workers, phases, cpuMs }))
}

/** Prints each phase when it is done, each failure when it is found, and where the lane is. */
class Progress {
  readonly #phases: readonly Phase[]
  readonly #failed = new Set<string>()
  #printed = 0

  constructor(phases: readonly Phase[]) {
    this.#phases = phases
    console.log(
      'workloads (operations)                              covered    moments  combinations' +
        '    images    nested  recoveries     CPU s',
    )
  }

  show(reports: readonly WorkerReport[]): void {
    const done = Math.min(...reports.map(report => report.donePhases))
    this.#print(done, reports)
    const phase = this.#phases[this.#printed]
    if (!process.stderr.isTTY || phase === undefined) return
    const { coveredPercent: share } = rowOf(phase, reports, this.#printed)
    const images = sum(reports, report => report.distinctImages)
    process.stderr.write(`\r\x1b[K${phaseName(phase)}: ${share} %, ${images} distinct images`)
  }

  end(reports: readonly WorkerReport[]): void {
    this.#print(this.#phases.length, reports)
  }

  #print(done: number, reports: readonly WorkerReport[]): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    for (; this.#printed < done; this.#printed++) {
      const phase = this.#phases[this.#printed]
      if (phase !== undefined) console.log(lineOf(rowOf(phase, reports, this.#printed)))
    }
    for (const { place, reason } of reports.flatMap(report => report.failures)) {
      if (this.#failed.has(place)) continue
      this.#failed.add(place)
      console.log(`FAILED ${place}\n${reason}\nrepeat it: npm run crash -- --replay ${place}\n`)
    }
  }
}

interface Row extends Counts {
  readonly name: string
  readonly words: number
  readonly covered: number
  /** Of the words, in percent; below 100 they are a sample from all over. */
  readonly coveredPercent: number
  readonly isSample: boolean
  readonly recoveries: number
  readonly cpuSeconds: number
}

const zero: PhaseReport = {
  covered: 0,
  counts: {
    workloads: 0,
    idleWorkloads: 0,
    moments: 0,
    combinations: 0,
    images: 0,
    nestedImages: 0,
    sampledMoments: 0,
  },
  recoveries: 0,
  cpuMs: 0,
}

function rowOf(phase: Phase, reports: readonly WorkerReport[], at: number): Row {
  // The shortest are explored by all, each for itself, and counted once.
  const counted = phase.length < 2 ? reports.slice(0, 1) : reports
  const parts = counted.map(report => report.phases[at] ?? zero)
  const counts = { ...zero.counts }
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    counts[name] = sum(parts, part => part.counts[name])
  }
  const words = countOfWords(phase.length)
  const covered = sum(parts, part => part.covered)
  return {
    name: phaseName(phase),
    words,
    covered,
    coveredPercent: Math.floor((1000 * covered) / words) / 10,
    isSample: covered < words,
    ...counts,
    recoveries: sum(parts, part => part.recoveries),
    cpuSeconds: Math.round(sum(parts, part => part.cpuMs) / 100) / 10,
  }
}

function factsOf(options: LaneOptions, phases: readonly Row[], reports: readonly WorkerReport[]) {
  const keys = new Set(reports.flatMap(report => report.keys ?? []))
  const failures = new Map<string, Failure>()
  for (const report of reports) for (const one of report.failures) failures.set(one.place, one)
  return {
    cpuMinutes: options.minutes,
    mostOperations: options.operations,
    operations: Object.fromEntries(operations.map(({ letter, name }) => [letter, name])),
    phases,
    total: {
      workloads: sum(phases, row => row.covered),
      moments: sum(phases, row => row.moments),
      combinations: sum(phases, row => row.combinations),
      images: sum(phases, row => row.images + row.nestedImages),
      distinctImages: keys.size,
      recoveries: sum(phases, row => row.recoveries),
      cpuSeconds: Math.round(sum(phases, row => row.cpuSeconds)),
    },
    failures: [...failures.values()],
  }
}

type Facts = ReturnType<typeof factsOf> & { readonly seconds: number }

function printTotal({ total, phases, failures, seconds }: Facts): void {
  const { distinctImages, recoveries, images, cpuSeconds } = total
  const rate = Math.round(images / Math.max(1, cpuSeconds))
  console.log(
    `${total.workloads} workloads, ${total.moments} crash points, ${total.combinations} ` +
      `combinations of what survives; ${images} images checked, ${distinctImages} of them ` +
      `distinct, ${recoveries} recoveries run; ${cpuSeconds} CPU s in ${seconds.toFixed(0)} s, ` +
      `${rate} images per CPU second`,
  )
  for (const { name, covered, words, coveredPercent } of phases.filter(row => row.isSample)) {
    const sample = `a sample of ${covered} of ${words} workloads, ${coveredPercent} %`
    console.log(`not all of "${name}": ${covered === 0 ? 'none' : sample}`)
  }
  console.log(failures.length === 0 ? 'all promises held' : `${failures.length} places failed`)
}

function lineOf(row: Row): string {
  const {
    name,
    words,
    coveredPercent,
    isSample,
    moments,
    combinations,
    images,
    nestedImages,
    recoveries,
  } = row
  const share = `${isSample ? 'sample, ' : ''}${coveredPercent} % of ${words}`
  const cells: [string | number, number][] = [
    [share, 23],
    [moments, 9],
    [combinations, 13],
    [images, 9],
    [nestedImages, 9],
    [recoveries, 11],
    [row.cpuSeconds, 9],
  ]
  const text = cells.map(([cell, width]) => String(cell).padStart(width)).join(' ')
  return `${name.padEnd(36)} ${text}`
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0)
}

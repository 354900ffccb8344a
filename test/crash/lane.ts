/**
 * Lane: the crash lane over all workloads, on as many processes as there are processors.
 *
 * Always true: what it prints and records says how much of each length was covered; a failure comes
 * with the command that repeats it.
 * Called by run.ts.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { writeLaneResult } from '../support/lane-result.ts'
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
  const numbers = Array.from({ length: options.workers }, (_, worker) => worker)
  const onReport = (worker: number, report: WorkerReport): void => {
    reports[worker] = report
    if (Object.keys(reports).length === options.workers) progress.show(reports)
  }
  await Promise.all(numbers.map(worker => runWorker(worker, { options, phases, onReport })))
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

/** Prints each phase when it is done, each failure when it is found, and where the lane is. */
class Progress {
  readonly #phases: readonly Phase[]
  readonly #failed = new Set<string>()
  #printed = 0

  constructor(phases: readonly Phase[]) {
    this.#phases = phases
    console.log(
      'workloads (operations)                        covered    moments  combinations    images' +
        '    nested  recoveries     CPU s',
    )
  }

  show(reports: readonly WorkerReport[]): void {
    // Each worker has begun the phase after it.
    const done = Math.min(...reports.map(report => report.phases.length)) - 1
    this.#print(done, reports)
    const phase = this.#phases[this.#printed]
    if (!process.stderr.isTTY || phase === undefined) return
    const { words, covered } = rowOf(phase, reports, this.#printed)
    const share = ((100 * covered) / words).toFixed(1)
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

interface Run {
  readonly options: LaneOptions
  readonly phases: readonly Phase[]
  onReport(worker: number, report: WorkerReport): void
}

function runWorker(worker: number, { options, phases, onReport }: Run): Promise<void> {
  const path = fileURLToPath(new URL('./worker.js', import.meta.url))
  const child = fork(path, [], { serialization: 'advanced', execArgv: ['--enable-source-maps'] })
  const { workers, minutes } = options
  const job: CrashJob = { worker, workers, phases, cpuMs: (minutes * 60_000) / workers }
  child.send(job)
  child.on('message', report => onReport(worker, report as WorkerReport))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => {
      if (code === 0) resolve()
      else reject(new Error(`worker ${worker} of the crash lane ended with ${code}`))
    })
  })
}

interface Row extends Counts {
  readonly name: string
  readonly words: number
  readonly covered: number
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
  return {
    name: phaseName(phase),
    words: countOfWords(phase.length),
    covered: sum(parts, part => part.covered),
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

function printTotal({ total, failures, seconds }: Facts): void {
  const { distinctImages, recoveries, images, cpuSeconds } = total
  const rate = Math.round(images / Math.max(1, cpuSeconds))
  console.log(
    `${total.workloads} workloads, ${total.moments} crash points, ${total.combinations} ` +
      `combinations of what survives; ${images} images checked, ${distinctImages} of them ` +
      `distinct, ${recoveries} recoveries run; ${cpuSeconds} CPU s in ${seconds.toFixed(0)} s, ` +
      `${rate} images per CPU second`,
  )
  console.log(failures.length === 0 ? 'all promises held' : `${failures.length} places failed`)
}

function lineOf(row: Row): string {
  const { name, words, covered, moments, combinations, images, nestedImages, recoveries } = row
  const share = `${((100 * covered) / words).toFixed(1)} % of ${words}`
  const cells: [string | number, number][] = [
    [share, 17],
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

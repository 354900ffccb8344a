/**
 * Protocol: what the crash lane and its worker processes say to each other.
 *
 * Always true: plain data only; a worker answers its job with any number of progress messages and
 * one last message, and says the name of each workload, as a text, before it begins it.
 * Used by run.ts, lane.ts, worker.ts and the sweep.
 */
import type { Counts, Failure } from './explore.ts'
import type { Phase } from './workloads.ts'

export interface CrashJob {
  readonly worker: number
  readonly workers: number
  readonly phases: readonly Phase[]
  /** CPU time of this process after which it stops. */
  readonly cpuMs: number
}

export interface PhaseReport {
  /** Words that are done, those without an effect and what begins with them among them. */
  readonly covered: number
  readonly counts: Counts
  readonly recoveries: number
  readonly cpuMs: number
}

export interface WorkerReport {
  /** So many of the first phases are done. */
  readonly donePhases: number
  /** One for each phase that was begun. */
  readonly phases: readonly PhaseReport[]
  readonly failures: readonly Failure[]
  readonly distinctImages: number
  /** The keys of the images; only in the last message. */
  readonly keys?: readonly string[]
}

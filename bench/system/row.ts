/**
 * Row: one line of the table of targets (DESIGN §12): how it is measured, and when it is met.
 *
 * Always true: a row that was measured quickly is never called met or missed; the value is one
 * number in the unit of its target, so that runs can be set side by side.
 * Declared in throughput-rows.ts, latency-rows.ts and footprint-rows.ts; run by bench/run.ts.
 */
import type { BenchReport } from '../../client/cli/bench/report.ts'
import type { Lab } from './lab.ts'

export interface Judged {
  /** What is compared with the target. */
  readonly value: number
  readonly unit: string
  /** As the table shows it. */
  readonly measured: string
  readonly isMet: boolean
}

/** What a row found. */
export interface Found extends Judged {
  /** What it was made of; empty where no bench command did it. */
  readonly reports: readonly BenchReport[]
}

export interface Outcome extends Found {
  /** What the broker was started with, beside place and log; empty = its defaults. */
  readonly brokerFlags: string
}

export interface Row {
  readonly name: string
  readonly about: string
  /** In words, as the design has it. */
  readonly target: string
  readonly run: (lab: Lab) => Promise<Found>
}

/** The only report of a bench. @throws Error where there are none or several */
export function onlyOne(reports: readonly BenchReport[]): BenchReport {
  const [report, more] = reports
  if (report === undefined || more !== undefined) throw new Error('one result was expected')
  return report
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** Met where the rate is at least `target`. */
export function atLeast(report: BenchReport, target: number): Judged {
  const value = report.recordsPerSecond
  const measured = `${count(value)} records/s`
  return { value, unit: 'records/s', measured, isMet: value >= target }
}

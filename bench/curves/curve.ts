/**
 * Curve: one figure or more of a broker against one quantity that grows. Types, and what a curve
 * is given to work with.
 *
 * Always true: a curve measures a real broker in a process of its own, through the SDK, on a real
 * disk; what it made is gone after `close`.
 * Written by the files of this folder named like their curve; played by run.ts.
 */
import type { BrokerProcess } from '../demo/broker-process.ts'

export interface SeriesPlan {
  readonly key: string
  /** As it stands over its plot. */
  readonly label: string
  readonly unit: string
  /** Which way is good: it decides what counts as a bend for the worse. */
  readonly good: 'more' | 'less'
  /**
   * Our explanation of a bend for the worse. No run proves it: it is printed behind the measured
   * sentence, and only where such a bend was measured.
   */
  readonly cause: string
}

export type Figures = Readonly<Record<string, number>>

/** A curve being measured. */
export interface CurveRun {
  /** The figures at `x`, by the keys of the series. Called with growing x. */
  measure(x: number): Promise<Figures>
  close(): Promise<void>
}

export interface CurveTools {
  /** An empty directory for one use. */
  newDirectory(): Promise<string>
  startBroker(dataDir: string, flags?: readonly string[]): Promise<BrokerProcess>
  /** How long one figure is measured for. */
  readonly seconds: number
  /** Aborted when the lane ends before its time; what is started besides a broker hangs on it. */
  readonly signal: AbortSignal
}

export type CurveSize = 'full' | 'quick' | 'tiny'

export interface CurvePlan {
  readonly name: string
  readonly title: string
  /** What grows, with its unit where it has one. */
  readonly x: string
  readonly points: Readonly<Record<CurveSize, readonly number[]>>
  readonly series: readonly SeriesPlan[]
  /** Conditions of all points, for the reader: flush, acks, sizes. */
  readonly conditions: string
  open(tools: CurveTools): Promise<CurveRun>
}

/**
 * Lane: one kind of fault as the command line runs it.
 *
 * Always true: `run` throws what was found wrong, and otherwise answers figures that were measured;
 * a lane cleans up after itself, whatever happened.
 * The list is in lanes.ts; run.ts runs it.
 */
import type { Need } from './needs.ts'

export interface LaneOptions {
  readonly rounds: number
  readonly seed: number
  /** Prints one line of progress. */
  say(line: string): void
}

export type Facts = Readonly<Record<string, number | string>>

export interface Lane {
  readonly name: string
  /** What is done and must hold, in one sentence. */
  readonly about: string
  readonly needs: readonly Need[]
  /** Of a full run. */
  readonly rounds: number
  run(options: LaneOptions): Promise<Facts>
}

/** A fault was not survived as it should be. @throws Error saying `what` unless `holds` */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** The one in the middle, by size; 0 of none. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}

/** The smallest; Infinity of none. There may be more of them than a call takes arguments. */
export function least(numbers: readonly number[]): number {
  return numbers.reduce((smallest, number) => Math.min(smallest, number), Infinity)
}

/**
 * Target: one thing that reads what others wrote, and what must hold for it whatever it reads.
 *
 * Always true: an input is bytes and says everything, so a file of the corpus is an input; `run`
 * throws exactly when a property is broken.
 * Implemented by targets/; driven by engine.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { FuzzRandom } from './random.ts'

export interface Target {
  readonly name: string
  /** Executions out of a million of a whole run. */
  readonly weight: number
  /** Bytes that one execution may need at most: twice the limit that is in force for it. */
  readonly maxAllocatedBytes: number
  /** Milliseconds that one execution may take. */
  readonly maxMs: number
  /** State is made anew after so many executions, counted from the first one. */
  readonly executionsPerState: number
  /** What `run` does depends on what it was given before. */
  readonly isStateful: boolean
  /** Stages that a short run must reach: a generator that no longer gets there tests nothing. */
  readonly reaches: readonly string[]
  open(seed: number): Promise<TargetState>
}

export interface TargetState {
  make(random: FuzzRandom): Uint8Array
  /** How far the input came: `stages` counts it. @throws Broken, or whatever escaped */
  run(input: Uint8Array): string | Promise<string>
  close?(): void | Promise<void>
}

/** A property does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export function require(holds: boolean, sentence: () => string): asserts holds {
  if (!holds) throw new Broken(sentence())
}

/** Runs `work`; a SluiceError is a verdict, anything else that is thrown goes on. */
export function verdictOf<T>(work: () => T): T | SluiceError {
  try {
    return work()
  } catch (error) {
    if (SluiceError.is(error)) return error
    throw error
  }
}

export async function asyncVerdictOf<T>(work: () => Promise<T>): Promise<T | SluiceError> {
  try {
    return await work()
  } catch (error) {
    if (SluiceError.is(error)) return error
    throw error
  }
}

export const defaults = {
  maxMs: 50,
  executionsPerState: 20_000,
  isStateful: false,
} as const

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0

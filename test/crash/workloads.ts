/**
 * Workloads: which there are, in which order, and how each and each place in it is called.
 *
 *   commit/settled/arct            a workload: flush, pace, operations
 *   commit/settled/arct@31.5       the power loss 5 of the moment before its call 31
 *   commit/settled/arct@31.5@4.0   and then a crash of that recovery before its call 4
 *   commit/settled/arct@31.-1      the death of the process before its call 31
 *
 * Always true: the order is by length, and within a length the same on every machine.
 * Called by run.ts, worker.ts and explore.ts.
 */
import { operations, operationsOf } from './operations.ts'

export interface Workload {
  /** Of the topic when it is made. */
  readonly flush: 'commit' | 'os'
  /** settled: an operation begins when nothing is left to be done of the one before it. */
  readonly pace: 'settled' | 'together'
  /** Letters of operations.ts. */
  readonly word: string
}

/** One crash: the number of the disk call before which it comes, and what it leaves. */
export interface Step {
  readonly call: number
  /** −1 = the page cache survives. */
  readonly index: number
}

export interface Place {
  readonly workload: Workload
  readonly steps: readonly Step[]
}

export const workloadName = ({ flush, pace, word }: Workload): string => `${flush}/${pace}/${word}`

export const placeName = ({ workload, steps }: Place): string =>
  workloadName(workload) + steps.map(({ call, index }) => `@${call}.${index}`).join('')

/** @throws Error for what is no place */
export function parsePlace(text: string): Place {
  const [name = '', ...rest] = text.split('@')
  const match = /^(commit|os)\/(settled|together)\/([a-z]*)$/.exec(name)
  const steps = rest.map(part => /^(\d+)\.(-?\d+)$/.exec(part))
  if (match === null || steps.includes(null)) throw new Error(`not a place: ${text}`)
  const [, flush, pace, word = ''] = match
  operationsOf(word)
  return {
    workload: { flush: flush as Workload['flush'], pace: pace as Workload['pace'], word },
    steps: steps.map(step => ({ call: Number(step?.[1]), index: Number(step?.[2]) })),
  }
}

/** Every word of this length, of those that do not begin with a word in `idle`. */
export function* wordsOf(
  length: number,
  idle: ReadonlySet<string>,
  prefix = '',
): Generator<string> {
  if (idle.has(prefix)) return
  if (length === 0) {
    yield prefix
    return
  }
  for (const { letter } of operations) yield* wordsOf(length - 1, idle, prefix + letter)
}

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

/** One length of one kind. */
export interface Phase extends Omit<Workload, 'word'> {
  readonly length: number
}

export const phaseName = ({ length, flush, pace }: Phase): string =>
  `${length} ${length === 1 ? 'operation' : 'operations'}, flush=${flush}, ${pace}`

/** Operations that do not wait for each other have their place after the plain ones. */
const longestTogether = 3

/** In order of length; up to `operations` operations. */
export function phasesOf(mostOperations: number): Phase[] {
  const lengths = Array.from({ length: mostOperations + 1 }, (_, length) => length)
  const paces = ['settled', 'together'] as const
  return lengths.flatMap(length =>
    paces
      .filter(pace => pace === 'settled' || (length >= 2 && length <= longestTogether))
      .flatMap(pace => (['commit', 'os'] as const).map(flush => ({ length, flush, pace }))),
  )
}

/** Those of one length and pace, which are explored side by side before the next are begun. */
export function roundsOf(phases: readonly Phase[]): Phase[][] {
  const rounds = new Map<string, Phase[]>()
  for (const phase of phases) {
    const name = `${phase.length} ${phase.pace}`
    rounds.set(name, [...(rounds.get(name) ?? []), phase])
  }
  return [...rounds.values()]
}

/** How many words of this length there are. */
export const countOfWords = (length: number): number => operations.length ** length

/**
 * Which of `workers` has a word: all with the same first two letters are one worker's, which so
 * knows the images that they share. The shortest are everybody's.
 */
export function isMine(word: string, worker: number, workers: number): boolean {
  if (word.length < 2) return true
  const at = (index: number) => operations.findIndex(({ letter }) => letter === word[index])
  return (at(0) + at(1)) % workers === worker
}

/** Every word of this length. */
export function* wordsOf(length: number, prefix = ''): Generator<string> {
  if (length === 0) yield prefix
  else for (const { letter } of operations) yield* wordsOf(length - 1, prefix + letter)
}

/**
 * Every word of this length once, in a fixed order in which any first part has words from all over:
 * where a lane is cut off, what it has covered is a fair sample.
 */
export function* spreadWordsOf(length: number): Generator<string> {
  const count = countOfWords(length)
  let stride = Math.floor(count * goldenRatio)
  // Else it would come back before it has been everywhere.
  while (!isCoprime(stride, count)) stride++
  for (let turn = 0, number = 0; turn < count; turn++) {
    yield wordAt(number, length)
    number = (number + stride) % count
  }
}

const goldenRatio = 0.618

const isCoprime = (a: number, b: number): boolean => (b === 0 ? a === 1 : isCoprime(b, a % b))

function wordAt(number: number, length: number): string {
  let word = ''
  for (let rest = number; word.length < length; rest = Math.floor(rest / operations.length)) {
    word = (operations[rest % operations.length]?.letter ?? '') + word
  }
  return word
}

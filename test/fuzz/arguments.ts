/**
 * Arguments of the lane: `npm run fuzz -- [--executions 20M] [--seconds N] [--target a,b]
 * [--seed S] [--replay target:number] [--corpus] [--keep] [--record]`.
 *
 * Always true: what is not understood is an error that says so; nothing is guessed.
 * Called by run.ts.
 */
import { parseArgs } from 'node:util'
import { parseCount } from '../../client/cli/units.ts'
import type { Target } from './target.ts'
import { targets } from './targets.ts'

export interface LaneOptions {
  readonly seed: number
  /** Infinity = as many as the seconds allow. */
  readonly executions: number
  readonly seconds: number
  readonly targets: readonly Target[]
  readonly workers: number
  readonly replay: { readonly target: Target; readonly index: number } | null
  /** Replay the corpus only. */
  readonly corpusOnly: boolean
  /** Put what is found into the corpus. */
  readonly keep: boolean
  readonly record: boolean
}

const flags = {
  executions: { type: 'string' },
  seconds: { type: 'string' },
  target: { type: 'string', multiple: true },
  seed: { type: 'string' },
  workers: { type: 'string' },
  replay: { type: 'string' },
  corpus: { type: 'boolean' },
  keep: { type: 'boolean' },
  record: { type: 'boolean' },
} as const

const defaultExecutions = 1_000_000

export function laneOptions(words: readonly string[]): LaneOptions {
  const { values } = parseArgs({ args: [...words], options: flags })
  const seconds = values.seconds === undefined ? Infinity : parseCount(values.seconds)
  const fallback = seconds === Infinity ? defaultExecutions : Infinity
  return {
    seed: parseCount(values.seed ?? '1'),
    executions: values.executions === undefined ? fallback : parseCount(values.executions),
    seconds,
    targets: chosen(values.target ?? []),
    workers: parseCount(values.workers ?? '2'),
    replay: values.replay === undefined ? null : replayOf(values.replay),
    corpusOnly: values.corpus === true,
    keep: values.keep === true,
    record: values.record === true,
  }
}

export function targetNamed(name: string): Target {
  const target = targets.find(one => one.name === name)
  if (target !== undefined) return target
  throw new Error(`no target "${name}"; there are ${targets.map(one => one.name).join(', ')}`)
}

function chosen(words: readonly string[]): readonly Target[] {
  const names = words.flatMap(word => word.split(','))
  return names.length === 0 ? targets : names.map(targetNamed)
}

function replayOf(word: string): { target: Target; index: number } {
  const [name = '', index = ''] = word.split(':')
  return { target: targetNamed(name), index: parseCount(index) }
}

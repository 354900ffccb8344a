/**
 * Options that several benches share, and how their values are read.
 *
 *   --warmup 10% 5s 20k · --size 100B 100B-1KiB · --key none random 1000 · --rate 1k,10k
 *
 * Always true: a value that is not understood or out of its range is refused before anything is
 * sent, and so is a warm-up that is known beforehand to leave nothing to measure.
 * Used by the bench commands of this room.
 */
import type { InferredOptionTypes } from 'yargs'
import type { OptionTable } from '../command.ts'
import { usageError } from '../failure.ts'
import { durationMs, parseCount, parseDuration, parseSize, parseWhole } from '../units.ts'
import { noWarmup, type Warmup } from './meter.ts'
import type { KeyPlan, SizeRange } from './payload.ts'

/** A share of what is expected, a time, or a number of records. */
export type WarmupPlan =
  | { readonly percent: number }
  | { readonly ms: number }
  | { readonly records: number }

/** @throws SluiceError INVALID_ARGUMENT */
export function parseWarmup(text: string): WarmupPlan {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  if (percent !== undefined) {
    if (Number(percent) >= 100) throw usageError('--warmup must be below 100%')
    return { percent: Number(percent) }
  }
  if (/^[\d.]+$/.test(text)) return { records: parseCount(text) }
  // 5m may be minutes or millions; a warm-up is more often a time
  const ms = durationMs(text)
  return ms === null ? { records: parseCount(text) } : { ms }
}

/** What a run is to end with, whichever comes first; null = not known beforehand. */
export interface Expected {
  readonly records: number | null
  readonly ms: number | null
  /** Records per second of an open loop. */
  readonly rate?: number | null
}

/** Time after which the run is over at the latest, if all goes as asked. */
function endMsOf({ records, ms, rate = null }: Expected): number {
  const byRate = records === null || rate === null ? Infinity : (records * 1000) / rate
  return Math.min(ms ?? Infinity, byRate)
}

/**
 * What the plan means for a run that ends as `expected`. A share ends with that share of the
 * records or of the time, whichever comes first, because the run does so too.
 * @throws SluiceError INVALID_ARGUMENT where nothing would be left to measure
 */
export function warmupOf(plan: WarmupPlan, expected: Expected): Warmup {
  const { records, ms } = expected
  const tooLong = (): never => {
    throw usageError('--warmup must be shorter than what is measured')
  }
  if ('percent' in plan) {
    const share = plan.percent / 100
    const first = records === null ? null : Math.floor(records * share)
    if (first === 0) return noWarmup
    return { records: first ?? 0, ms: Math.round((ms ?? 0) * share) }
  }
  if ('ms' in plan) {
    if (plan.ms >= endMsOf(expected)) tooLong()
    return { records: 0, ms: plan.ms }
  }
  if (records !== null && plan.records >= records) tooLong()
  return { records: plan.records, ms: 0 }
}

/** One size, or the smallest and the largest. @throws SluiceError INVALID_ARGUMENT */
export function parseSizeRange(text: string): SizeRange {
  const [first = '', last, more] = text.split('-')
  if (more !== undefined) throw usageError(`"${text}" is not a size`, 'write 100B or 100B-1KiB')
  const min = parseSize(first)
  return { min, max: last === undefined ? min : parseSize(last) }
}

/** @throws SluiceError INVALID_ARGUMENT */
export function parseKeyPlan(text: string): KeyPlan {
  if (text === 'none' || text === 'random') return text
  const count = parseCount(text)
  return count === 0 ? 'none' : count
}

/** Records per second, each at least 1. @throws SluiceError INVALID_ARGUMENT */
export function parseRates(text: string): number[] {
  const rates = text.split(',').map(parseCount)
  if (rates.some(rate => rate < 1)) throw usageError('--rate must be at least 1')
  return rates
}

/** @throws SluiceError INVALID_ARGUMENT */
export function parseRate(text: string): number {
  const [rate = 0, more] = parseRates(text)
  if (more !== undefined) throw usageError('--rate takes one rate here')
  return rate
}

/** @throws SluiceError INVALID_ARGUMENT */
export function checkRange(
  name: string,
  value: number,
  range: { min: number; max: number },
): number {
  const { min, max } = range
  if (value >= min && value <= max) return value
  throw usageError(`--${name} must be ${min} to ${max}`)
}

/** Where the result goes besides stdout, and what is looked at besides the bench. */
export const resultOptions = {
  csv: { type: 'string', describe: 'File for the intervals, a line each' },
  'json-file': { type: 'string', describe: 'File for the result, as -j shows it' },
  html: { type: 'string', describe: 'File for one page with plots' },
  disk: {
    type: 'string',
    describe: "Directory whose disk is measured too; none = not [a local broker's data directory]",
  },
  'broker-pid': {
    type: 'string',
    coerce: parseWhole,
    describe: 'Process whose CPU time and memory are the broker’s [found on loopback]',
  },
} as const satisfies OptionTable
export type ResultArgs = InferredOptionTypes<typeof resultOptions>

/** The topic of benches that write. */
export const topicOptions = {
  topic: { type: 'string', default: 'sluice-bench', describe: 'Made if missing' },
  partitions: { alias: 'p', type: 'string', coerce: parseWhole, describe: 'Of a topic made [1]' },
  config: {
    alias: 'c',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'Setting of a topic made, as flush=os',
  },
  keep: { type: 'boolean', describe: 'Keep a topic that was made' },
} as const satisfies OptionTable

export const runOptions = {
  duration: { type: 'string', coerce: parseDuration, describe: 'Stop after this time' },
  warmup: {
    type: 'string',
    coerce: parseWarmup,
    default: '10%',
    describe: 'Not measured: a share, a time or a number of records',
  },
  verify: {
    type: 'boolean',
    default: true,
    describe: 'Check count, order and checksum of every record; --no-verify leaves it out',
  },
} as const satisfies OptionTable

/**
 * Offset range: the `-o` of consume, where to begin and where to stop.
 *
 *   start  end  :end  n  n:m  n:end  +n  -n  @time  @time:time  @-1h:end  s@ms  e@ms
 *
 *   +n = n past the log start · -n = the last n · m and the right-hand time are not included
 *
 * Always true: parsing is pure; `resolveRange` turns a range into offsets once the ends of a
 * partition are known.
 * Used by consume; `sluice help offsets` prints the table.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { parseTime } from './calendar.ts'

export type Edge =
  | { readonly at: 'start' }
  | { readonly at: 'end' }
  | { readonly at: 'offset'; readonly offset: number }
  | { readonly at: 'afterStart'; readonly records: number }
  | { readonly at: 'last'; readonly records: number }
  | { readonly at: 'time'; readonly timestamp: number }

export interface OffsetRange {
  readonly from: Edge
  /** null = no end: wait for more. */
  readonly to: Edge | null
}

export const offsetForms: readonly (readonly [string, string])[] = [
  ['start', 'from the oldest record, then wait for new ones; also earliest, beginning'],
  ['end', 'only records that come from now on; also latest'],
  [':end', 'everything there is now, then stop'],
  ['500', 'from offset 500, then wait'],
  ['500:700', 'offsets 500 to 699, then stop'],
  ['500:end', 'from offset 500 to what is the end now'],
  ['+10', 'from the tenth offset after the oldest'],
  ['-10', 'from the tenth offset before the end'],
  ['@2026-11-01T08:30Z', 'from the first record at or after that time'],
  ['@2026-11-01:2026-11-02', 'records of that day'],
  ['@-1h:end', 'the last hour, then stop'],
  ['@1790000000', 'unix seconds (10 digits) or milliseconds (13 digits)'],
  ['s@1790000000000', "kcat's form: from that millisecond"],
  ['e@1790000000000', "kcat's form: up to that millisecond"],
]

/** Ours, the SDK's and Kafka's, kcat's. */
const startWords: readonly string[] = ['start', 'earliest', 'beginning']
const endWords: readonly string[] = ['end', 'latest']

function refuse(text: string): never {
  throw new SluiceError('INVALID_ARGUMENT', `"${text}" is not an offset range`, {
    hint: 'sluice help offsets shows every form, for example start, end, -10, 500:700, @-1h:end',
  })
}

function edgeOf(text: string, nowMs: number): Edge | null {
  if (startWords.includes(text)) return { at: 'start' }
  if (endWords.includes(text)) return { at: 'end' }
  const match = /^([+-]?)(\d{1,16})$/.exec(text)
  if (match !== null) {
    const value = Number(match[2])
    if (!Number.isSafeInteger(value)) return null
    if (match[1] === '+') return { at: 'afterStart', records: value }
    return match[1] === '-' ? { at: 'last', records: value } : { at: 'offset', offset: value }
  }
  const time = text.startsWith('@') ? parseTime(text.slice(1), nowMs) : null
  return time === null ? null : { at: 'time', timestamp: time }
}

/** The right side of a range may leave the @ out: `@a:b`. */
function lastEdgeOf(text: string, from: Edge, nowMs: number): Edge | null {
  const edge = from.at === 'time' && !endWords.includes(text) ? null : edgeOf(text, nowMs)
  if (edge !== null) return edge
  const time = parseTime(text.startsWith('@') ? text.slice(1) : text, nowMs)
  return from.at === 'time' && time !== null ? { at: 'time', timestamp: time } : null
}

function kcatTime(text: string): OffsetRange | null {
  const match = /^([se])@(\d{1,16})$/.exec(text)
  if (match === null) return null
  const timestamp = Number(match[2])
  if (!Number.isSafeInteger(timestamp)) return null
  const edge: Edge = { at: 'time', timestamp }
  return match[1] === 's' ? { from: edge, to: null } : { from: { at: 'start' }, to: edge }
}

function requireForward(text: string, range: OffsetRange): OffsetRange {
  const { from, to } = range
  const isBackward =
    (from.at === 'offset' && to?.at === 'offset' && to.offset < from.offset) ||
    (from.at === 'time' && to?.at === 'time' && to.timestamp < from.timestamp)
  if (!isBackward) return range
  throw new SluiceError('INVALID_ARGUMENT', `"${text}" ends before it begins`, {
    hint: 'the smaller one comes first; the right side is not included',
  })
}

/** @throws SluiceError INVALID_ARGUMENT */
export function parseOffsetRange(text: string, nowMs: number): OffsetRange {
  const kcat = kcatTime(text)
  if (kcat !== null) return kcat
  const whole = edgeOf(text, nowMs)
  if (whole !== null) return { from: whole, to: null }
  // A time holds colons itself, so every colon is tried as the one that parts the two sides.
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    const left = text.slice(0, colon)
    const from = left === '' ? ({ at: 'start' } as const) : edgeOf(left, nowMs)
    const to = from === null ? null : lastEdgeOf(text.slice(colon + 1), from, nowMs)
    if (from !== null && to !== null) return requireForward(text, { from, to })
  }
  return refuse(text)
}

/** Several `-o`: kcat's `-o s@… -o e@…` become one range. @throws SluiceError INVALID_ARGUMENT */
export function parseOffsetRanges(texts: readonly string[], nowMs: number): OffsetRange {
  const [first, second] = texts
  if (first === undefined) return { from: { at: 'start' }, to: null }
  if (second === undefined) return parseOffsetRange(first, nowMs)
  const from = kcatTime(texts.find(text => text.startsWith('s@')) ?? '')
  const to = kcatTime(texts.find(text => text.startsWith('e@')) ?? '')
  if (texts.length !== 2 || from === null || to === null) {
    throw new SluiceError('INVALID_ARGUMENT', `more than one offset: ${texts.join(' ')}`, {
      hint: 'only s@ms and e@ms may be given together; ranges are written n:m',
    })
  }
  return { from: from.from, to: to.to }
}

export interface PartitionEnds {
  readonly start: number
  readonly end: number
}
/** Offset of the first record at or after a time, null where there is none. */
export type OffsetOfTime = (timestamp: number) => number | null

function resolveEdge(edge: Edge, ends: PartitionEnds, offsetOfTime: OffsetOfTime): number {
  switch (edge.at) {
    case 'start':
      return ends.start
    case 'end':
      return ends.end
    case 'offset':
      return edge.offset
    case 'afterStart':
      return ends.start + edge.records
    case 'last':
      return Math.max(ends.start, ends.end - edge.records)
    case 'time':
      return offsetOfTime(edge.timestamp) ?? ends.end
  }
}

/** First offset to read and the one to stop before (null = never). */
export function resolveRange(
  range: OffsetRange,
  ends: PartitionEnds,
  offsetOfTime: OffsetOfTime,
): { from: number; to: number | null } {
  return {
    from: resolveEdge(range.from, ends, offsetOfTime),
    to: range.to === null ? null : resolveEdge(range.to, ends, offsetOfTime),
  }
}

/** Times that must be looked up before `resolveRange`. */
export function timesOf(range: OffsetRange): number[] {
  return [range.from, range.to].flatMap(edge => (edge?.at === 'time' ? [edge.timestamp] : []))
}

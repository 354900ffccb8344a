/**
 * Consume plan: which partitions to read, from which offset, and where to stop.
 *
 *   waiting for more, plain start      ──> topics + start      new partitions are noticed
 *   anything with an end, or -p, +n    ──> assigned partitions with offsets looked up now
 *
 * Always true: an end is an offset fixed when reading began, so a busy topic cannot keep a bounded
 * read from ending.
 * Used by consume and bench consume.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { OffsetAnswer, OffsetQuery } from '../types/administering.ts'
import type { Client } from '../types/client.ts'
import type { ConsumerOptions, StartPosition } from '../types/consuming.ts'
import { type OffsetRange, resolveRange, timesOf } from './offset-range.ts'

export interface PlannedPartition {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Offset before which to stop; null = never. */
  readonly to: number | null
}

export interface ConsumePlan {
  /** What the SDK's consumer is given. */
  readonly source: Pick<
    ConsumerOptions<Uint8Array, Uint8Array>,
    'topics' | 'assign' | 'start' | 'stopAtEnd'
  >
  /** null where reading goes on until it is stopped. */
  readonly bounded: readonly PlannedPartition[] | null
}

export interface PlanOptions {
  readonly topics: readonly string[]
  /** null = all. */
  readonly partitions: readonly number[] | null
  readonly range: OffsetRange
  /** Stop at what is the end now. */
  readonly stopAtEnd: boolean
  readonly signal: AbortSignal
}

function simpleStart(range: OffsetRange): StartPosition | null {
  const { from } = range
  switch (from.at) {
    case 'start':
      return 'earliest'
    case 'end':
      return 'latest'
    case 'offset':
      return { offset: from.offset }
    case 'last':
      return { last: from.records }
    case 'time':
      return { timestamp: from.timestamp }
    case 'afterStart':
      return null
  }
}

async function partitionsOf(
  client: Client,
  options: PlanOptions,
): Promise<{ topic: string; partition: number }[]> {
  const all = await client.admin.topics.list({ signal: options.signal })
  return options.topics.flatMap(topic => {
    const found = all.find(listing => listing.name === topic)
    if (found === undefined) {
      throw new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', `topic "${topic}" not found`)
    }
    const numbers = options.partitions ?? [...Array(found.partitions).keys()]
    const missing = numbers.find(partition => partition >= found.partitions)
    if (missing !== undefined) {
      throw new SluiceError(
        'UNKNOWN_TOPIC_OR_PARTITION',
        `"${topic}" has no partition ${missing}, only 0 to ${found.partitions - 1}`,
      )
    }
    return numbers.map(partition => ({ topic, partition }))
  })
}

/** Answers in the order of the queries of one partition: earliest, latest, then each time. */
function planPartition(
  range: OffsetRange,
  times: readonly number[],
  answers: readonly OffsetAnswer[],
): { from: number; to: number | null } {
  const [earliest, latest, ...found] = answers.map(answer => answer.offset)
  const ends = { start: earliest ?? 0, end: latest ?? 0 }
  return resolveRange(range, ends, time => found[times.indexOf(time)] ?? null)
}

async function plannedPartitions(
  client: Client,
  options: PlanOptions,
  range: OffsetRange,
): Promise<PlannedPartition[]> {
  const partitions = await partitionsOf(client, options)
  const times = timesOf(range)
  const queries = partitions.flatMap((place): OffsetQuery[] => [
    { ...place, at: 'earliest' },
    { ...place, at: 'latest' },
    ...times.map(timestamp => ({ ...place, at: 'timestamp' as const, timestamp })),
  ])
  const answers = await client.admin.offsets(queries, { signal: options.signal })
  const perPartition = 2 + times.length
  return partitions.map((place, i) => ({
    ...place,
    ...planPartition(range, times, answers.slice(i * perPartition, (i + 1) * perPartition)),
  }))
}

/** @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, and what the broker answers */
export async function planConsume(client: Client, options: PlanOptions): Promise<ConsumePlan> {
  const range: OffsetRange =
    options.stopAtEnd && options.range.to === null
      ? { from: options.range.from, to: { at: 'end' } }
      : options.range
  const start = simpleStart(range)
  if (range.to === null && options.partitions === null && start !== null) {
    // the topic is asked for so that a wrong name is an error at once
    await partitionsOf(client, options)
    return { source: { topics: options.topics, start }, bounded: null }
  }
  const planned = await plannedPartitions(client, options, range)
  const assign = planned.map(({ topic, partition, from }) => ({
    topic,
    partition,
    start: { offset: from },
  }))
  // Markers and open transactions may keep the last offsets from ever being shown.
  const stopAtEnd = range.to !== null && range.to.at !== 'offset'
  return { source: { assign, stopAtEnd }, bounded: range.to === null ? null : planned }
}

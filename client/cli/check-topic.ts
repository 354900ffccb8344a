/**
 * check topic: is a topic there with all its partitions, not too large, written to lately, and is
 * what retention promises done.
 *
 * Always true: a partition that is not served is CRITICAL, one that takes no writes too; the age is
 * that of the newest record by its own timestamp.
 */
import type { PartitionDescription, TopicDescription } from '../types/administering.ts'
import {
  type Checked,
  compare,
  type Figure,
  type Finding,
  requireOrder,
  runCheck,
} from './check.ts'
import { defineCommand } from './command.ts'
import { durationMs, parseDuration, parseSize, showDuration, showSize } from './units.ts'

interface Bounds {
  readonly warn?: number | undefined
  readonly critical?: number | undefined
}
interface Limits {
  readonly size: Bounds
  readonly age: Bounds
}

/** Retention looks every five minutes by default; later than this it does not keep up. */
const retentionSlackMs = 15 * 60_000

function checkPartitions({ partitions, partitionDetails }: TopicDescription): Finding[] {
  const findings: Finding[] = []
  const offline = partitions - partitionDetails.length
  if (offline > 0) {
    const text = `${offline} of ${partitions} partitions are not served`
    findings.push({ status: 'CRITICAL', text })
  }
  for (const { partition, state, reason = 'damaged' } of partitionDetails) {
    if (state === 'ok') continue
    findings.push({ status: 'CRITICAL', text: `partition ${partition} takes no writes: ${reason}` })
  }
  return findings
}

/** Milliseconds since the newest record was made; null where there is none. */
function ageMs(partitions: readonly PartitionDescription[], nowMs: number): number | null {
  const times = partitions
    .filter(({ logStartOffset, highWatermark }) => highWatermark > logStartOffset)
    .flatMap(({ segments }) => segments.map(({ maxTimestamp }) => maxTimestamp))
  const newest = Math.max(-1, ...times)
  return newest < 0 ? null : Math.max(0, nowMs - newest)
}

function checkAge(age: number | null, limits: Bounds): Finding[] {
  if (age !== null) {
    return compare(age, limits, 'above', `the newest record is ${showDuration(age)} old`)
  }
  const text = 'there is no record in it'
  if (limits.critical !== undefined) return [{ status: 'CRITICAL', text }]
  return limits.warn === undefined ? [] : [{ status: 'WARNING', text }]
}

/** A closed segment that is much older than retention allows. */
function checkRetention(topic: TopicDescription, nowMs: number): Finding[] {
  const setting = topic.configs.find(({ name }) => name === 'retention.ms')?.value ?? '-1'
  const retentionMs = durationMs(setting)
  if (retentionMs === null) return []
  const sealed = topic.partitionDetails.flatMap(({ segments }) =>
    segments.flatMap(({ sealedAtMs }) => (sealedAtMs === undefined ? [] : [sealedAtMs])),
  )
  const lateMs = nowMs - Math.min(nowMs, ...sealed) - retentionMs
  if (lateMs <= retentionSlackMs) return []
  const late = showDuration(lateMs)
  const text = `the oldest segment is ${late} over retention.ms, which is ${setting}`
  return [{ status: 'WARNING', text }]
}

export function checkTopic(topic: TopicDescription, nowMs: number, limits: Limits): Checked {
  const { name, partitions, partitionDetails } = topic
  const sizeBytes = partitionDetails.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const records = partitionDetails.reduce(
    (sum, { highWatermark, logStartOffset }) => sum + highWatermark - logStartOffset,
    0,
  )
  const age = ageMs(partitionDetails, nowMs)
  const size = `${showSize(sizeBytes)} large`
  const fresh = age === null ? 'no record' : `newest record ${showDuration(age)} old`
  const figures: Figure[] = [
    { name: 'size', value: sizeBytes, unit: 'B', ...limits.size },
    { name: 'age', value: age === null ? null : age / 1000, unit: 's', ...inSeconds(limits.age) },
    { name: 'records', value: records, unit: '' },
    { name: 'online', value: partitionDetails.length, unit: '', max: partitions },
  ]
  return {
    subject: `topic ${name}`,
    summary: `${partitions} partitions online, ${size}, ${fresh}`,
    findings: [
      ...checkPartitions(topic),
      ...compare(sizeBytes, limits.size, 'above', size),
      ...checkAge(age, limits.age),
      ...checkRetention(topic, nowMs),
    ],
    figures,
  }
}

const inSeconds = ({ warn, critical }: Bounds): Bounds => ({
  warn: warn === undefined ? undefined : warn / 1000,
  critical: critical === undefined ? undefined : critical / 1000,
})

/** What `coerce` made of an option that need not be given. */
const given = (value: unknown): number | undefined =>
  value === undefined ? undefined : Number(value)

export const checkTopicCommand = defineCommand({
  usage: 'topic <topic>',
  about: 'Check that a topic is whole, not too large, and fresh',
  examples: [
    ['$0 check topic orders', 'all partitions are there and take writes'],
    ['$0 check topic orders --max-age 5m', 'CRITICAL where nothing came for five minutes'],
    ['$0 check topic orders --warn 50GiB --critical 80GiB', 'by size'],
  ],
  positionals: { topic: { type: 'string', demandOption: true, describe: 'Name' } },
  options: {
    warn: { type: 'string', coerce: parseSize, describe: 'WARNING above this size' },
    critical: { type: 'string', coerce: parseSize, describe: 'CRITICAL above this size' },
    'warn-age': {
      type: 'string',
      coerce: parseDuration,
      describe: 'WARNING where the newest record is older',
    },
    'max-age': {
      type: 'string',
      coerce: parseDuration,
      describe: 'CRITICAL where the newest record is older',
    },
  },
  run: async (context, args) => {
    const limits = {
      size: { warn: given(args.warn), critical: given(args.critical) },
      age: { warn: given(args['warn-age']), critical: given(args['max-age']) },
    }
    requireOrder('size', limits.size, 'above')
    requireOrder('age', limits.age, 'above')
    return runCheck(context, `topic ${args.topic}`, async client => {
      const topic = await client.admin.topics.describe(args.topic, { signal: context.signal })
      return checkTopic(topic, context.world.clock.wallMs(), limits)
    })
  },
})

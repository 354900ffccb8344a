/**
 * Topic views: how topics, partitions and settings look on the terminal and in JSON.
 *
 * Always true: the JSON shapes are API; they hold numbers as numbers and times as milliseconds
 * since 1970.
 * Used by the topic commands.
 */
import type {
  ConfigEntry,
  PartitionDescription,
  TopicDescription,
  TopicListing,
} from '../types/administering.ts'
import type { Listing } from './output.ts'
import { renderTable } from './table.ts'
import { showSize } from './units.ts'

export const topicListing: Listing<TopicListing> = {
  columns: [
    { title: 'NAME', cell: topic => topic.name },
    { title: 'PARTITIONS', cell: topic => topic.partitions },
    { title: 'REPLICAS', cell: topic => topic.replicationFactor },
    { title: 'TOPIC-ID', cell: topic => topic.topicId, wide: true },
  ],
  name: topic => topic.name,
  empty: 'no topics',
}

export interface PlannedChange {
  readonly setting: string
  readonly from: string
  readonly to: string
  /** It goes back to its default, which is `to`. */
  readonly unset?: true
}

export const plan: Listing<PlannedChange> = {
  columns: [
    { title: 'SETTING', cell: change => change.setting },
    { title: 'NOW', cell: change => change.from },
    { title: 'NEW', cell: change => (change.unset ? `${change.to} (default)`.trim() : change.to) },
  ],
  name: change => change.setting,
}

export interface TrimResult {
  readonly topic: string
  readonly partition: number
  readonly logStartOffset: number
}

export const trimListing: Listing<TrimResult> = {
  columns: [
    { title: 'TOPIC', cell: result => result.topic },
    { title: 'PARTITION', cell: result => result.partition },
    { title: 'LOG-START', cell: result => result.logStartOffset },
  ],
  name: result => String(result.partition),
}

function partitionTable(partitions: readonly PartitionDescription[], wide: boolean): string {
  return renderTable(
    partitions,
    [
      { title: 'PARTITION', cell: p => p.partition },
      { title: 'LEADER', cell: p => p.leader },
      { title: 'EPOCH', cell: p => p.leaderEpoch, wide: true },
      { title: 'REPLICAS', cell: p => p.replicas.join(','), wide: true },
      { title: 'ISR', cell: p => p.isr.join(',') },
      { title: 'LOG-START', cell: p => p.logStartOffset },
      { title: 'HIGH-WATERMARK', cell: p => p.highWatermark },
      { title: 'DURABLE-END', cell: p => p.durableEndOffset, wide: true },
      { title: 'LOG-END', cell: p => p.logEndOffset, wide: true },
      { title: 'SEGMENTS', cell: p => p.segments.length, wide: true },
      { title: 'SIZE', cell: p => showSize(p.sizeBytes) },
      { title: 'STATE', cell: p => (p.reason === undefined ? p.state : `${p.state}: ${p.reason}`) },
    ],
    wide,
  )
}

function configTable(configs: readonly ConfigEntry[], wide: boolean): string {
  const shown = wide ? configs : configs.filter(config => config.origin !== 'default')
  if (shown.length === 0) return ''
  const table = renderTable(
    shown,
    [
      { title: 'SETTING', cell: config => config.name },
      { title: 'VALUE', cell: config => config.value },
      { title: 'ORIGIN', cell: config => config.origin },
      { title: 'DEFAULT', cell: config => config.default, wide: true },
    ],
    wide,
  )
  return `\n${table}`
}

const flushMeaning = {
  commit: 'acked means fsynced',
  os: 'acked means in the page cache: the last seconds may be lost when the machine goes down',
} as const

/** A topic as people read it; `wide` shows every setting, not only those that were set. */
export function describeText(topic: TopicDescription, wide: boolean): string {
  const size = topic.partitionDetails.reduce((sum, p) => sum + p.sizeBytes, 0)
  const records = topic.partitionDetails.reduce((n, p) => n + p.highWatermark - p.logStartOffset, 0)
  return [
    `topic   ${topic.name}  (id ${topic.topicId})\n`,
    `data    ${records} offsets, ${showSize(size)}, ${topic.partitions} partitions, `,
    `replication factor ${topic.replicationFactor}\n`,
    `flush   ${topic.flush}: ${flushMeaning[topic.flush]}\n`,
    '\n',
    partitionTable(topic.partitionDetails, wide),
    configTable(topic.configs, wide),
  ].join('')
}

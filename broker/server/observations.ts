/**
 * Observations: the numbers of one broker at one moment, for every metric of the table.
 *
 * Always true: a metric of the table that is not filled here does not compile; sums over partitions
 * are made here, at a scrape, and never while serving.
 * Called by metrics-page.ts.
 */
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import { refusalReasons } from '../metrics/connection-counts.ts'
import type { Observation, Observations } from '../metrics/exposition.ts'
import type { ApiCounts } from '../metrics/request-counts.ts'
import type { TopicCounts } from '../metrics/topic-counts.ts'
import type { Partition } from '../replication/partition.ts'
import type { BrokerWorld } from '../world/world.ts'
import { type Health, healthReasons, healthStates } from './health.ts'
import { brokerVersion } from './software.ts'

export interface Observed {
  readonly counts: BrokerCounts
  readonly health: Health
  readonly world: BrokerWorld
  readonly dataDir: string
  /** When this broker was started, on the monotonic clock. */
  readonly beganMs: number
  /** Version of Node; not this room's to find out. */
  readonly node: string
  readonly perPartition: boolean
  /** What the open connections are at. */
  readonly sessions: { readonly size: number; readonly unsentBytes: number } | null
}

const listener = 'websocket'

const one = (value: number, labels?: Observation['labels']): Observation[] => [
  labels === undefined ? { value } : { value, labels },
]

export function observe(observed: Observed): Observations {
  const partitions = [...(observed.health.served?.partitions.all() ?? [])]
  return {
    ...ofBroker(observed, partitions.length),
    ...ofTopics(observed.counts),
    ...ofRequests(observed.counts),
    ...ofConnections(observed),
    ...ofStorage(observed),
    ...ofLogs(observed, partitions),
  }
}

function ofBroker(observed: Observed, open: number) {
  const { health, world, beganMs, node, counts } = observed
  const { status, reasons } = health.report()
  const { quarantined, offline } = health.damaged()
  const weight = (name: string): number => {
    const found = reasons.find(({ reason }) => reason === name)
    return found === undefined ? 0 : (found.partitions ?? 1)
  }
  return {
    sluice_build_info: one(1, { version: brokerVersion, node }),
    sluice_uptime_seconds: one((world.clock.monotonicMs() - beganMs) / 1000),
    sluice_broker_state: healthStates.map(state => ({
      labels: { state },
      value: state === status ? 1 : 0,
    })),
    sluice_unready_reasons: healthReasons.map(reason => ({
      labels: { reason },
      value: weight(reason),
    })),
    sluice_partitions: one(open + offline),
    sluice_leaders: one(open),
    sluice_offline_partitions: one(quarantined + offline),
    sluice_recovery_seconds: one(counts.start.seconds),
    sluice_unclean_start: one(counts.storage.isUncleanStart ? 1 : 0),
  } satisfies Partial<Observations>
}

function ofTopics({ topics }: BrokerCounts) {
  const all = topics.all()
  const each = (value: (counts: TopicCounts) => number): Observation[] =>
    all.map(counts => ({ labels: { topic: counts.label }, value: value(counts) }))
  return {
    sluice_records_produced_total: each(counts => counts.recordsProduced),
    sluice_batches_produced_total: each(counts => counts.batchesProduced),
    sluice_bytes_produced_total: each(counts => counts.bytesProduced),
    sluice_records_fetched_total: each(counts => counts.recordsFetched),
    sluice_bytes_fetched_total: each(counts => counts.bytesFetched),
  } satisfies Partial<Observations>
}

function ofRequests({ requests }: BrokerCounts) {
  // an api that nobody has called yet would be a histogram of zeros
  const all = requests.all().filter(({ durationSeconds, errors }) => {
    return durationSeconds.count > 0 || errors.size > 0
  })
  const waiting = all.filter(({ queueSeconds }) => queueSeconds.count > 0)
  return {
    sluice_request_duration_seconds: all.map(({ api, durationSeconds: value }) => {
      return { labels: { api }, value }
    }),
    sluice_request_queue_seconds: waiting.map(({ api, queueSeconds: value }) => {
      return { labels: { api }, value }
    }),
    sluice_request_errors_total: all.flatMap(errorsOf),
    sluice_request_bytes_total: all.flatMap(({ api, receivedBytes, sentBytes }) => [
      { labels: { api, direction: 'in' }, value: receivedBytes },
      { labels: { api, direction: 'out' }, value: sentBytes },
    ]),
  } satisfies Partial<Observations>
}

const errorsOf = ({ api, errors }: ApiCounts): Observation[] =>
  [...errors].map(([code, value]) => ({ labels: { api, code }, value }))

function ofConnections({ counts, sessions, world }: Observed) {
  const { connections } = counts
  const nowMs = world.clock.monotonicMs()
  const { receive, output } = connections.throttled
  return {
    sluice_connections: one(sessions?.size ?? 0, { listener }),
    sluice_connections_opened_total: one(connections.opened, { listener }),
    sluice_rejected_connections_total: refusalReasons.map(reason => {
      return { labels: { reason }, value: connections.refused.get(reason) ?? 0 }
    }),
    sluice_connections_dropped_total: one(connections.dropped, { listener }),
    sluice_connection_buffered_bytes: one(sessions?.unsentBytes ?? 0, { listener }),
    sluice_throttled_seconds_total: [
      { labels: { quota: 'receive' }, value: receive.totalMs(nowMs) / 1000 },
      { labels: { quota: 'output' }, value: output.totalMs(nowMs) / 1000 },
    ],
  } satisfies Partial<Observations>
}

function ofStorage({ counts, health, dataDir }: Observed) {
  const { storage, requests } = counts
  const dir = { dir: dataDir }
  const known = (value: number): Observation[] => (value < 0 ? [] : one(value, dir))
  const sent = requests.of('produce').errors.get('CORRUPT_MESSAGE') ?? 0
  return {
    sluice_log_append_seconds: [{ value: storage.appendSeconds }],
    sluice_fsync_seconds: [{ value: storage.fsyncSeconds }],
    sluice_fsync_batch_records: [{ value: storage.fsyncRecords }],
    sluice_uncommitted_bytes: one(health.served?.logs.uncommittedBytes ?? 0),
    sluice_disk_free_bytes: known(storage.freeBytes),
    sluice_disk_total_bytes: known(storage.totalBytes),
    sluice_disk_full: one(health.served?.logs.isDiskFull === true ? 1 : 0, dir),
    sluice_corrupt_batches_total: [
      { labels: { where: 'disk' }, value: storage.corruptBatches },
      { labels: { where: 'request' }, value: sent },
    ],
    sluice_retention_deleted_bytes_total: Object.entries(storage.deletedBytes).map(
      ([reason, value]) => ({ labels: { reason }, value }),
    ),
  } satisfies Partial<Observations>
}

function ofLogs({ counts, perPartition }: Observed, partitions: readonly Partition[]) {
  const sizes = new Map<string, { bytes: number; segments: number }>()
  for (const { topic, log } of partitions) {
    const label = counts.topics.labelOf(topic)
    const sum = sizes.get(label) ?? { bytes: 0, segments: 0 }
    const { bytes, segments } = log.size
    sizes.set(label, { bytes: sum.bytes + bytes, segments: sum.segments + segments })
  }
  const each = [...sizes].map(([topic, size]) => ({ labels: { topic }, ...size }))
  const named = partitions.filter(
    ({ topic }) => perPartition && counts.topics.labelOf(topic) !== '',
  )
  const offsets = (value: (partition: Partition) => number): Observation[] =>
    named.map(partition => {
      const labels = { topic: partition.topic, partition: String(partition.partition) }
      return { labels, value: value(partition) }
    })
  return {
    sluice_log_size_bytes: each.map(({ labels, bytes: value }) => ({ labels, value })),
    sluice_log_segments: each.map(({ labels, segments: value }) => ({ labels, value })),
    sluice_log_start_offset: offsets(({ log }) => log.logStartOffset),
    sluice_log_end_offset: offsets(({ log }) => log.logEndOffset),
    sluice_high_watermark: offsets(({ log }) => log.highWatermark),
  } satisfies Partial<Observations>
}

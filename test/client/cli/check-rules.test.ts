/** What the checks find in descriptions that a healthy broker would not give. */
import t from 'tap'
import { worstOf } from '../../../client/cli/check.ts'
import { checkDisk } from '../../../client/cli/check-disk.ts'
import { checkTopic } from '../../../client/cli/check-topic.ts'
import type { PartitionDescription, TopicDescription } from '../../../client/types/administering.ts'
import type { DiskState } from '../../../protocol/messages/logs.ts'

const nowMs = 1_700_000_000_000
const hourMs = 3_600_000

function partition(number: number, more: Partial<PartitionDescription> = {}): PartitionDescription {
  return {
    ...{ partition: number, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1], state: 'ok' },
    ...{ logStartOffset: 0, highWatermark: 5, durableEndOffset: 5, logEndOffset: 5 },
    sizeBytes: 100,
    segments: [{ baseOffset: 0, endOffset: 5, sizeBytes: 100, maxTimestamp: nowMs - hourMs }],
    ...more,
  } as PartitionDescription
}

function topic(
  details: PartitionDescription[],
  retention = '7d',
  partitions = 2,
): TopicDescription {
  const setting = { name: 'retention.ms', value: retention, origin: 'default', about: '' } as const
  return {
    ...{ name: 'orders', topicId: 'x', partitions, replicationFactor: 1, flush: 'commit' },
    configs: [{ ...setting, default: '7d' }],
    partitionDetails: details,
  }
}

const none = { size: {}, age: {} }
const statusOf = (described: TopicDescription, limits: Parameters<typeof checkTopic>[2] = none) =>
  worstOf(checkTopic(described, nowMs, limits).findings)

t.test('a partition that is not served, or takes no writes, is CRITICAL', async t => {
  t.equal(statusOf(topic([partition(0), partition(1)])), 'OK')
  t.equal(statusOf(topic([partition(0)])), 'CRITICAL')
  const damaged = partition(1, { state: 'quarantined', reason: 'bad bytes' })
  const checked = checkTopic(topic([partition(0), damaged]), nowMs, none)
  t.match(checked.findings, [{ status: 'CRITICAL', text: /^partition 1 .*bad bytes/ }])
})

t.test('the age is that of the newest record over all partitions', async t => {
  const segment = { baseOffset: 0, endOffset: 5, sizeBytes: 1, maxTimestamp: nowMs - 1000 }
  const described = topic([partition(0), partition(1, { segments: [segment] })])
  const age = { critical: 60_000 }
  t.equal(statusOf(described, { size: {}, age }), 'OK')
  t.equal(statusOf(topic([partition(0), partition(1)]), { size: {}, age }), 'CRITICAL')
  const trimmed = [partition(0, { logStartOffset: 5 }), partition(1, { logStartOffset: 5 })]
  const { findings } = checkTopic(topic(trimmed), nowMs, { size: {}, age })
  t.match(findings, [{ status: 'CRITICAL', text: 'there is no record in it' }])
})

t.test('a closed segment far over retention is a WARNING', async t => {
  const sealedAtMs = nowMs - 3 * hourMs
  const old = { baseOffset: 0, endOffset: 5, sizeBytes: 1, maxTimestamp: nowMs, sealedAtMs }
  const described = (retention: string) =>
    topic([partition(0, { segments: [old] }), partition(1)], retention)
  t.equal(statusOf(described('1h')), 'WARNING')
  t.equal(statusOf(described('170m')), 'OK', 'retention need not look every minute')
  t.equal(statusOf(described('4h')), 'OK')
  t.equal(statusOf(described('-1')), 'OK', 'kept for ever')
})

const disk: DiskState = {
  ...{ freeBytes: 500, totalBytes: 1000, minFreeBytes: 10, full: false, fsyncs: 9 },
  ...{ fsyncP50Ms: 1, fsyncP99Ms: 4, fsyncMaxMs: 5 },
}
const limits = (warn: number, critical: number) => ({
  free: { warn: { percent: warn }, critical: { percent: critical } },
  fsync: { warn: 100, critical: 1000 },
})

t.test('a share of a file system whose size is not known is UNKNOWN, never OK', async t => {
  t.equal(worstOf(checkDisk(disk, 's', limits(20, 10)).findings), 'OK')
  const { totalBytes: _none, ...unknown } = disk
  const checked = checkDisk(unknown, 's', limits(20, 10))
  t.match(checked.findings, [{ status: 'UNKNOWN', text: /size of the file system/ }])
  const inBytes = { ...limits(0, 0), free: { warn: { bytes: 20 }, critical: { bytes: 10 } } }
  t.equal(worstOf(checkDisk(unknown, 's', inBytes).findings), 'OK')
})

t.test('an fsync that hangs counts although none has ended lately', async t => {
  const hanging = { ...disk, fsyncs: 0, fsyncP50Ms: 0, fsyncP99Ms: 0, fsyncMaxMs: 20_000 }
  t.equal(worstOf(checkDisk(hanging, 's', limits(20, 10)).findings), 'CRITICAL')
  const idle = { ...hanging, fsyncMaxMs: 0 }
  t.match(checkDisk(idle, 's', limits(20, 10)), { findings: [], summary: /no fsync lately/ })
})

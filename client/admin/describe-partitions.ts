/**
 * Describe partitions: what the leaders say of the logs of one topic, put beside what metadata
 * says.
 *
 * Always true: one entry per partition that has a leader, in order of their numbers.
 * Called by admin.ts.
 */
import type { RequestLimits, ResponseHeader } from '../cluster/broker-session.ts'
import type { PartitionDescription } from '../types/administering.ts'
import { type AdminParts, retrying } from './admin-requests.ts'

type Topic = ResponseHeader<'metadata'>['topics'][number]
type Log = ResponseHeader<'describe-log'>['partitions'][number]

export async function describePartitions(
  parts: AdminParts,
  topic: Topic,
  limits: RequestLimits,
): Promise<{ flush: 'commit' | 'os'; partitions: PartitionDescription[] }> {
  const leaders = new Set(topic.partitions.map(({ leader }) => leader).filter(id => id >= 0))
  const asked = [...leaders].map(async leader => {
    const logs = await retrying(parts, limits, async left => {
      const header = { topics: [topic.name] }
      const { response } = await parts.cluster.request(leader, 'describe-log', header, left)
      return response.partitions
    })
    const led = topic.partitions.filter(partition => partition.leader === leader)
    return logs.filter(log => led.some(({ partition }) => partition === log.partition))
  })
  const logs = (await Promise.all(asked)).flat().filter(log => log.topicId === topic.topicId)
  const partitions = topic.partitions.flatMap(partition => {
    const log = logs.find(one => one.partition === partition.partition)
    return log === undefined ? [] : [describe(partition, log)]
  })
  return { flush: logs[0]?.flush ?? 'commit', partitions }
}

function describe(partition: Topic['partitions'][number], log: Log): PartitionDescription {
  const { leader, leaderEpoch, replicas, isr } = partition
  return {
    partition: partition.partition,
    leader,
    leaderEpoch,
    replicas,
    isr,
    state: log.state,
    ...(log.reason !== undefined && { reason: log.reason }),
    logStartOffset: log.logStartOffset,
    highWatermark: log.highWatermark,
    durableEndOffset: log.durableEndOffset,
    logEndOffset: log.logEndOffset,
    sizeBytes: log.sizeBytes,
    segments: log.segments.map(({ sealedAtMs, ...segment }) => ({
      ...segment,
      ...(sealedAtMs !== undefined && { sealedAtMs }),
    })),
  }
}

/**
 * describe-log: the logs of this broker as they lie on its disk, and how that disk does.
 *
 * Always true: sorted by topic and partition; a log that could not be opened is not in it.
 * Called by dispatcher.ts.
 */
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { DiskState, describeLog } from '../../../protocol/messages/logs.ts'
import { requireTopic } from '../../metadata/catalogue.ts'
import type { Partition } from '../../replication/partition.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Result = ResponseOf<typeof describeLog>['partitions'][number]

export const handleDescribeLog: Handler<'describe-log'> = (parts, request, exchange) => {
  const { store, partitions } = parts
  const names = request.topics ?? [...store.current.topics.keys()]
  const topics = [...new Set(names)].sort().map(name => requireTopic(store.current, name))
  exchange.reply({
    partitions: topics.flatMap(({ topicId }) => partitions.ofTopic(topicId).map(describe)),
    disk: diskState(parts),
  })
}

function diskState({ counts, logs, config, world }: BrokerParts): DiskState {
  const { storage } = counts
  const nowMs = world.clock.monotonicMs()
  const { count, p50, p99, max } = storage.recentFsyncs.summary(nowMs)
  return {
    ...(storage.freeBytes >= 0 && { freeBytes: storage.freeBytes }),
    ...(storage.totalBytes >= 0 && { totalBytes: storage.totalBytes }),
    minFreeBytes: config.minFreeBytes,
    full: logs.isDiskFull,
    fsyncs: count,
    fsyncP50Ms: p50 * 1000,
    fsyncP99Ms: p99 * 1000,
    fsyncMaxMs: Math.max(max * 1000, storage.oldestSyncMs(nowMs)),
  }
}

function describe({ topic, topicId, partition, log }: Partition): Result {
  const { logStartOffset, highWatermark, durableEndOffset, logEndOffset, leaderEpoch } = log
  return {
    topic,
    topicId,
    partition,
    flush: log.settings.flush,
    logStartOffset,
    highWatermark,
    durableEndOffset,
    logEndOffset,
    leaderEpoch,
    ...log.describe(),
  }
}

/**
 * describe-log: the logs of this broker as they lie on its disk.
 *
 * Always true: sorted by topic and partition; a log that could not be opened is not in it.
 * Called by dispatcher.ts.
 */
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { describeLog } from '../../../protocol/messages/logs.ts'
import { requireTopic } from '../../metadata/catalogue.ts'
import type { Partition } from '../../replication/partition.ts'
import type { Handler } from '../parts.ts'

type Result = ResponseOf<typeof describeLog>['partitions'][number]

export const handleDescribeLog: Handler<'describe-log'> = (parts, request, exchange) => {
  const { store, partitions } = parts
  const names = request.topics ?? [...store.current.topics.keys()]
  const topics = [...new Set(names)].sort().map(name => requireTopic(store.current, name))
  exchange.reply({
    partitions: topics.flatMap(({ topicId }) => partitions.ofTopic(topicId).map(describe)),
  })
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

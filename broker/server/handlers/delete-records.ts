/**
 * delete-records: moves the log start of partitions (trim).
 *
 * Always true: each partition is trimmed by itself; what is answered is durable.
 * Called by dispatcher.ts.
 */
import type { RequestOf, ResponseOf } from '../../../protocol/messages/define.ts'
import type { deleteRecords } from '../../../protocol/messages/logs.ts'
import { itemError, requirePartitionLimit } from '../item-error.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Entry = RequestOf<typeof deleteRecords>['partitions'][number]
type Result = ResponseOf<typeof deleteRecords>['partitions'][number]

export const handleDeleteRecords: Handler<'delete-records'> = async (parts, request, exchange) => {
  requirePartitionLimit(request.partitions.length, parts.config.maxPartitionsPerRequest)
  const partitions = await Promise.all(request.partitions.map(entry => trim(parts, entry)))
  exchange.reply({ partitions })
}

async function trim(parts: BrokerParts, entry: Entry): Promise<Result> {
  const { topic, topicId, partition, before } = entry
  try {
    const { log } = parts.partitions.require(topic, topicId, partition)
    const logStartOffset = await log.trim(before)
    const values = { event: 'trimmed', topic, partition, logStartOffset }
    parts.logger.info(values, 'records were trimmed')
    return { partition, logStartOffset }
  } catch (error) {
    const context = { logger: parts.logger, topic, partition, maybeApplied: true }
    return { partition, error: itemError(error, context) }
  }
}

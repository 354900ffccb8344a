/**
 * list-offsets: offsets by position or time. Positions are answered from memory, times by the log's
 * indexes.
 *
 * Always true: nothing at or above the high watermark is ever answered as the place of a record.
 * Called by dispatcher.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { RequestOf, ResponseOf } from '../../../protocol/messages/define.ts'
import type { listOffsets } from '../../../protocol/messages/list-offsets.ts'
import type { Permits } from '../../storage/permits.ts'
import type { PartitionLog } from '../../storage/types.ts'
import { itemError, requirePartitionLimit } from '../item-error.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Question = RequestOf<typeof listOffsets>['partitions'][number]
type Result = ResponseOf<typeof listOffsets>['partitions'][number]
type Found = Pick<Result, 'offset' | 'timestamp' | 'leaderEpoch'>

export const handleListOffsets: Handler<'list-offsets'> = async (parts, request, exchange) => {
  requirePartitionLimit(request.partitions.length, parts.config.maxPartitionsPerRequest)
  const partitions: Result[] = []
  // One after the other: a lookup by time may unpack a batch, and takes memory and time for it.
  for (const question of request.partitions) {
    if (!exchange.open) return
    partitions.push(await answer(parts, question))
  }
  exchange.reply({ partitions })
}

async function answer(parts: BrokerParts, question: Question): Promise<Result> {
  const { topic, topicId, partition } = question
  try {
    const { log } = parts.partitions.require(topic, topicId, partition)
    return { partition, ...(await find(parts.lookups, log, question)) }
  } catch (error) {
    return { partition, error: itemError(error, { logger: parts.logger, topic, partition }) }
  }
}

async function find(
  lookups: Permits,
  log: PartitionLog,
  { at, timestamp }: Question,
): Promise<Found> {
  if (at === 'earliest') return position(log, log.logStartOffset)
  if (at === 'latest' || at === 'highWatermark') return position(log, log.highWatermark)
  if (at === 'timestamp' && timestamp === undefined) {
    throw new SluiceError('INVALID_REQUEST', 'at = timestamp needs a timestamp')
  }
  const found = await lookups.run(() =>
    at === 'timestamp' ? log.offsetForTimestamp(timestamp ?? 0) : log.maxTimestampOffset(),
  )
  if (found === null || found.offset >= log.highWatermark) return {}
  return { ...position(log, found.offset), timestamp: found.timestamp }
}

function position(log: PartitionLog, offset: number): Found {
  const leaderEpoch = log.epochBefore(offset)
  return { offset, ...(leaderEpoch !== null && { leaderEpoch }) }
}

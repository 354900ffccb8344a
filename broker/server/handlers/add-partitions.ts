/**
 * add-partitions: more partitions for one topic.
 *
 * Always true: the ones that exist keep their number and their records; an answer means that
 * the new ones can be used.
 * Called by dispatcher.ts.
 */
import type { Handler } from '../parts.ts'

export const handleAddPartitions: Handler<'add-partitions'> = async (parts, request, exchange) => {
  const { topic, total, validateOnly = false } = request
  const { topicId, partitions } = await parts.topics.addPartitions(topic, total, validateOnly)
  exchange.reply({ topicId, partitions })
}

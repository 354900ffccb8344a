/** add-partitions: more partitions for one topic. */
import type { Handler } from '../parts.ts'

export const handleAddPartitions: Handler<'add-partitions'> = async (parts, request, exchange) => {
  const { topic, total, validateOnly = false } = request
  const { topicId, partitions } = await parts.topics.addPartitions(topic, total, validateOnly)
  exchange.reply({ topicId, partitions })
}

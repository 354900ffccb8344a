/**
 * delete-topics: each topic by itself, one after the other.
 *
 * Always true: an answer without error means that the name is free.
 * Called by dispatcher.ts.
 */
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { deleteTopics } from '../../../protocol/messages/topics.ts'
import { itemError } from '../item-error.ts'
import type { Handler } from '../parts.ts'

type Result = ResponseOf<typeof deleteTopics>['topics'][number]

export const handleDeleteTopics: Handler<'delete-topics'> = async (parts, request, exchange) => {
  const topics: Result[] = []
  for (const { name, topicId } of request.topics) {
    try {
      await parts.topics.delete(name, topicId)
      topics.push({ name })
    } catch (error) {
      topics.push({ name, error: itemError(error, { logger: parts.logger, maybeApplied: true }) })
    }
  }
  exchange.reply({ topics })
}

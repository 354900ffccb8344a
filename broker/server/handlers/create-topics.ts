/**
 * create-topics: each topic by itself, one after the other.
 *
 * Always true: a topic that is refused does not keep the others from being created.
 * Called by dispatcher.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { RequestOf, ResponseOf } from '../../../protocol/messages/define.ts'
import type { createTopics } from '../../../protocol/messages/topics.ts'
import { itemError } from '../item-error.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Spec = RequestOf<typeof createTopics>['topics'][number]
type Result = ResponseOf<typeof createTopics>['topics'][number]

export const handleCreateTopics: Handler<'create-topics'> = async (parts, request, exchange) => {
  const topics: Result[] = []
  for (const spec of request.topics) {
    topics.push(await create(parts, spec, request.validateOnly ?? false))
  }
  exchange.reply({ topics })
}

async function create(parts: BrokerParts, spec: Spec, validateOnly: boolean): Promise<Result> {
  const { name, configs, ...numbers } = spec
  try {
    const topic = await parts.topics.create(
      { name, ...numbers, ...(configs !== undefined && { configs: requireValues(configs) }) },
      validateOnly,
    )
    return {
      name,
      ...(!validateOnly && { topicId: topic.topicId }),
      partitions: topic.partitions,
      replicationFactor: 1,
    }
  } catch (error) {
    return { name, error: itemError(error, { logger: parts.logger, maybeApplied: true }) }
  }
}

/** null means "back to the default", which a new topic is at anyway. */
function requireValues(configs: Record<string, string | null>): Record<string, string> {
  for (const [name, value] of Object.entries(configs)) {
    if (value === null) {
      throw new SluiceError('INVALID_CONFIG', `${name} has no value`, {
        hint: 'leave a setting out to have its default',
      })
    }
  }
  return configs as Record<string, string>
}

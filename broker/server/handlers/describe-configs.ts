/**
 * describe-configs: every setting of topics, and who set it.
 *
 * Always true: all rows of the table in its order, whether set or not.
 * Called by dispatcher.ts.
 */

import type { describeConfigs } from '../../../protocol/messages/configs.ts'
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { Option } from '../../config/option.ts'
import { type TopicConfigs, topicOptions } from '../../config/topic-config.ts'
import { requireTopic } from '../../metadata/catalogue.ts'
import { itemError } from '../item-error.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Result = ResponseOf<typeof describeConfigs>['topics'][number]

export const handleDescribeConfigs: Handler<'describe-configs'> = (parts, request, exchange) => {
  exchange.reply({ topics: request.topics.map(name => describe(parts, name)) })
}

function describe(parts: BrokerParts, name: string): Result {
  try {
    const { configs } = requireTopic(parts.store.current, name)
    const { topicDefaults } = parts.config
    const rows = Object.values(topicOptions) as Option<unknown>[]
    return { name, configs: rows.map(option => entry(option, configs, topicDefaults)) }
  } catch (error) {
    return { name, error: itemError(error, { logger: parts.logger }), configs: [] }
  }
}

function entry(
  option: Option<unknown>,
  own: TopicConfigs,
  defaults: TopicConfigs,
): Result['configs'][number] {
  const { name, about } = option
  const origin =
    own[name] !== undefined ? 'topic' : defaults[name] !== undefined ? 'broker' : 'default'
  const read = option.parse(own[name] ?? defaults[name] ?? option.format(option.default))
  const value = option.format('value' in read ? read.value : option.default)
  return { name, value, origin, default: option.format(option.default), about }
}

/** alter-configs: settings of one topic, all or none; in force when answered. */
import type { Handler } from '../parts.ts'

export const handleAlterConfigs: Handler<'alter-configs'> = async (parts, request, exchange) => {
  await parts.topics.alterConfigs(request.topic, request.configs, request.validateOnly ?? false)
  exchange.reply({})
}

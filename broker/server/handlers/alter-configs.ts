/**
 * alter-configs: settings of one topic, all or none of them.
 *
 * Always true: what is answered is in force and survives a crash.
 * Called by dispatcher.ts.
 */
import type { Handler } from '../parts.ts'

export const handleAlterConfigs: Handler<'alter-configs'> = async (parts, request, exchange) => {
  await parts.topics.alterConfigs(request.topic, request.configs, request.validateOnly ?? false)
  exchange.reply({})
}

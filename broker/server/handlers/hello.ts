/**
 * hello: who the client is, for the log; what the broker speaks and allows, for the client.
 *
 * Always true: the limits told here are the ones that are enforced.
 * Called by dispatcher.ts.
 */
import { apis } from '../../../protocol/messages/apis.ts'
import type { Handler } from '../parts.ts'
import { brokerSoftware } from '../software.ts'

const spoken = Object.values(apis).map(({ name, versions: [minVersion, maxVersion] }) => ({
  name,
  minVersion,
  maxVersion,
}))

export const handleHello: Handler<'hello'> = (parts, request, exchange) => {
  const { config, store, logger } = parts
  const { maxFrameBytes, maxHeaderBytes, maxInFlightRequests } = config
  const { maxPartitionsPerRequest, maxFetchBytes, rack } = config
  logger.debug({ event: 'hello', client: request.client }, 'hello')
  exchange.greet()
  exchange.reply({
    brokerId: config.brokerId,
    clusterId: store.current.clusterId,
    software: brokerSoftware,
    apis: spoken,
    limits: {
      maxFrameBytes,
      maxHeaderBytes,
      maxInFlightRequests,
      maxPartitionsPerRequest,
      maxFetchBytes,
    },
    ...(rack !== '' && { rack }),
  })
}

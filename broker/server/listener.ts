/**
 * Listener: the one port. WebSocket connections become sessions, plain HTTP requests get their
 * short answers.
 *
 * Always true: limits and origin rules are the config's; what is refused before it is a connection
 * is logged.
 * Called by broker.ts.
 */
import { subprotocol } from '../../protocol/frame.ts'
import type { Listening } from '../../protocol/world.ts'
import { type BrokerConfig, parseAddress } from '../config/broker-config.ts'
import type { Logger } from '../world/logger.ts'
import { answerHttp } from './http.ts'
import type { BrokerParts } from './parts.ts'
import type { Sessions } from './sessions.ts'

/** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
export function listen(
  parts: BrokerParts,
  sessions: Sessions,
  state: { readonly isReady: boolean },
): Promise<Listening> {
  const { config, world, logger } = parts
  const { host, port } = parseAddress(config.listen) ?? { host: '127.0.0.1', port: 0 }
  return world.network.listen({
    host,
    port,
    subprotocol,
    maxMessageBytes: config.maxFrameBytes,
    maxConnections: config.maxConnections,
    maxConnectionsPerAddress: config.maxConnectionsPerAddress,
    handshakeTimeoutMs: config.handshakeTimeoutMs,
    maxPendingSockets: config.maxPendingSockets,
    pingIntervalMs: config.pingIntervalMs,
    allowedOrigins: config.allowedOrigins,
    allowedHosts: config.allowedHosts,
    onConnection: connection => sessions.begin(connection),
    onHttp: path => answerHttp(path, state.isReady),
    onRefused: (reason, peer) => logger.warn({ reason, peer }, 'connection refused'),
  })
}

const wildcards: readonly string[] = ['0.0.0.0', '::']

/** Listening everywhere says nothing about where others reach this machine. */
export function warnOfWildcard(config: BrokerConfig, logger: Logger): void {
  const { host = '' } = parseAddress(config.listen) ?? {}
  if (config.advertise !== '' || !wildcards.includes(host)) return
  logger.warn(
    { listen: config.listen },
    'clients on other machines need --advertise ws://HOST:PORT',
  )
}

/**
 * The advertised URL, or the one of the address that is listened on; a wildcard is reached by
 * loopback.
 */
export function urlOf(config: BrokerConfig, listening: Listening | null): string {
  if (config.advertise !== '') return config.advertise
  const configured = parseAddress(config.listen)
  const host = configured?.host ?? '127.0.0.1'
  const reachable = wildcards.includes(host) ? '127.0.0.1' : host
  const port = listening?.port ?? configured?.port ?? 0
  return `ws://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/**
 * Listener: the one port. WebSocket connections become sessions, plain HTTP requests get their
 * short answers.
 *
 * Always true: limits and origin rules are the config's; what is refused before it is a connection
 * is logged and counted; while the broker starts or stops there are HTTP answers and no sessions.
 * Called by broker.ts.
 */
import { subprotocol } from '../../protocol/frame.ts'
import type { Connection, ConnectionEvents, Listening } from '../../protocol/world.ts'
import { type BrokerConfig, parseAddress } from '../config/broker-config.ts'
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import type { Logger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'
import { answerHttp, type HttpParts } from './http.ts'
import { refusalKind } from './refusals.ts'

export interface ListenerParts extends HttpParts {
  readonly config: BrokerConfig
  readonly world: BrokerWorld
  readonly logger: Logger
  readonly counts: BrokerCounts
  /** Called only while the broker serves. */
  begin(connection: Connection): ConnectionEvents
}

/** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
export function listen(parts: ListenerParts): Promise<Listening> {
  const { config, world, logger, health, counts } = parts
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
    refuseNow: () => health.refusal,
    onConnection: connection => parts.begin(connection),
    onHttp: path => answerHttp(path, parts),
    onRefused: (reason, peer) => {
      counts.connections.refuse(refusalKind(reason))
      logger.warn({ event: 'connection-refused', reason, peer }, 'connection refused')
    },
  })
}

const wildcards: readonly string[] = ['0.0.0.0', '::']

/** Listening everywhere says nothing about where others reach this machine. */
export function warnOfWildcard(config: BrokerConfig, logger: Logger): void {
  const { host = '' } = parseAddress(config.listen) ?? {}
  if (config.advertise !== '' || !wildcards.includes(host)) return
  logger.warn(
    { event: 'advertise-missing', listen: config.listen },
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

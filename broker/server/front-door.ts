/**
 * Front door: what a broker has before its logs are open: the port, the health that it tells there,
 * the numbers that it counts.
 *
 *   open ──> HTTP is answered, connections are refused ── serve ──> sessions
 *
 * Always true: a connection gets its session only while the broker serves.
 * Made by broker.ts.
 */
import type { Connection, ConnectionEvents, Listening } from '../../protocol/world.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { BrokerCounts } from '../metrics/broker-counts.ts'
import type { Logger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'
import { Health } from './health.ts'
import { listen } from './listener.ts'
import { MetricsPage } from './metrics-page.ts'
import type { Observed } from './observations.ts'
import type { Sessions } from './sessions.ts'

export interface FrontDoorParts {
  readonly config: BrokerConfig
  readonly world: BrokerWorld
  readonly logger: Logger
  readonly beganMs: number
  readonly ownProcess: { readonly node: string } | undefined
}

export class FrontDoor {
  readonly counts: BrokerCounts
  readonly health: Health
  readonly #parts: FrontDoorParts
  #sessions: Sessions | null = null

  constructor(parts: FrontDoorParts) {
    const { config, world } = parts
    this.#parts = parts
    this.counts = new BrokerCounts(config.metricsTopicLabels)
    this.health = new Health({ counts: this.counts, world, minFreeBytes: config.minFreeBytes })
  }

  /** @throws SluiceError PORT_TAKEN, BAD_LISTEN_ADDRESS */
  open(): Promise<Listening> {
    const { config, world, logger, ownProcess } = this.#parts
    const { counts, health } = this
    const page = new MetricsPage(() => this.#observed(), ownProcess !== undefined)
    return listen({
      ...{ config, world, logger, counts, health },
      begin: connection => this.#begin(connection),
      metrics: () => page.answer(),
    })
  }

  /** From now on connections are welcome. */
  serve(sessions: Sessions): void {
    this.#sessions = sessions
    this.health.phase = 'serving'
  }

  #begin(connection: Connection): ConnectionEvents {
    if (this.#sessions !== null) return this.#sessions.begin(connection)
    connection.terminate()
    return { onMessage: () => {}, onText: () => {}, onDrain: () => {}, onClose: () => {} }
  }

  #observed(): Observed {
    const { config, world, beganMs, ownProcess } = this.#parts
    return {
      ...{ world, beganMs, counts: this.counts, health: this.health, sessions: this.#sessions },
      dataDir: config.dataDir,
      node: ownProcess?.node ?? '',
      perPartition: config.metricsPartitionLabels,
    }
  }
}

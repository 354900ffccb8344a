/**
 * Parts: what a handler may use, and the shape that every handler has.
 *
 * Always true: a handler answers its exchange exactly once (`reply`, `fail` or `finish`), or
 * throws; it throws SluiceErrors for bad requests and lets everything else through to the
 * dispatcher. Built by broker.ts; used by dispatcher.ts and handlers/.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { ApiName, Apis } from '../../protocol/messages/apis.ts'
import type { RequestOf, ResponseOf } from '../../protocol/messages/define.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { CatalogueStore } from '../metadata/catalogue-store.ts'
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import type { PartitionManager } from '../replication/partition-manager.ts'
import type { TopicLifecycle } from '../replication/topic-lifecycle.ts'
import type { Permits } from '../storage/permits.ts'
import type { PartitionLogs } from '../storage/types.ts'
import type { Logger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'
import type { Deadlines } from './deadlines.ts'
import type { FetchPurgatory } from './fetch-waiter.ts'

export interface BrokerParts {
  readonly config: BrokerConfig
  readonly world: BrokerWorld
  readonly logger: Logger
  readonly counts: BrokerCounts
  readonly store: CatalogueStore
  readonly logs: PartitionLogs
  readonly partitions: PartitionManager
  readonly topics: TopicLifecycle
  readonly deadlines: Deadlines
  readonly purgatory: FetchPurgatory
  /** For lookups by time, which unpack batches. */
  readonly lookups: Permits
  /** Where clients reach this broker. */
  readonly url: () => string
}

/** One request and the way to answer it. */
export interface Exchange<Response = object> {
  readonly bodies: readonly Uint8Array[]
  /** A different number for each request of the connection, growing. */
  readonly turn: number
  /** False once the connection is gone: an answer would reach nobody. */
  readonly open: boolean
  reply(response: Response, bodies?: readonly Uint8Array[]): void
  fail(error: SluiceError): void
  /** Ends a request that gets no answer; `response` is what it would have said. */
  finish(response?: object): void
  /** From now on the connection may send other requests than hello. */
  greet(): void
  /** Runs when the connection closes before the answer. */
  onClosed(run: () => void): void
  /**
   * Runs at once where the peer takes what it is sent, else when it has taken enough of it. Room
   * for an answer of `bytes`, or of less where the broker is short of it, is set aside until the
   * exchange is over.
   */
  whenWritable(bytes: number, run: (grantedBytes: number) => void): void
}

export type Handler<N extends ApiName> = (
  parts: BrokerParts,
  request: RequestOf<Apis[N]>,
  exchange: Exchange<ResponseOf<Apis[N]>>,
) => void | Promise<void>

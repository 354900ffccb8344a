/**
 * Producer context: what the parts of the producer share.
 *
 * Always true: one context per client; nothing of it outlives the client.
 * Made by producer.ts.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/world.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { ProducerSettings } from '../config/options.ts'
import type { BufferBudget } from './buffer-budget.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PartitionSequences } from './partition-sequences.ts'
import type { PendingBatch } from './pending-batch.ts'
import type { Route } from './route.ts'

/** What the topic side needs of the sender. */
export interface SenderDoor {
  /** Looks at the queue when the turn ends. */
  list(queue: PartitionQueue): void
  /** Closes the open batch. */
  seal(queue: PartitionQueue): void
  /** Sends what is sealed as far as the limits allow. */
  sendSealed(queue: PartitionQueue): void
  retryAfter(queue: PartitionQueue, delayMs: number): void
}

export interface ProducerContext {
  readonly world: World
  readonly settings: ProducerSettings
  readonly metadata: MetadataCache
  readonly budget: BufferBudget
  readonly sender: SenderDoor
  readonly expiry: { watch(atMs: number): void }
  /** Rejects a batch; its sendings so far say whether it may be in the log. */
  refuse(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void
  openBatch(route: Route, expectedBytes: number): PendingBatch
  newSequences(): PartitionSequences | undefined
}

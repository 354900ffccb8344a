/**
 * Fetch target: one partition of one fetch: is there anything to tell, and what.
 *
 * Always true: it never trusts what it found earlier: the topic may be deleted and the log trimmed
 * while the fetch waits, so each look goes to the partition manager again.
 * Made by handlers/fetch.ts; watched by fetch-waiter.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/messages/define.ts'
import type { fetch } from '../../protocol/messages/fetch.ts'
import type { Partition } from '../replication/partition.ts'
import type { PartitionManager } from '../replication/partition-manager.ts'
import type { Isolation, ReadResult } from '../storage/types.ts'
import type { Awaited } from './fetch-waiter.ts'

export type FetchEntry = RequestOf<typeof fetch>['partitions'][number]

export interface Positions {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly lastStableOffset?: number
}

export interface Diverging {
  readonly epoch: number
  readonly endOffset: number
}

export interface TargetOptions extends Isolation {
  /** Credit of the whole fetch. */
  readonly maxBytes: number
}

export class FetchTarget implements Awaited {
  readonly entry: FetchEntry
  readonly #manager: PartitionManager
  readonly #options: TargetOptions

  constructor(manager: PartitionManager, entry: FetchEntry, options: TargetOptions) {
    this.#manager = manager
    this.entry = entry
    this.#options = options
  }

  /** @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID */
  requirePartition(): Partition {
    const { topic, topicId, partition } = this.entry
    return this.#manager.require(topic, topicId, partition)
  }

  get maxBytes(): number {
    return Math.min(this.entry.maxBytes, this.#options.maxBytes)
  }

  readableBytes(): number | null {
    const { topicId, partition, offset } = this.entry
    const found = this.#manager.get(topicId, partition)
    if (found === undefined) return null
    const { log } = found
    if (offset < log.logStartOffset || offset > log.logEndOffset) return null
    if (this.divergence(found) !== null) return null
    return log.readableBytes(offset, this.maxBytes, this.#options)
  }

  onProgress(callback: () => void): () => void {
    const { topicId, partition } = this.entry
    return this.#manager.get(topicId, partition)?.log.onProgress(callback) ?? (() => {})
  }

  /** Where the reader must go back to, because this log lost what it read. */
  divergence(partition: Partition): Diverging | null {
    const { offset, lastEpoch } = this.entry
    return lastEpoch === undefined ? null : partition.divergence(offset, lastEpoch)
  }

  /** The last stable offset only where it keeps the reader from the high watermark. */
  positions({ log }: Partition): Positions {
    const { logStartOffset, highWatermark, lastStableOffset } = log
    const isHeldBack = this.#options.isolation === 'committed' && lastStableOffset < highWatermark
    return { logStartOffset, highWatermark, ...(isHeldBack && { lastStableOffset }) }
  }

  /** @throws SluiceError OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR */
  read(partition: Partition, maxBytes: number): ReadResult | Promise<ReadResult> {
    const { offset } = this.entry
    const { logStartOffset, logEndOffset } = partition.log
    if (offset < logStartOffset || offset > logEndOffset) {
      throw new SluiceError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} is not in ${logStartOffset} to ${logEndOffset}`,
        { hint: 'begin at the log start or end instead' },
      )
    }
    return partition.read(offset, maxBytes, this.#options)
  }
}

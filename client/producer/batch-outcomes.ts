/**
 * Batch outcomes: what an answer, or the lack of one, means for a batch and for those behind it.
 *
 * Always true (storage.md S10): a batch that was once written is sent again only under its own (id,
 * epoch, sequence), or rejects with `maybeApplied` true unless each sending had a definite answer;
 * without idempotence an unknown outcome is never sent again.
 * Called by sender.ts.
 */
import { type ErrorCode, SluiceError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/world.ts'
import { backoffMs } from '../cluster/backoff.ts'
import { withOutcome } from '../cluster/item-error.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { BufferBudget } from './buffer-budget.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PendingBatch } from './pending-batch.ts'

/** The broker does not know, or no longer believes, this producer's earlier batches. */
const lostState: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
])
/** What a batch meets when the one before it was refused and will be sent again. */
const ownHole: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
])
const retryPace = { baseMs: 20, maxMs: 1000 }
const networkCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NETWORK_ERROR', 'CLOSED'])

export interface OutcomeParts {
  readonly world: World
  readonly metadata: MetadataCache
  readonly budget: BufferBudget
  /** Looks at the queue again after a delay. */
  retryAfter(queue: PartitionQueue, delayMs: number): void
}

export interface Success {
  readonly offset: number
  readonly reached: 'fsynced' | 'written' | 'sent'
}

export class BatchOutcomes {
  readonly #parts: OutcomeParts

  constructor(parts: OutcomeParts) {
    this.#parts = parts
  }

  succeed(queue: PartitionQueue, batch: PendingBatch, { offset, reached }: Success): void {
    this.#settle(queue, batch, () => batch.succeed(queue, offset, reached))
  }

  /** Every record of it was aborted before it was sealed. */
  drop(queue: PartitionQueue, batch: PendingBatch): void {
    this.refuse(queue, batch, new SluiceError('ABORTED', 'every record was aborted'))
  }

  /** Rejects a batch; its sendings so far say whether it may be in the log. */
  refuse(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void {
    const took = queue.written.includes(batch) && batch.acks !== 'none'
    if (took && queue.sequences !== undefined) queue.sequences.stale = true
    const outcome = batch.outcomeUnknown || batch.inFlightOn !== undefined
    this.#settle(queue, batch, () => batch.fail(withOutcome(error, outcome, queue)))
  }

  /** A sending of `batch` ended with `error`; the batch is not in flight any more. */
  judge(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void {
    if (batch.isSettled) return
    batch.lastError = error
    batch.failures++
    if (error.maybeApplied) batch.outcomeUnknown = true
    if (error.code === 'DUPLICATE_SEQUENCE_NUMBER') {
      this.succeed(queue, batch, { offset: -1, reached: 'written' })
    } else if (this.#isLostState(queue, batch, error)) this.#loseState(queue, batch, error)
    else if (this.#mayRetry(queue, batch, error)) this.#retry(queue, batch, error)
    else {
      if (error.code === 'UNKNOWN_TOPIC_ID') this.#parts.metadata.refresh()
      this.refuse(queue, batch, error)
    }
  }

  #isLostState(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): boolean {
    if (queue.sequences === undefined || !lostState.has(error.code)) return false
    // With an earlier batch still to be sent again, the hole before this one is this client's own.
    return !ownHole.has(error.code) || !queue.hasEarlier(batch)
  }

  #loseState(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void {
    this.refuse(queue, batch, error)
    // Those in flight get answers of their own; those waiting to be sent again would get this one.
    for (const other of [...queue.written]) {
      if (other.inFlightOn === undefined) this.refuse(queue, other, error)
    }
  }

  #mayRetry(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): boolean {
    if (batch.acks === 'none') return false
    if (queue.sequences !== undefined) {
      return error.retriable || ownHole.has(error.code)
    }
    const first = queue.written[0] === batch
    return error.retriable && !batch.outcomeUnknown && first && queue.inFlight === 0
  }

  #retry(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void {
    const { world, metadata } = this.#parts
    if (!ownHole.has(error.code)) metadata.refresh()
    // The way back to a broker that is gone is paced by its link; only answers are paced here.
    const own = networkCodes.has(error.code)
      ? 0
      : backoffMs(batch.failures, retryPace, world.random)
    const delayMs = Math.max(own, error.retryAfterMs ?? 0)
    queue.retryAtMs = Math.max(queue.retryAtMs, world.clock.monotonicMs() + delayMs)
    this.#parts.retryAfter(queue, delayMs)
  }

  #settle(queue: PartitionQueue, batch: PendingBatch, how: () => void): void {
    if (batch.isSettled) return
    queue.remove(batch)
    how()
    this.#parts.budget.release(batch.heldBytes)
  }
}

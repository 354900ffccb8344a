/**
 * Produce request: which batches go into the next request to one broker.
 *
 * Always true: at most one batch per partition, all with the same acks; the bodies together stay
 * below the broker's frame limit; a batch that can never pass it is refused here and never sent.
 * Called by sender.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Compression } from '../../protocol/world.ts'
import type { BrokerSession } from '../cluster/broker-session.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PendingBatch } from './pending-batch.ts'

export interface ProduceItem {
  readonly queue: PartitionQueue
  readonly batch: PendingBatch
}

export interface GatherOptions {
  readonly broker: number
  readonly session: BrokerSession
  readonly maxInFlight: number
  readonly nowMs: number
  readonly compression: Compression
  refuse(queue: PartitionQueue, batch: PendingBatch, error: SluiceError): void
}

/**
 * Bodies of one request: large enough for throughput, small enough not to hold up the answers
 * behind it.
 */
const targetRequestBytes = 4 * 1024 * 1024
/** Room for the JSON head: per partition a name, an id and numbers. */
const headBytesPerPartition = 512

/**
 * Takes queues with nothing to send out of `waiting`; those taken go to its end, so that none
 * starves.
 */
export function gatherRequest(waiting: Set<PartitionQueue>, options: GatherOptions): ProduceItem[] {
  const { limits } = options.session
  const roomBytes = Math.min(limits.maxFrameBytes, targetRequestBytes)
  const items: ProduceItem[] = []
  let sumBytes = 0
  for (const queue of [...waiting]) {
    if (items.length >= options.session.maxPartitions) break
    const batch = writtenBatch(queue, waiting, options)
    if (batch === undefined) continue
    if (items[0] !== undefined && items[0].batch.acks !== batch.acks) continue
    const bytes = batch.bytes.length + headBytesPerPartition
    if (items.length > 0 && sumBytes + bytes > roomBytes) break
    sumBytes += bytes
    items.push({ queue, batch })
    waiting.delete(queue)
    waiting.add(queue)
  }
  return items
}

/** The queue's next batch in wire form, if it may be sent now. */
function writtenBatch(
  queue: PartitionQueue,
  waiting: Set<PartitionQueue>,
  options: GatherOptions,
): PendingBatch | undefined {
  const { session, broker, maxInFlight, nowMs } = options
  for (;;) {
    const batch = queue.sendable(session, maxInFlight)
    if (batch === undefined || queue.leader !== broker || queue.retryAtMs > nowMs) {
      waiting.delete(queue)
      return undefined
    }
    if (batch.isWritten) return batch
    const refusal = writeBatch(queue, batch, options)
    if (refusal === undefined) return batch
    options.refuse(queue, batch, refusal)
  }
}

/** Gives the batch its wire form and its place in the sequence, or says why it cannot be sent. */
function writeBatch(
  queue: PartitionQueue,
  batch: PendingBatch,
  options: GatherOptions,
): SluiceError | undefined {
  try {
    batch.write(queue.stampFor(batch), options.compression)
  } catch (error) {
    if (SluiceError.is(error)) return error
    throw error
  }
  const limitBytes = options.session.limits.maxFrameBytes - headBytesPerPartition
  if (batch.bytes.length > limitBytes) {
    const message = `a batch of ${batch.bytes.length} bytes is larger than a message may be`
    return new SluiceError('MESSAGE_TOO_LARGE', message, {
      topic: queue.topic,
      partition: queue.partition,
      hint: `the broker reads ${limitBytes} bytes at once: smaller records, or a lower batchBytes`,
    })
  }
  queue.markWritten(batch)
  return undefined
}

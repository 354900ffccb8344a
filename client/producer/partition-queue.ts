/**
 * Partition queue: the batches of one partition in the order in which they must reach the log.
 *
 *   written (unanswered or to be sent again) │ sealed (never written) │ open (takes records)
 *   oldest                                                                          newest
 *
 * Always true: a batch is sent only while every batch before it is unanswered on the same session,
 * so the log sees them in order; no batch is written `maxInFlight` or more places after one that is
 * unsettled; a new epoch opens only when no batch of the old one is unsettled.
 * Called by topic-producer.ts (append, seal) and sender.ts (the rest).
 */
import type { ProducerStamp } from '../../protocol/records/batch-header.ts'
import type { BrokerSession } from '../cluster/broker-session.ts'
import { notIdempotent, type PartitionSequences } from './partition-sequences.ts'
import type { PendingBatch } from './pending-batch.ts'

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  topicId: string
  /** −1 = unknown. */
  leader: number
  open: PendingBatch | undefined
  readonly sealed: PendingBatch[] = []
  readonly written: PendingBatch[] = []
  /** No sequences where the producer is not idempotent. */
  sequences: PartitionSequences | undefined
  /** Nothing is sent before this monotonic time. */
  retryAtMs = 0
  /** On the sender's list of queues to look at when the turn ends. */
  isListed = false
  /** The open batch does not linger. */
  isFlushing = false

  /** Size of the next batch, judged by the last one: a little more, as it may be the fuller one. */
  expectedBytes = 0

  /** Batches written so far; numbers them. */
  #writtenCount = 0

  constructor(
    place: { topic: string; partition: number; topicId: string; leader: number },
    sequences: PartitionSequences | undefined,
  ) {
    this.topic = place.topic
    this.partition = place.partition
    this.topicId = place.topicId
    this.leader = place.leader
    this.sequences = sequences
  }

  get isIdle(): boolean {
    return this.written.length === 0 && this.sealed.length === 0
  }

  get inFlight(): number {
    let count = 0
    for (const batch of this.written) if (batch.inFlightOn !== undefined) count++
    return count
  }

  /** The batch that may be sent on `session` now, if there is one. */
  sendable(session: BrokerSession, maxInFlight: number): PendingBatch | undefined {
    for (const batch of this.written) {
      if (batch.inFlightOn === undefined) return batch
      if (batch.inFlightOn !== session) return undefined
    }
    // The broker remembers the last five batches: one sent again must still be among them, even
    // where later ones were acked before it, or its offset would be lost.
    const oldest = this.written[0]
    if (oldest !== undefined && this.#writtenCount - oldest.ordinal >= maxInFlight) return undefined
    if (this.sequences?.stale === true && this.written.length > 0) return undefined
    return this.sealed[0]
  }

  /** The id, epoch and sequence that the first sealed batch gets when it is written. */
  stampFor(batch: PendingBatch): ProducerStamp {
    if (this.sequences === undefined || batch.acks === 'none') return notIdempotent
    return this.sequences.peek()
  }

  /** The first sealed batch has been written: from now on it keeps its place and its stamp. */
  markWritten(batch: PendingBatch): void {
    this.sealed.shift()
    this.written.push(batch)
    batch.ordinal = this.#writtenCount++
    if (batch.acks !== 'none') this.sequences?.advance(batch.count)
  }

  /** Whether a batch before this one has not settled. */
  hasEarlier(batch: PendingBatch): boolean {
    return this.written.indexOf(batch) > 0
  }

  /** Takes a settled batch out. */
  remove(batch: PendingBatch): void {
    if (this.open === batch) this.open = undefined
    for (const list of [this.written, this.sealed]) {
      const index = list.indexOf(batch)
      if (index >= 0) list.splice(index, 1)
    }
  }

  *all(): Generator<PendingBatch> {
    yield* this.written
    yield* this.sealed
    if (this.open !== undefined) yield this.open
  }
}

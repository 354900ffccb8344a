/**
 * Partition: one partition on this broker, in its role. The stop of a record between the produce
 * handler and the log: here it is decided whether this broker may take it and when it counts as
 * acked.
 *
 *   produce handler ── appendAsLeader ──> log ──(fsync)──> done
 *   fetch handler ──── read ────────────> log
 *
 * Always true: `done` runs at most once per append, and with null only when the record is as safe
 * as `acks` asks. With one broker the leader is the only replica, so `leader` and `all` wait for
 * the same thing.
 * Owned by partition-manager.ts; called by the produce and fetch handlers.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { Acks } from '../../protocol/messages/produce.ts'
import { TopicCounts } from '../metrics/topic-counts.ts'
import { recordsIn } from '../storage/log-reader.ts'
import type { Appended, Isolation, PartitionLog, ReadResult } from '../storage/types.ts'

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly log: PartitionLog
  readonly #counts: TopicCounts

  /** @param counts of its topic; default: numbers that nobody reads */
  constructor(log: PartitionLog, counts = new TopicCounts('')) {
    this.topic = log.identity.topic
    this.topicId = log.identity.topicId
    this.partition = log.identity.partition
    this.log = log
    this.#counts = counts
  }

  /**
   * Takes one batch; the bytes are given away. `done` runs later, never from inside this call, and
   * never with acks none.
   * @throws SluiceError as PartitionLog.appendAsLeader
   */
  appendAsLeader(
    batch: Uint8Array,
    acks: Acks,
    done: (error: SluiceError | null) => void,
  ): Appended {
    const appended = this.log.appendAsLeader(batch)
    if (!appended.duplicate) this.#countProduced(appended, batch.byteLength)
    if (acks !== 'none') this.log.whenCommitted(appended.lastOffset, done)
    return appended
  }

  #countProduced({ baseOffset, lastOffset }: Appended, bytes: number): void {
    const counts = this.#counts
    counts.recordsProduced += lastOffset - baseOffset + 1
    counts.bytesProduced += bytes
    counts.batchesProduced++
  }

  /** What was read is being sent. */
  countFetched({ bodies, sizeBytes }: ReadResult): void {
    this.#counts.recordsFetched += recordsIn(bodies)
    this.#counts.bytesFetched += sizeBytes
  }

  /** Whole batches from `offset` on. @throws SluiceError as PartitionLog.read */
  read(offset: number, maxBytes: number, options: Isolation): ReadResult | Promise<ReadResult> {
    return this.log.read(offset, maxBytes, options)
  }

  /**
   * Where a reader whose last record had `lastEpoch` must go back to, because what it read lies on
   * a tail that this log has lost (S12); null where its position is one of this log.
   */
  divergence(offset: number, lastEpoch: number): { epoch: number; endOffset: number } | null {
    const known = this.log.endOffsetForEpoch(lastEpoch)
    if (known === null) {
      // every record here is of a newer epoch: fine only for who comes from below the log start
      const { logStartOffset } = this.log
      return offset <= logStartOffset ? null : { epoch: 0, endOffset: logStartOffset }
    }
    if (known.epoch === lastEpoch && known.endOffset >= offset) return null
    // never forward: that would skip records which the reader has not seen
    return { epoch: known.epoch, endOffset: Math.min(known.endOffset, offset) }
  }
}

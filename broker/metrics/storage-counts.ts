/**
 * Storage counts: what the logs of one data directory bump while they work: plain numbers and
 * bucket arrays.
 *
 * Always true: bumping costs an addition; nothing here is asked of the disk; a sync that has begun
 * and not ended is known by its begin, so that one that hangs can be told.
 * Bumped by broker/storage; read at a scrape, by /readyz and by describe-log.
 */
import { FixedHistogram, RecentHistogram, recordsBounds, secondsBounds } from './fixed-histogram.ts'

/** Why records went: `time` and `size` = retention, `trim` = somebody asked. */
export type DeletionReason = 'time' | 'size' | 'trim'

const recentWindowMs = 60_000

export class StorageCounts {
  /** Writing one round of batches to its file, without the fsync. */
  readonly appendSeconds = new FixedHistogram(secondsBounds)
  readonly fsyncSeconds = new FixedHistogram(secondsBounds)
  /** Records that one fsync made durable. */
  readonly fsyncRecords = new FixedHistogram(recordsBounds)
  readonly recentFsyncs = new RecentHistogram(secondsBounds, recentWindowMs)
  readonly deletedBytes: Record<DeletionReason, number> = { time: 0, size: 0, trim: 0 }
  /** Damaged batches found on this disk, by recovery or by a read. */
  corruptBatches = 0
  /** The last run of this directory did not end with a clean stop. */
  isUncleanStart = false
  /** Looked up once a second; −1 = not known yet, or not on this disk. */
  freeBytes = -1
  totalBytes = -1
  readonly #syncsBegunMs: number[] = []

  /** Of one round: `end` it with how many records it made durable. Answers how long it took. */
  beginSync(beganMs: number): (nowMs: number, records: number) => number {
    this.#syncsBegunMs.push(beganMs)
    return (nowMs, records) => {
      this.#syncsBegunMs.splice(this.#syncsBegunMs.indexOf(beganMs), 1)
      const tookMs = nowMs - beganMs
      this.fsyncSeconds.observe(tookMs / 1000)
      this.recentFsyncs.observe(tookMs / 1000, nowMs)
      this.fsyncRecords.observe(records)
      return tookMs
    }
  }

  /** How long the oldest fsync has been under way; 0 where none is. */
  oldestSyncMs(nowMs: number): number {
    const oldest = this.#syncsBegunMs[0]
    return oldest === undefined ? 0 : nowMs - oldest
  }
}

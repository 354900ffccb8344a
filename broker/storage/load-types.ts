/**
 * Load types: what goes into opening a log and what comes out of it.
 *
 * Always true: a checkpoint names only what was on disk before it was written.
 * Used by log-load.ts, log-recovery.ts, checkpoint-store.ts and log.ts.
 */
import type { EpochCache } from './epoch-cache.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment, SegmentFacts } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { Transactions } from './transactions.ts'
import type { LogIdentity, LogSettings } from './types.ts'

/** What the checkpoint file remembers of one log. */
export interface LogCheckpoint {
  readonly topicId: string
  readonly partition: number
  readonly logStartOffset: number
  /** Below it everything, log and indexes, is known to be on disk. */
  readonly recovery: {
    readonly offset: number
    readonly segmentBase: number
    readonly position: number
  }
  /** os = bytes above the recovery point may be there that no fsync was asked for. */
  readonly flush: 'commit' | 'os'
  /** Only after a clean shutdown. */
  readonly active: SegmentFacts | null
  /**
   * Epoch of the next batch; only after a clean shutdown, and not in notes of earlier versions. An
   * epoch that a recovery opened is in no other file until a batch of it is written.
   */
  readonly leaderEpoch?: number
  /** Where the newest producer snapshot is; null = no idempotent producer was known. */
  readonly snapshotOffset: number | null
}

export interface LoadRequest {
  readonly shared: LogShared
  readonly identity: LogIdentity
  readonly directory: string
  readonly settings: LogSettings
  readonly checkpoint: LogCheckpoint | null
  readonly clean: boolean
}

export interface LoadedLog {
  readonly segments: SegmentList
  readonly producers: ProducerState
  readonly epochs: EpochCache
  readonly logStartOffset: number
  readonly transactions: Transactions
  readonly snapshots: readonly number[]
  /** The disk had no room for the indexes of these: they are to be written later. */
  readonly owed: readonly Segment[]
  /** The log has epochs that the epoch file did not. */
  readonly epochsOwed: boolean
  /** Epoch of the next batch. */
  readonly leaderEpoch: number
  readonly quarantine: string | null
}

export interface LogFiles {
  readonly bases: number[]
  readonly snapshots: number[]
  /** Kafka's own lists of aborted transactions are there. */
  readonly hasTransactionIndex: boolean
}

export interface LogParts {
  readonly shared: LogShared
  readonly identity: LogIdentity
  readonly directory: string
  readonly settings: LogSettings
  readonly loaded: LoadedLog
  /** What the last run noted of this log. */
  readonly noted: LogCheckpoint | null
}

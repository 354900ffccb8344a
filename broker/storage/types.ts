/**
 * Types: what the storage room shows to the rooms above it. The classes are Log (one partition) and
 * LogManager (all logs of a data directory).
 *
 *   logStartOffset ≤ lastStableOffset ≤ highWatermark ≤ logEndOffset, durableEndOffset ≤ logEndOffset
 *   flush=commit: highWatermark = durableEndOffset · flush=os: highWatermark = end of the completed writes
 *
 * Used by log.ts, log-manager.ts and broker/replication/.
 */
import type { SluiceError } from '../../protocol/errors.ts'

export interface LogSettings {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly indexIntervalBytes: number
  readonly maxMessageBytes: number
  /** −1 = keep for ever. */
  readonly retentionMs: number
  /** −1 = no limit. */
  readonly retentionBytes: number
  /** commit = acked means fsynced; os = acked means in the page cache. */
  readonly flush: 'commit' | 'os'
}

/** The partition a log belongs to. */
export interface LogIdentity {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

export interface Appended {
  readonly baseOffset: number
  readonly lastOffset: number
  /** The batch was there already; the offsets are the ones it has. */
  readonly duplicate: boolean
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadResult {
  /** Each holds whole batches; together contiguous. Empty where nothing is at `offset` yet. */
  readonly bodies: Uint8Array[]
  readonly sizeBytes: number
  /** With isolation committed, where the log has any: those that touch these bodies. */
  readonly abortedTransactions?: AbortedTransaction[]
}

export interface SegmentDescription {
  readonly baseOffset: number
  readonly endOffset: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  readonly sealedAtMs?: number
}

export interface LogDescription {
  readonly state: 'ok' | 'quarantined'
  readonly reason?: string
  readonly sizeBytes: number
  readonly producers: number
  readonly segments: SegmentDescription[]
}

export interface Isolation {
  readonly isolation: 'committed' | 'uncommitted'
}

/** A log as replication/partition.ts uses it. One owner; every call on one event loop. */
/** Of all segments. */
export interface LogSize {
  readonly bytes: number
  readonly segments: number
}

export interface PartitionLog {
  readonly identity: LogIdentity
  readonly settings: LogSettings
  readonly logStartOffset: number
  readonly highWatermark: number
  /**
   * First offset of the oldest open transaction of a log copied from Kafka (nobody can end it any
   * more), the high watermark where there is none. Trimming past its last record releases it.
   */
  readonly lastStableOffset: number
  readonly durableEndOffset: number
  readonly logEndOffset: number
  /** Epoch that the next batch gets. */
  readonly leaderEpoch: number
  /** Damage was found: what lies before it is read, nothing is written. */
  readonly isQuarantined: boolean
  /**
   * Takes one batch: checks it, assigns offsets, patches base offset and epoch *in place* (the
   * caller gives the bytes away), appends to the tail. It is readable and acked only when
   * `whenCommitted` says so.
   * @throws SluiceError CORRUPT_MESSAGE, UNSUPPORTED_FOR_MESSAGE_FORMAT, MESSAGE_TOO_LARGE,
   * INVALID_RECORD, OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER,
   * INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, PRODUCER_LIMIT_REACHED, KAFKA_STORAGE_ERROR
   * (quarantined), DISK_FULL, THROTTLED
   */
  appendAsLeader(batch: Uint8Array): Appended
  /**
   * Calls back once, never from inside this call: with null when the high watermark is beyond
   * `lastOffset`, with an error when the record will never get there (disk full: maybeApplied
   * false; closing: maybeApplied true).
   */
  whenCommitted(lastOffset: number, done: (error: SluiceError | null) => void): void
  /**
   * Whole batches from the one that holds `offset`, up to maxBytes (the first always whole), below
   * the high watermark, or with isolation committed below the last stable offset: none between the
   * two, which is no error. Synchronous from the tail cache, a promise from
   * disk.
   * @throws SluiceError OFFSET_OUT_OF_RANGE, KAFKA_STORAGE_ERROR
   */
  read(offset: number, maxBytes: number, options: Isolation): ReadResult | Promise<ReadResult>
  /** Bytes readable from `offset`, at most `limit`: an estimate for minBytes, exact on the tail. */
  readableBytes(offset: number, limit: number, options: Isolation): number
  /**
   * Calls back whenever the high watermark or the log start moves or the log closes, until
   * unsubscribed.
   */
  onProgress(callback: () => void): () => void
  /** First record at or after `timestamp`, exact. */
  offsetForTimestamp(
    timestamp: number,
  ): Promise<{ offset: number; timestamp: number; leaderEpoch: number } | null>
  /** The record with the highest timestamp (the first of them). */
  maxTimestampOffset(): Promise<{ offset: number; timestamp: number; leaderEpoch: number } | null>
  /**
   * Highest epoch ≤ `epoch` that the log knows and the first offset after it; null where it knows
   * none.
   */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null
  /** Epoch of the record just below `offset`; null at or below the log start. */
  epochBefore(offset: number): number | null
  /**
   * Durable when it resolves. −1 = up to the high watermark. @throws OFFSET_OUT_OF_RANGE above it.
   */
  trim(before: number): Promise<number>
  /** flush os→commit resolves only after everything appended is on disk. */
  applySettings(settings: LogSettings): Promise<void>
  readonly size: LogSize
  /** Walks over all segments. */
  describe(): LogDescription
}

/** A directory that looks like a partition's and belongs to no topic that is known. */
export interface UnknownDirectory {
  /** Without a topic id of its own the id is empty. */
  readonly identity: LogIdentity
  readonly directory: string
  /** `foreign`: bytes that are not record batches of format version 2. */
  readonly content: 'nothing' | 'records' | 'foreign'
}

/** All logs of one data directory, as the composition root uses it. */
export interface PartitionLogs {
  /** The open logs, in order of topic and partition. */
  all(): PartitionLog[]
  get(topicId: string, partition: number): PartitionLog | undefined
  /** Opens the directory of a known partition, or creates it; durable when it resolves. */
  open(identity: LogIdentity, settings: LogSettings): Promise<PartitionLog>
  /**
   * Drains, renames to `.del`, syncs; the name is free when it resolves. Files go in the
   * background.
   */
  delete(topicId: string, partition: number): Promise<void>
  /**
   * Directories that look like partitions and belong to no topic id in `known`: imports, or
   * leftovers.
   */
  findUnknown(known: ReadonlySet<string>): Promise<UnknownDirectory[]>
  /** Removes leftovers of deleted topics and of creations that never happened. */
  removeDirectory(directory: string): Promise<void>
  /** Bytes appended and not yet committed, over all logs. */
  readonly uncommittedBytes: number
  /** Writes are refused until there is room again. */
  readonly isDiskFull: boolean
  /** Flush everything, write checkpoints and the clean-shutdown marker. */
  closeCleanly(): Promise<void>
}

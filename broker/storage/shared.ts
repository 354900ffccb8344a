/**
 * Shared: what all logs of one data directory have in common, made once by log-manager.ts.
 *
 * Always true: nothing here belongs to one log; limits do not change while the broker runs.
 * Passed to every Log, LogWriter and LogReader.
 */
import type { Clock, Compression } from '../../protocol/world.ts'
import type { StorageCounts } from '../metrics/storage-counts.ts'
import type { Disk } from '../world/disk.ts'
import type { Logger } from '../world/logger.ts'
import type { Process } from '../world/process.ts'
import type { Permits } from './permits.ts'
import type { ProducerLimits } from './producer-state.ts'
import type { WallClockGuard } from './retention.ts'
import type { SpaceReserve } from './space-reserve.ts'
import type { TailCache } from './tail-cache.ts'

/** Details are for who wants them. */
export type StorageLogger = Omit<Logger, 'debug'> & Partial<Pick<Logger, 'debug'>>

export interface StorageLimits {
  /** Most bytes written between two fsyncs of a log, but one batch always fits. */
  readonly maxRoundBytes: number
  /** Bytes appended and not committed, over all logs; above it appends are THROTTLED (S16). */
  readonly maxUncommittedBytes: number
  readonly tailCacheBytes: number
  /** Below this much free space appends are refused as DISK_FULL (S4). */
  readonly minFreeBytes: number
  /** Kept in a file for a recovery on a disk that is full; 0 = none. */
  readonly reserveBytes: number
  readonly maxConcurrentSyncs: number
  /** Bytes after which a log asks for a checkpoint before the next tick. */
  readonly checkpointBytes: number
  readonly checkpointIntervalMs: number
  readonly retentionCheckIntervalMs: number
  /** An fsync that takes longer is logged. */
  readonly slowFsyncMs: number
  readonly producers: ProducerLimits
}

const MiB = 1024 * 1024

export const defaultStorageLimits: StorageLimits = {
  maxRoundBytes: 8 * MiB,
  maxUncommittedBytes: 128 * MiB,
  tailCacheBytes: 256 * MiB,
  minFreeBytes: 64 * MiB,
  reserveBytes: MiB,
  maxConcurrentSyncs: 8,
  checkpointBytes: 64 * MiB,
  checkpointIntervalMs: 1000,
  retentionCheckIntervalMs: 300_000,
  slowFsyncMs: 1000,
  producers: { maxProducers: 10_000, minIdleMs: 15 * 60_000 },
}

export interface LogShared {
  readonly disk: Disk
  readonly clock: Clock
  readonly wallClock: WallClockGuard
  readonly process: Process
  readonly compression: Compression
  readonly logger: StorageLogger
  readonly limits: StorageLimits
  readonly tailCache: TailCache
  readonly syncs: Permits
  readonly reserve: SpaceReserve
  readonly counts: StorageCounts
  /** Changes with every append and commit. */
  readonly load: { uncommittedBytes: number }
  /**
   * Set once a second from the free space of the data directory, and by a write that found none.
   */
  readonly space: {
    full: boolean
    /** What may still be appended before the next look, or min.free.bytes would be eaten into. */
    leftBytes: number
  }
  /** Asks for a checkpoint soon; several requests make one. */
  requestCheckpoint(): void
  /** Resolves when a checkpoint begun after this call is durable. */
  checkpointNow(): Promise<void>
}

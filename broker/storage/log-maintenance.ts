/**
 * Log maintenance: everything of a log that does not happen on append or read: moving the log
 * start, retention, rolling while idle, checkpoints, closing.
 *
 * Always true: the log start is durable before a segment is unlinked and before a trim is answered
 * (S4); the recovery point passes a segment only when its indexes are on disk (S15); after `stop`
 * nothing of this log touches its directory, which may then belong to another topic of the same
 * name (S6).
 * Made by log.ts; called by log.ts and log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { DeletionReason } from '../metrics/storage-counts.ts'
import { DiskError, isNoSpace } from '../world/disk.ts'
import { finalSync } from './final-sync.ts'
import type { LogCheckpoint } from './load-types.ts'
import { removeSegmentFiles } from './log-load.ts'
import type { DurableEnd, LogWriter } from './log-writer.ts'
import { retentionStart } from './retention.ts'
import type { SealedSnapshot, Sealer } from './sealer.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { LogIdentity, LogSettings } from './types.ts'
import { Users } from './users.ts'

export interface MaintenanceParts {
  readonly shared: LogShared
  readonly directory: string
  readonly segments: SegmentList
  readonly writer: LogWriter
  readonly sealer: Sealer
  /** What the last run noted; kept as it is while the log is quarantined. */
  readonly noted: LogCheckpoint | null
  readonly log: MaintainedLog
}

/** What maintenance needs of its log. */
export interface MaintainedLog {
  readonly identity: LogIdentity
  readonly settings: LogSettings
  readonly logStartOffset: number
  readonly isQuarantined: boolean
  readonly leaderEpoch: number
  raiseLogStart(offset: number): void
}

/** Why a segment that lies below the new log start goes. */
type WhyDeleted = (segment: Segment) => DeletionReason

interface Moved {
  /** The log start, durable. */
  readonly start: number
  /** What went with it. */
  readonly bytes: number
}

export class LogMaintenance {
  readonly #parts: MaintenanceParts
  readonly #atWork = new Users()
  #stopped = false
  #snapshotOffset: number | null = null
  /** Everything that a clean start needs is on disk. */
  #finished = false

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
  }

  /**
   * Answers the log start, durable; segments that lie wholly below are gone.
   * @throws SluiceError CLOSED, DISK_FULL
   */
  async moveLogStart(offset: number, why?: WhyDeleted): Promise<number> {
    return (await this.#moveLogStart(offset, why)).start
  }

  async #moveLogStart(offset: number, why: WhyDeleted = () => 'trim'): Promise<Moved> {
    const { log, shared } = this.#parts
    if (this.#stopped) throw new SluiceError('CLOSED', 'the log is being closed', log.identity)
    return this.#atWork.during(async () => {
      await this.#sealAll()
      log.raiseLogStart(offset)
      // Somebody else may raise it further meanwhile, which this checkpoint need not cover: only
      // what lies below this start may go by it.
      const start = log.logStartOffset
      await shared.checkpointNow()
      return { start, bytes: await this.#dropSegments(start, why) }
    })
  }

  /**
   * Only its producer snapshot says who wrote a segment that is gone. @throws SluiceError DISK_FULL
   */
  async #sealAll(): Promise<void> {
    const { sealer, log } = this.#parts
    sealer.resume()
    await sealer.idle()
    if (!sealer.owes) return
    throw new SluiceError('DISK_FULL', 'no space to seal a segment before it goes', log.identity)
  }

  /** `start`: a log start that is durable. Answers the bytes that went. */
  async #dropSegments(start: number, why: WhyDeleted): Promise<number> {
    const { segments, sealer, shared } = this.#parts
    await sealer.idle()
    let bytes = 0
    for (const segment of segments.dropBelow(start)) {
      shared.counts.deletedBytes[why(segment)] += segment.sizeBytes
      bytes += segment.sizeBytes
      await this.#remove(segment)
    }
    return bytes
  }

  /** What cannot be removed now is removed by the next start: the log start is durable. */
  async #remove(segment: Segment): Promise<void> {
    const { shared, directory } = this.#parts
    try {
      await segment.retire()
      await removeSegmentFiles(shared.disk, directory, segment.baseOffset)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      const values = { event: 'removal-postponed', path: error.path, error: error.message }
      shared.logger.warn(values, 'could not be removed yet')
    }
  }

  /** Rolls by age, finishes what a full disk postponed. */
  async tick(): Promise<void> {
    const { log, writer, sealer, shared } = this.#parts
    if (this.#stopped || log.isQuarantined || shared.space.full) return
    await this.#atWork.during(async () => {
      sealer.resume()
      await writer.maybeRollIdle()
    })
  }

  /** Answers the bytes that went. */
  async enforceRetention(nowMs: number): Promise<number> {
    const { log, segments, shared } = this.#parts
    if (this.#stopped || log.isQuarantined) return 0
    const wanted = retentionStart(segments.all, log.settings, nowMs)
    const start = Math.max(wanted, log.logStartOffset)
    // A full disk may have kept an earlier pass from removing what lies below the log start.
    if (!segments.hasBelow(start)) return 0
    const tooOld = retentionStart(segments.all, { ...log.settings, retentionBytes: -1 }, nowMs)
    const why: WhyDeleted = ({ endOffset }) => (endOffset <= tooOld ? 'time' : 'size')
    const { bytes } = await this.#moveLogStart(start, why)
    const { topic, partition } = log.identity
    const values = { event: 'retention', topic, partition, logStartOffset: start, bytes }
    shared.logger.info(values, 'retention removed old segments')
    return bytes
  }

  async closeIdleFiles(): Promise<void> {
    if (this.#stopped) return
    await this.#atWork.during(async () => {
      for (const segment of [...this.#parts.segments.all]) await segment.closeIfIdle()
    })
  }

  /** flush=os: moves the durable end up before a checkpoint is taken. */
  async syncForCheckpoint(): Promise<void> {
    const { log, writer } = this.#parts
    if (this.#stopped || log.isQuarantined || log.settings.flush !== 'os') return
    await this.#atWork.during(() => writer.syncWritten())
  }

  /** Everything that was written is on disk when it resolves. */
  async syncEverything(): Promise<void> {
    if (this.#stopped) return
    await this.#atWork.during(() => this.#parts.writer.syncWritten())
  }

  /** null only for a quarantined log of which nothing was noted. */
  checkpoint(): LogCheckpoint | null {
    const { log, segments, noted, writer } = this.#parts
    // Not as a cleanly closed one: the next start has to find the damage again.
    if (log.isQuarantined) return noted === null ? null : { ...noted, active: null }
    const { topicId, partition } = log.identity
    return {
      topicId,
      partition,
      logStartOffset: log.logStartOffset,
      recovery: this.#recoveryPoint(),
      flush: writer.durableEnd.offset < segments.active.endOffset ? 'os' : log.settings.flush,
      active: this.#finished ? segments.active.facts() : null,
      ...(this.#finished && { leaderEpoch: log.leaderEpoch }),
      snapshotOffset: this.#snapshotOffset,
    }
  }

  /** The durable end, but not beyond the first segment whose indexes are still to be written. */
  #recoveryPoint(): DurableEnd {
    const { segments, writer } = this.#parts
    const end = writer.durableEnd
    const owed = segments.all.find(s => s.sealedAtMs !== null && !s.indexesDurable)
    if (owed === undefined || end.segmentBase <= owed.baseOffset) return end
    const { endOffset, baseOffset, sizeBytes } = owed
    return { offset: endOffset, segmentBase: baseOffset, position: sizeBytes }
  }

  /** Nothing is queued, under way or begun any more; what a full disk postponed stays so. */
  async stop(): Promise<void> {
    const { writer, sealer } = this.#parts
    this.#stopped = true
    await this.#atWork.none()
    await writer.idle()
    await sealer.idle()
  }

  /** Closes all files, when those who read from them are done. */
  async retireSegments(): Promise<void> {
    await Promise.all(this.#parts.segments.all.map(segment => segment.retire()))
  }

  /**
   * After `stop`: writes what a clean start needs; `snapshot` where idempotent producers are known.
   */
  async finish(snapshot: SealedSnapshot | null): Promise<void> {
    const { log, shared, segments, sealer, writer, directory } = this.#parts
    if (log.isQuarantined || sealer.owes) return
    try {
      await writer.syncWritten()
      await writer.writeOwedEpochs(log.leaderEpoch)
      const { active } = segments
      if (!active.indexesDurable && active.sizeBytes > 0) await active.writeIndexes(false)
      if (snapshot !== null) await sealer.addSnapshot(snapshot)
      await finalSync(shared.disk.syncDirectory(directory))
      this.#snapshotOffset = snapshot?.offset ?? null
      this.#finished = true
    } catch (error) {
      if (!isNoSpace(error)) throw error
      shared.logger.warn({ event: 'postponed', directory }, 'no space for a clean shutdown')
    }
  }
}

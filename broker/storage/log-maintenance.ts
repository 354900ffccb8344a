/**
 * Log maintenance: everything of a log that does not happen on append or read: moving the log start, retention,
 * rolling while idle, checkpoints, closing.
 *
 * Always true: the log start is durable before a segment is unlinked and before a trim is answered (S4); the
 * recovery point passes a segment only when its indexes are on disk (S15).
 * Made by log.ts; called by log.ts and log-manager.ts.
 */
import { DiskError } from '../world/disk.ts'
import type { LogCheckpoint } from './load-types.ts'
import { removeSegmentFiles } from './log-load.ts'
import type { LogWriter } from './log-writer.ts'
import { retentionStart } from './retention.ts'
import type { SealedSnapshot, Sealer } from './sealer.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { LogIdentity, LogSettings } from './types.ts'

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
  raiseLogStart(offset: number): void
}

export class LogMaintenance {
  readonly #parts: MaintenanceParts
  #snapshotOffset: number | null
  /** Everything that a clean start needs is on disk. */
  #finished = false

  constructor(parts: MaintenanceParts) {
    this.#parts = parts
    this.#snapshotOffset = parts.noted?.snapshotOffset ?? null
  }

  /** Durable when it resolves; segments that lie wholly below are gone from the list. */
  async moveLogStart(offset: number): Promise<void> {
    const { log, shared } = this.#parts
    log.raiseLogStart(offset)
    await shared.checkpointNow()
    await this.#dropSegments()
  }

  async #dropSegments(): Promise<void> {
    const { log, shared, segments, sealer, directory } = this.#parts
    while (sealer.busy) await sealer.idle()
    for (const segment of segments.dropBelow(log.logStartOffset)) {
      await segment.retire()
      await removeSegmentFiles(shared.disk, directory, segment.baseOffset)
    }
  }

  /** Rolls by age, finishes what a full disk postponed. */
  async tick(): Promise<void> {
    const { log, writer, sealer, shared } = this.#parts
    if (log.isQuarantined || shared.space.full) return
    sealer.resume()
    await writer.maybeRollIdle()
  }

  /** Answers the bytes that went. */
  async enforceRetention(nowMs: number): Promise<number> {
    const { log, segments, shared } = this.#parts
    const start = retentionStart(segments.all, log.settings, nowMs)
    if (start <= log.logStartOffset || log.isQuarantined) return 0
    const before = segments.sizeBytes
    await this.moveLogStart(start)
    const bytes = before - segments.sizeBytes
    const { topic, partition } = log.identity
    shared.logger.info({ topic, partition, logStartOffset: start, bytes }, 'retention')
    return bytes
  }

  async closeIdleFiles(): Promise<void> {
    for (const segment of [...this.#parts.segments.all]) await segment.closeIfIdle()
  }

  /** flush=os: moves the durable end up before a checkpoint is taken. */
  async syncForCheckpoint(): Promise<void> {
    const { log, writer } = this.#parts
    if (log.settings.flush === 'os' && !log.isQuarantined) await writer.syncWritten()
  }

  /** Everything that was written is on disk when it resolves. */
  async syncEverything(): Promise<void> {
    const { sealer, writer } = this.#parts
    while (sealer.busy) await sealer.idle()
    await writer.syncWritten()
  }

  /** null only for a quarantined log of which nothing was noted. */
  checkpoint(): LogCheckpoint | null {
    const { log, segments, writer, noted } = this.#parts
    if (log.isQuarantined) return noted
    const { topicId, partition } = log.identity
    const owed = segments.all.find(s => s.sealedAtMs !== null && !s.indexesDurable)
    const end = writer.durableEnd
    const recovery =
      owed !== undefined && owed.baseOffset <= end.offset
        ? { offset: owed.baseOffset, segmentBase: owed.baseOffset, position: 0 }
        : end
    return {
      topicId,
      partition,
      logStartOffset: log.logStartOffset,
      recovery,
      active: this.#finished ? segments.active.facts() : null,
      snapshotOffset: this.#snapshotOffset,
    }
  }

  /** Nothing is queued, under way or owed any more, unless a full disk postponed it. */
  async quiesce(): Promise<void> {
    const { writer, sealer } = this.#parts
    await writer.idle()
    while (sealer.busy) await sealer.idle()
  }

  /** Writes what a clean start needs; `snapshot` where idempotent producers are known. */
  async finish(snapshot: SealedSnapshot | null): Promise<void> {
    const { log, shared, segments, sealer, writer } = this.#parts
    await this.quiesce()
    if (log.isQuarantined || sealer.owes) return
    try {
      await writer.syncWritten()
      const { active } = segments
      if (!active.indexesDurable) await active.writeIndexes(false)
      if (snapshot !== null && snapshot.offset !== this.#snapshotOffset) {
        await sealer.addSnapshot(snapshot)
      }
      this.#snapshotOffset = snapshot?.offset ?? null
      this.#finished = true
    } catch (error) {
      if (!(error instanceof DiskError) || error.kind !== 'noSpace') throw error
      shared.logger.warn({ directory: this.#parts.directory }, 'no space for a clean shutdown')
    }
    for (const segment of segments.all) await segment.retire()
  }
}

/**
 * Log: the record batches of one partition, in order, on this broker's disk.
 *
 *   segment 0          segment 4096        segment 9120 (active)      tail, in memory
 *   [############]     [############]      [#####......]              [~~~~]
 *    ^ logStartOffset        highWatermark ^     durable end ^  logEndOffset ^
 *
 * Always true: logStartOffset <= highWatermark <= logEndOffset; offsets have no gaps; what is readable is committed
 * (flush=commit: fsynced, flush=os: written); appends are synchronous, so their order is the order of the calls.
 * Called by broker/replication/partition.ts; made by log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { invariant } from '../../protocol/invariant.ts'
import {
  type BatchHeader,
  checkProducedBatch,
  patchBatch,
} from '../../protocol/records/batch-header.ts'
import { CommitWaiters } from './commit-waiters.ts'
import type { EpochCache } from './epoch-cache.ts'
import type { LogParts } from './load-types.ts'
import { LogMaintenance } from './log-maintenance.ts'
import { type FoundRecord, LogReader } from './log-reader.ts'
import { requireAppendable, requireInRange } from './log-rules.ts'
import { LogWriter } from './log-writer.ts'
import { producerSnapshotAt } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import { type SealedSnapshot, Sealer } from './sealer.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { LogTail } from './tail-cache.ts'
import { type AbortedRange, abortedBetween } from './transaction-index.ts'
import type {
  Appended,
  Isolation,
  LogDescription,
  LogIdentity,
  LogSettings,
  PartitionLog,
  ReadResult,
} from './types.ts'

export class Log implements PartitionLog {
  readonly identity: LogIdentity
  readonly maintenance: LogMaintenance
  readonly #shared: LogShared
  readonly #directory: string
  readonly #segments: SegmentList
  readonly #producers: ProducerState
  readonly #epochs: EpochCache
  readonly #aborted: readonly AbortedRange[]
  readonly #tail: LogTail
  readonly #writer: LogWriter
  readonly #reader: LogReader
  readonly #waiters = new CommitWaiters()
  readonly #listeners = new Set<() => void>()
  readonly #quarantine: string | null
  readonly leaderEpoch: number
  #settings: LogSettings
  #logStartOffset: number
  #highWatermark: number
  #logEndOffset: number
  #closed = false

  constructor({ shared, identity, directory, settings, loaded, noted }: LogParts) {
    this.identity = identity
    this.leaderEpoch = loaded.leaderEpoch
    this.#shared = shared
    this.#directory = directory
    this.#settings = settings
    this.#segments = loaded.segments
    this.#producers = loaded.producers
    this.#epochs = loaded.epochs
    this.#aborted = loaded.aborted
    this.#quarantine = loaded.quarantine
    this.#logStartOffset = loaded.logStartOffset
    this.#highWatermark = loaded.segments.active.endOffset
    this.#logEndOffset = this.#highWatermark
    this.#tail = shared.tailCache.openTail()
    this.#reader = new LogReader(shared, identity, loaded.segments)
    const sealer = new Sealer(shared, directory, loaded.segments)
    sealer.knowSnapshots(loaded.snapshots)
    if (loaded.quarantine === null) sealer.adoptUnfinished()
    this.#writer = new LogWriter({
      shared,
      directory,
      segments: loaded.segments,
      epochs: loaded.epochs,
      sealer,
      hooks: {
        settings: () => this.#settings,
        committed: (end, bytes) => this.#committed(end, bytes),
        dropped: (end, bytes) => this.#dropped(end, bytes),
        snapshotAt: offset => this.#snapshotAt(offset),
      },
    })
    this.maintenance = new LogMaintenance({
      shared,
      directory,
      segments: loaded.segments,
      writer: this.#writer,
      sealer,
      noted,
      log: this,
    })
  }

  get settings(): LogSettings {
    return this.#settings
  }
  get logStartOffset(): number {
    return this.#logStartOffset
  }
  get highWatermark(): number {
    return this.#highWatermark
  }
  get logEndOffset(): number {
    return this.#logEndOffset
  }
  get durableEndOffset(): number {
    return this.#writer.durableEnd.offset
  }
  /** Damage was found: nothing may be written, not even by maintenance. */
  get isQuarantined(): boolean {
    return this.#quarantine !== null
  }

  appendAsLeader(batch: Uint8Array): Appended {
    requireAppendable(
      {
        identity: this.identity,
        settings: this.#settings,
        shared: this.#shared,
        closed: this.#closed,
        quarantine: this.#quarantine,
        dropping: this.#writer.dropping,
      },
      batch.byteLength,
    )
    const header = checkProducedBatch(batch)
    const duplicate = this.#findDuplicate(header)
    if (duplicate !== null) return duplicate
    const baseOffset = this.#logEndOffset
    const lastOffset = baseOffset + header.recordCount - 1
    invariant(Number.isSafeInteger(lastOffset), 'offsets are safe integers', { baseOffset })
    patchBatch(batch, baseOffset, this.leaderEpoch)
    if (this.#epochs.maybeAssign(this.leaderEpoch, baseOffset)) this.#writer.epochsChanged()
    if (header.producerId >= 0) {
      const nowMs = this.#shared.clock.monotonicMs()
      this.#producers.record(header, { baseOffset, durableEnd: this.#highWatermark, nowMs })
    }
    const { maxTimestamp } = header
    const kept = this.#tail.append({ baseOffset, lastOffset, maxTimestamp, bytes: batch })
    this.#logEndOffset = lastOffset + 1
    this.#shared.load.uncommittedBytes += kept.bytes.byteLength
    this.#writer.enqueue(kept)
    return { baseOffset, lastOffset, duplicate: false }
  }

  #findDuplicate(header: BatchHeader): Appended | null {
    if (header.producerId < 0) return null
    const { duplicateOf } = this.#producers.check(header, this.#shared.clock.monotonicMs())
    if (duplicateOf === null) return null
    const { baseOffset, lastOffset } = duplicateOf
    return { baseOffset, lastOffset, duplicate: true }
  }

  #committed(endOffset: number, bytes: number): void {
    this.#shared.load.uncommittedBytes -= bytes
    this.#highWatermark = endOffset
    this.#tail.commit(endOffset)
    this.#waiters.commit(endOffset)
    this.#notify()
  }

  #dropped(endOffset: number, bytes: number): void {
    this.#shared.load.uncommittedBytes -= bytes
    invariant(endOffset === this.#highWatermark, 'only what is not committed is dropped', {
      endOffset,
      highWatermark: this.#highWatermark,
    })
    this.#logEndOffset = endOffset
    this.#tail.dropFrom(endOffset)
    this.#producers.dropFrom(endOffset)
    this.#epochs.cutEnd(endOffset)
    this.#writer.epochsChanged()
    const why = 'the disk is full: the batch was not written'
    this.#waiters.fail(new SluiceError('DISK_FULL', why, { retryAfterMs: 1000 }))
  }

  whenCommitted(lastOffset: number, done: (error: SluiceError | null) => void): void {
    if (lastOffset < this.#highWatermark) void Promise.resolve().then(() => done(null))
    else this.#waiters.add(lastOffset, done)
  }

  read(offset: number, maxBytes: number, options: Isolation): ReadResult | Promise<ReadResult> {
    requireInRange(offset, this, this.identity)
    const end = this.#highWatermark
    if (offset === end) return { bodies: [], sizeBytes: 0 }
    if (offset < this.#tail.startOffset) return this.#readFromDisk(offset, maxBytes, options)
    return this.#result(offset, this.#tail.read(offset, end, maxBytes), options)
  }

  async #readFromDisk(offset: number, maxBytes: number, options: Isolation): Promise<ReadResult> {
    const bytes = await this.#reader.read(offset, this.#highWatermark, maxBytes)
    return this.#result(offset, [bytes], options)
  }

  #result(offset: number, bodies: Uint8Array[], { isolation }: Isolation): ReadResult {
    const sizeBytes = bodies.reduce((sum, body) => sum + body.byteLength, 0)
    if (isolation === 'uncommitted' || this.#aborted.length === 0) return { bodies, sizeBytes }
    const abortedTransactions = abortedBetween(this.#aborted, offset, this.#highWatermark)
    return { bodies, sizeBytes, abortedTransactions }
  }

  readableBytes(offset: number, limit: number, _options: Isolation): number {
    if (offset >= this.#highWatermark || offset < this.#logStartOffset) return 0
    if (offset < this.#tail.startOffset) return limit
    return this.#tail.readableBytes(offset, this.#highWatermark, limit)
  }

  onProgress(callback: () => void): () => void {
    this.#listeners.add(callback)
    return () => this.#listeners.delete(callback)
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  offsetForTimestamp(timestamp: number): Promise<FoundRecord | null> {
    return this.#reader.offsetForTimestamp(timestamp, this.#logStartOffset, this.#highWatermark)
  }

  maxTimestampOffset(): Promise<FoundRecord | null> {
    return this.#reader.maxTimestampOffset(this.#logStartOffset, this.#highWatermark)
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  epochBefore(offset: number): number | null {
    return offset <= this.#logStartOffset ? null : this.#epochs.epochAt(offset - 1)
  }

  async trim(before: number): Promise<number> {
    const wanted = before === -1 ? this.#highWatermark : before
    if (wanted > this.#highWatermark) requireInRange(wanted, this, this.identity)
    await this.maintenance.moveLogStart(wanted)
    return this.#logStartOffset
  }

  /** Called by maintenance, which makes it durable before anything is removed or answered. */
  raiseLogStart(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#notify()
  }

  async applySettings(settings: LogSettings): Promise<void> {
    const toCommit = this.#settings.flush === 'os' && settings.flush === 'commit'
    this.#settings = settings
    if (toCommit) await this.maintenance.syncEverything()
  }

  /** Refuses appends, writes what is queued, and puts indexes and producer state on disk. */
  async closeCleanly(): Promise<void> {
    this.#closed = true
    await this.#writer.idle()
    await this.maintenance.finish(
      this.#producers.size > 0 ? this.#snapshotAt(this.#logEndOffset) : null,
    )
    this.#end()
  }

  /** Kept as it is at the moment of the call; written when the sealer comes to it. */
  #snapshotAt(offset: number): SealedSnapshot {
    return producerSnapshotAt(this.#shared.disk, this.#directory, offset, this.#producers)
  }

  /** For a deletion: refuses appends and waits until nothing touches the files any more. */
  async retire(): Promise<void> {
    this.#closed = true
    await this.maintenance.quiesce()
    this.#tail.clear()
    this.#end()
  }

  #end(): void {
    const why = 'the log was closed before the batch was known to be safe'
    this.#waiters.fail(new SluiceError('CLOSED', why, { maybeApplied: true }))
    this.#notify()
    this.#listeners.clear()
  }

  describe(): LogDescription {
    const { sizeBytes } = this.#segments
    const segments = this.#segments.describe()
    const rest = { sizeBytes, producers: this.#producers.size, segments }
    if (this.#quarantine === null) return { state: 'ok', ...rest }
    return { state: 'quarantined', reason: this.#quarantine, ...rest }
  }
}

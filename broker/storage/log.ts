/**
 * Log: the record batches of one partition, in order, on this broker's disk.
 *
 *   segment 0          segment 4096        segment 9120 (active)      tail, in memory
 *   [############]     [############]      [#####......]              [~~~~]
 *    ^ logStartOffset        highWatermark ^     durable end ^  logEndOffset ^
 *
 * Always true: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset; offsets have no
 * gaps; what is readable is committed (flush=commit: fsynced, flush=os: written); appends are
 * synchronous, so their order is the order of the calls.
 * Called by broker/replication/partition.ts; made by log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { invariant } from '../../protocol/invariant.ts'
import { checkProducedBatch, patchBatch } from '../../protocol/records/batch-header.ts'
import type { EpochCache } from './epoch-cache.ts'
import type { LogParts } from './load-types.ts'
import { LogFollowers } from './log-followers.ts'
import { LogMaintenance } from './log-maintenance.ts'
import { LogReader } from './log-reader.ts'
import {
  noteAppended,
  requireAppendable,
  requireInRange,
  requireOffset,
  requireTrimmable,
  requireWritable,
} from './log-rules.ts'
import { LogWriter } from './log-writer.ts'
import { producerSnapshotAt } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import { type SealedSnapshot, Sealer } from './sealer.ts'
import { SegmentAccess } from './segment-access.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { LogTail } from './tail-cache.ts'
import { type FoundRecord, TimeLookup } from './time-lookup.ts'
import type { Transactions } from './transactions.ts'
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
  readonly directory: string
  readonly #segments: SegmentList
  readonly #producers: ProducerState
  readonly #epochs: EpochCache
  readonly #tail: LogTail
  readonly #writer: LogWriter
  readonly #reader: LogReader
  readonly #times: TimeLookup
  readonly #transactions: Transactions
  readonly #followers = new LogFollowers()
  readonly #quarantine: string | null
  readonly leaderEpoch: number
  #settings: LogSettings
  #logStartOffset: number
  #highWatermark: number
  #logEndOffset: number
  /** Closed: no appends any more; ended: no reads either. */
  #closed = false
  #ended = false

  constructor({ shared, identity, directory, settings, loaded, noted }: LogParts) {
    this.identity = identity
    this.leaderEpoch = loaded.leaderEpoch
    this.#shared = shared
    this.directory = directory
    this.#settings = settings
    this.#producers = loaded.producers
    this.#quarantine = loaded.quarantine
    this.#logStartOffset = loaded.logStartOffset
    this.#highWatermark = loaded.segments.active.endOffset
    this.#logEndOffset = this.#highWatermark
    this.#tail = shared.tailCache.openTail()
    const access = new SegmentAccess(shared, identity)
    const { segments, transactions, epochs } = loaded
    this.#segments = segments
    this.#transactions = transactions
    this.#epochs = epochs
    this.#reader = new LogReader({ access, segments, transactions, tail: this.#tail, epochs })
    this.#times = new TimeLookup(access, segments, shared.compression)
    const sealer = new Sealer(shared, directory, segments)
    sealer.knowSnapshots(loaded.snapshots)
    for (const segment of loaded.owed) sealer.owe(segment)
    const parts = { shared, directory, segments, sealer }
    this.#writer = new LogWriter({
      ...parts,
      epochs,
      hooks: {
        settings: () => this.#settings,
        committed: (end, bytes) => this.#committed(end, bytes),
        dropped: (end, bytes) => this.#dropped(end, bytes),
        snapshotAt: offset => this.#snapshotAt(offset),
      },
    })
    if (loaded.epochsOwed) this.#writer.epochsChanged()
    this.maintenance = new LogMaintenance({ ...parts, writer: this.#writer, noted, log: this })
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
  get lastStableOffset(): number {
    return this.#transactions.stableEnd(this)
  }
  get logEndOffset(): number {
    return this.#logEndOffset
  }
  get size(): PartitionLog['size'] {
    return this.#segments.size
  }
  get durableEndOffset(): number {
    return this.#writer.durableEnd.offset
  }
  /** Damage was found: nothing may be written, not even by maintenance. */
  get isQuarantined(): boolean {
    return this.#quarantine !== null
  }

  get #state() {
    return {
      identity: this.identity,
      settings: this.#settings,
      shared: this.#shared,
      closed: this.#closed,
      quarantine: this.#quarantine,
      writer: this.#writer,
    }
  }

  appendAsLeader(batch: Uint8Array): Appended {
    requireAppendable(this.#state, batch.byteLength)
    const header = checkProducedBatch(batch)
    const isIdempotent = header.producerId >= 0
    const nowMs = isIdempotent ? this.#shared.clock.monotonicMs() : 0
    const repeated = isIdempotent ? this.#producers.check(header, nowMs).duplicateOf : null
    if (repeated !== null) {
      return { baseOffset: repeated.baseOffset, lastOffset: repeated.lastOffset, duplicate: true }
    }
    const baseOffset = this.#logEndOffset
    const lastOffset = baseOffset + header.recordCount - 1
    requireOffset(lastOffset, this.identity)
    patchBatch(batch, baseOffset, this.leaderEpoch)
    if (this.#epochs.maybeAssign(this.leaderEpoch, baseOffset)) this.#writer.epochsChanged()
    if (isIdempotent) this.#producers.record(header, { baseOffset, nowMs })
    const { maxTimestamp } = header
    const kept = this.#tail.append({ baseOffset, lastOffset, maxTimestamp, bytes: batch })
    this.#logEndOffset = lastOffset + 1
    noteAppended(this.#shared, kept.bytes.byteLength)
    this.#writer.enqueue(kept)
    return { baseOffset, lastOffset, duplicate: false }
  }

  #committed(endOffset: number, bytes: number): void {
    this.#shared.load.uncommittedBytes -= bytes
    this.#highWatermark = endOffset
    this.#tail.commit(endOffset)
    this.#producers.commit(endOffset)
    this.#followers.committed(endOffset)
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
    this.#followers.dropped()
  }

  whenCommitted(lastOffset: number, done: (error: SluiceError | null) => void): void {
    this.#followers.wait(lastOffset, this, done)
  }

  read(offset: number, maxBytes: number, options: Isolation): ReadResult | Promise<ReadResult> {
    this.#requireOpen()
    requireInRange(offset, this, this.identity)
    const endOffset = this.#endFor(options)
    if (offset >= endOffset) return { bodies: [], sizeBytes: 0 }
    return this.#reader.read({ offset, endOffset, maxBytes, isolation: options.isolation })
  }

  #endFor({ isolation }: Isolation): number {
    return isolation === 'committed' ? this.lastStableOffset : this.#highWatermark
  }

  #requireOpen(): void {
    if (this.#ended) throw new SluiceError('CLOSED', 'the log has been closed', this.identity)
  }

  readableBytes(offset: number, limit: number, options: Isolation): number {
    const endOffset = this.#endFor(options)
    if (offset >= endOffset || offset < this.#logStartOffset) return 0
    return this.#reader.readableBytes(offset, endOffset, limit)
  }

  onProgress(callback: () => void): () => void {
    return this.#followers.listen(callback)
  }

  async offsetForTimestamp(timestamp: number): Promise<FoundRecord | null> {
    this.#requireOpen()
    return this.#times.firstAt(timestamp, this.#committedRange)
  }

  async maxTimestampOffset(): Promise<FoundRecord | null> {
    this.#requireOpen()
    return this.#times.highest(this.#committedRange)
  }

  get #committedRange(): { start: number; end: number } {
    return { start: this.#logStartOffset, end: this.#highWatermark }
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  epochBefore(offset: number): number | null {
    return offset <= this.#logStartOffset ? null : this.#epochs.epochAt(offset - 1)
  }

  async trim(before: number): Promise<number> {
    requireWritable(this.#state)
    return this.maintenance.moveLogStart(requireTrimmable(before, this, this.identity))
  }

  /** Called by maintenance, which makes it durable before anything is removed or answered. */
  raiseLogStart(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.#followers.moved()
  }

  async applySettings(settings: LogSettings): Promise<void> {
    const toCommit = this.#settings.flush === 'os' && settings.flush === 'commit'
    this.#settings = settings
    if (toCommit) await this.maintenance.syncEverything()
  }

  /** Refuses appends, writes what is queued, and puts indexes and producer state on disk. */
  async closeCleanly(): Promise<void> {
    this.#closed = true
    await this.maintenance.stop()
    const snapshot = this.#producers.size > 0 ? this.#snapshotAt(this.#logEndOffset) : null
    await this.maintenance.finish(snapshot)
    await this.#end()
  }

  /** Kept as it is at the moment of the call, all below `offset` being committed; written later. */
  #snapshotAt(offset: number): SealedSnapshot {
    invariant(offset === this.#highWatermark, 'a snapshot is taken at the committed end', {
      offset,
      highWatermark: this.#highWatermark,
    })
    return producerSnapshotAt(this.#shared.disk, this.directory, offset, this.#producers)
  }

  /** For a deletion: refuses appends and waits until nothing touches the files any more. */
  async retire(): Promise<void> {
    this.#closed = true
    await this.maintenance.stop()
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#ended = true
    await this.maintenance.retireSegments()
    this.#tail.clear()
    this.#followers.end()
  }

  describe(): LogDescription {
    const { sizeBytes } = this.#segments
    const rest = { sizeBytes, producers: this.#producers.size, segments: this.#segments.describe() }
    if (this.#quarantine === null) return { state: 'ok', ...rest }
    return { state: 'quarantined', reason: this.#quarantine, ...rest }
  }
}

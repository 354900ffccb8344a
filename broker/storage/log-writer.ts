/**
 * Log writer: the commit loop of one partition. One round is under way at a time; what arrives
 * meanwhile is the next, so the disk sets the pace and no timer is involved.
 *
 *   queue ──> write ──> fdatasync ──> committed            flush=os: committed after the write
 *              │ new segment: its directory is fsynced beside the fdatasync
 *              └ no space: cut the file to the committed end, fsync, drop all that is above it (S2)
 *
 * Always true: a round never spans two segments; `durableEnd` never goes back and passes a segment
 * only when all before it are fsynced; a failed fsync or a write EIO ends the process and is never
 * retried (S1).
 * Called by log.ts; one writer per log.
 */
import { crcAt } from '../../protocol/records/batch-header.ts'
import { DiskError, isNoSpace } from '../world/disk.ts'
import type { EpochCache } from './epoch-cache.ts'
import { finalSync } from './final-sync.ts'
import { isTooWide } from './log-rules.ts'
import type { SealedSnapshot, Sealer } from './sealer.ts'
import { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { TailBatch } from './tail-cache.ts'
import { timedSync } from './timed-sync.ts'
import type { LogSettings } from './types.ts'

export interface WriterHooks {
  settings(): LogSettings
  /** Everything below `endOffset` is committed. */
  committed(endOffset: number, bytes: number): void
  /** Nothing at or above `endOffset` was or will be written; `bytes` of it had been queued. */
  dropped(endOffset: number, bytes: number): void
  /** The producer state at the end of a segment that is being sealed, taken at that moment. */
  snapshotAt(offset: number): SealedSnapshot
}

/** Where the durable part ends: the recovery point of an active segment. */
export interface DurableEnd {
  readonly offset: number
  readonly segmentBase: number
  readonly position: number
}

export interface WriterParts {
  readonly shared: LogShared
  readonly directory: string
  readonly segments: SegmentList
  readonly epochs: EpochCache
  readonly sealer: Sealer
  readonly hooks: WriterHooks
}

export class LogWriter {
  readonly #parts: WriterParts
  #queue: TailBatch[] = []
  #running: Promise<void> | null = null
  #dropping = false
  #epochsDirty = false
  /** Segments begun by this writer, and how many of them are durable by name. */
  #rolls = 0
  #namedRolls = 0
  /** Sealed segments that hold bytes which were never fsynced (flush=os). */
  #unsynced: Segment[] = []
  #syncedEnd: DurableEnd
  #bytesSinceCheckpoint = 0

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#syncedEnd = endOf(parts.segments.active)
    parts.sealer.knowDurableEnd(() => this.#syncedEnd.offset)
  }

  /** A full disk is being cleared up: nothing may be appended until it is done. */
  get dropping(): boolean {
    return this.#dropping
  }

  get durableEnd(): DurableEnd {
    return this.#syncedEnd
  }

  get queuedBytes(): number {
    return this.#queue.reduce((sum, batch) => sum + batch.bytes.byteLength, 0)
  }

  enqueue(batch: TailBatch): void {
    this.#queue.push(batch)
    this.#running ??= this.#run()
  }

  /** The next round writes the epoch checkpoint before its batches. */
  epochsChanged(): void {
    this.#epochsDirty = true
  }

  /** Resolves when nothing is queued or under way. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #run(): Promise<void> {
    // What the rest of this turn appends joins the first round.
    await Promise.resolve()
    while (this.#queue.length > 0) await this.#round()
    this.#running = null
  }

  async #round(): Promise<void> {
    try {
      if (this.#epochsDirty) await this.#writeEpochs()
      await this.#maybeRoll(this.#queue[0])
      const segment = this.#parts.segments.active
      const round = this.#take(segment)
      const bytes = await this.#write(segment, round)
      if (this.#parts.hooks.settings().flush === 'commit') await this.#sync(segment)
      this.#queue.splice(0, round.length)
      this.#noteProgress(bytes)
      this.#parts.hooks.committed(segment.endOffset, bytes)
    } catch (error) {
      if (!isNoSpace(error)) return this.#die(error)
      await this.#drop(error)
    }
  }

  #noteProgress(bytes: number): void {
    this.#bytesSinceCheckpoint += bytes
    if (this.#bytesSinceCheckpoint < this.#parts.shared.limits.checkpointBytes) return
    this.#bytesSinceCheckpoint = 0
    this.#parts.shared.requestCheckpoint()
  }

  /** The batches of one round: as many as fit the segment and the round; at least one. */
  #take(segment: Segment): TailBatch[] {
    const { segmentBytes } = this.#parts.hooks.settings()
    const limit = this.#parts.shared.limits.maxRoundBytes
    let bytes = 0
    let count = 0
    for (const batch of this.#queue) {
      const size = bytes + batch.bytes.byteLength
      const fits = size <= limit && segment.sizeBytes + size <= segmentBytes
      if (count > 0 && (!fits || isTooWide(segment, batch))) break
      bytes = size
      count++
    }
    return this.#queue.slice(0, count)
  }

  async #write(segment: Segment, round: readonly TailBatch[]): Promise<number> {
    const parts = round.map(batch => batch.bytes)
    const total = parts.reduce((sum, part) => sum + part.byteLength, 0)
    const { clock, counts } = this.#parts.shared
    const beganMs = clock.monotonicMs()
    const written = await segment.use(file => file.write(parts, segment.sizeBytes))
    counts.appendSeconds.observe((clock.monotonicMs() - beganMs) / 1000)
    if (written < total) {
      throw new DiskError('noSpace', segment.path('log'), 'the disk took only part of a write')
    }
    const { indexIntervalBytes } = this.#parts.hooks.settings()
    if (segment.sizeBytes === 0) segment.createdAtMs = clock.wallMs()
    for (const { lastOffset, maxTimestamp, bytes } of round) {
      const place = { lastOffset, maxTimestamp, sizeBytes: bytes.byteLength, crc: crcAt(bytes, 0) }
      segment.observe(place, indexIntervalBytes)
    }
    return total
  }

  /** Makes the active segment and all before it durable, names included. */
  async #sync(segment: Segment): Promise<void> {
    const end = endOf(segment)
    const rolls = this.#rolls
    const older = this.#unsynced
    const { shared, directory } = this.#parts
    const records = end.offset - this.#syncedEnd.offset
    await finalSync(
      timedSync(shared, { directory, records }, async () => {
        const kept = [...older, segment].filter(file => !file.isRetired)
        const files = kept.map(file => file.use(log => log.sync()))
        // Side by side, they take little longer than one of them.
        if (rolls > this.#namedRolls) files.push(shared.disk.syncDirectory(directory))
        await Promise.all(files)
      }),
    )
    // Only now: a second sync beside this one must not ack what this one has yet to name.
    this.#namedRolls = Math.max(this.#namedRolls, rolls)
    this.#unsynced = this.#unsynced.filter(file => !older.includes(file))
    if (isBeyond(end, this.#syncedEnd)) this.#syncedEnd = end
  }

  /**
   * At a clean stop: writes epochs that no round has. With the one in force among them, so that
   * those which recovery cut off are not given out again.
   */
  async writeOwedEpochs(leaderEpoch: number): Promise<void> {
    if (!this.#epochsDirty) return
    this.#parts.epochs.maybeAssign(leaderEpoch, this.#parts.segments.active.endOffset)
    await this.#writeEpochs()
  }

  async #writeEpochs(): Promise<void> {
    this.#epochsDirty = false
    try {
      await this.#parts.epochs.write(this.#parts.shared.disk, this.#parts.directory)
    } catch (error) {
      this.#epochsDirty = true
      throw error
    }
  }

  async #maybeRoll(next: TailBatch | undefined): Promise<void> {
    const { active } = this.#parts.segments
    if (next === undefined || active.sizeBytes === 0) return
    const settings = this.#parts.hooks.settings()
    const full = active.sizeBytes + next.bytes.byteLength > settings.segmentBytes
    if (full || isTooWide(active, next) || this.#isOld(active)) await this.#roll()
  }

  #isOld(segment: Segment): boolean {
    const { segmentMs, retentionMs } = this.#parts.hooks.settings()
    // A log that keeps records for an hour must not sit on a segment for a week.
    const limit = retentionMs < 0 ? segmentMs : Math.min(segmentMs, retentionMs)
    return this.#parts.shared.clock.wallMs() - segment.createdAtMs >= limit
  }

  /** Rolls an idle log whose active segment is old enough. */
  async maybeRollIdle(): Promise<void> {
    const { active } = this.#parts.segments
    if (this.#running !== null || active.sizeBytes === 0 || !this.#isOld(active)) return
    this.#running = this.#rollIdle()
    await this.#running
  }

  async #rollIdle(): Promise<void> {
    try {
      await this.#roll()
      await this.#sync(this.#parts.segments.active)
    } catch (error) {
      if (!isNoSpace(error)) return this.#die(error)
    }
    while (this.#queue.length > 0) await this.#round()
    this.#running = null
  }

  async #roll(): Promise<void> {
    const { shared, segments, directory, sealer, hooks } = this.#parts
    const old = segments.active
    const next = new Segment(shared.disk, directory, old.endOffset, shared.clock.wallMs())
    await next.createFile()
    old.sealedAtMs = shared.wallClock.sealingMs()
    segments.add(next)
    this.#rolls++
    if (old.endOffset > this.#syncedEnd.offset) this.#unsynced = [...this.#unsynced, old]
    sealer.seal(old, hooks.snapshotAt(old.endOffset))
    const { baseOffset } = next
    shared.logger.debug?.({ event: 'segment-rolled', directory, baseOffset }, 'a new segment')
  }

  /** Makes what was written so far durable; does nothing where it is already. */
  async syncWritten(): Promise<void> {
    const { active } = this.#parts.segments
    if (active.endOffset === this.#syncedEnd.offset) return
    await this.#sync(active).catch(error => this.#die(error))
  }

  /** S2: the disk is full. What is not committed goes, on disk and in memory. */
  async #drop(cause: DiskError): Promise<void> {
    this.#dropping = true
    const { shared, segments, hooks } = this.#parts
    shared.space.full = true
    const segment = segments.active
    shared.logger.warn(
      { event: 'disk-full', path: cause.path, endOffset: segment.endOffset },
      'no space left: writes are refused until there is room',
    )
    await segment
      .use(async file => {
        await file.truncate(segment.sizeBytes)
        await file.sync()
      })
      .catch(error => this.#die(error))
    const bytes = this.queuedBytes
    this.#queue = []
    this.#dropping = false
    hooks.dropped(segment.endOffset, bytes)
  }

  /** Never resolves: nothing may run on after this. */
  #die(cause: unknown): Promise<never> {
    this.#parts.shared.process.die(`writing the log in ${this.#parts.directory} failed`, cause)
    return new Promise(() => {})
  }
}

function endOf(segment: Segment): DurableEnd {
  const { endOffset, baseOffset, sizeBytes } = segment
  return { offset: endOffset, segmentBase: baseOffset, position: sizeBytes }
}

function isBeyond(end: DurableEnd, other: DurableEnd): boolean {
  return end.offset > other.offset || end.segmentBase > other.segmentBase
}

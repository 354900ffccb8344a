/**
 * Fake logs: PartitionLogs in memory, for tests of the rooms above storage. Commits happen when the
 * test says so (`autoCommit: false`), reads may be slow, and everything that was asked of it can be
 * looked at.
 *
 * Always true: it keeps the contract of broker/storage/types.ts for what the tests use; epochs are
 * one per log.
 */

import type {
  Appended,
  Isolation,
  LogDescription,
  LogIdentity,
  LogSettings,
  PartitionLog,
  PartitionLogs,
  ReadResult,
  UnknownDirectory,
} from '../../broker/storage/types.ts'
import { SluiceError } from '../../protocol/errors.ts'
import { checkProducedBatch, patchBatch } from '../../protocol/records/batch-header.ts'

interface Stored {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly bytes: Uint8Array
  readonly maxTimestamp: number
}
interface Waiting {
  readonly lastOffset: number
  done(error: SluiceError | null): void
}

export class FakeLog implements PartitionLog {
  readonly identity: LogIdentity
  settings: LogSettings
  logStartOffset = 0
  highWatermark = 0
  logEndOffset = 0
  leaderEpoch = 0
  isQuarantined = false
  autoCommit: boolean
  slowReads = false
  failReads: unknown = null
  /** Where a test says that a transaction is open. */
  openFrom = Infinity
  readonly trims: number[] = []
  readonly epochs: { epoch: number; startOffset: number }[] = []
  readonly #stored: Stored[] = []
  #waiting: Waiting[] = []
  readonly listeners = new Set<() => void>()

  constructor(identity: LogIdentity, settings: LogSettings, autoCommit: boolean) {
    this.identity = identity
    this.settings = settings
    this.autoCommit = autoCommit
  }

  get lastStableOffset(): number {
    return Math.min(this.openFrom, this.highWatermark)
  }
  get durableEndOffset(): number {
    return this.highWatermark
  }
  get uncommittedBytes(): number {
    return this.#stored
      .filter(batch => batch.baseOffset >= this.highWatermark)
      .reduce((sum, batch) => sum + batch.bytes.byteLength, 0)
  }

  appendAsLeader(batch: Uint8Array): Appended {
    const header = checkProducedBatch(batch)
    if (header.sizeBytes > this.settings.maxMessageBytes) {
      throw new SluiceError('MESSAGE_TOO_LARGE', `batch of ${header.sizeBytes} bytes`)
    }
    const baseOffset = this.logEndOffset
    patchBatch(batch, baseOffset, this.leaderEpoch)
    const nextOffset = baseOffset + header.lastOffsetDelta + 1
    if (this.epochs.at(-1)?.epoch !== this.leaderEpoch) {
      this.epochs.push({ epoch: this.leaderEpoch, startOffset: baseOffset })
    }
    this.#stored.push({ baseOffset, nextOffset, bytes: batch, maxTimestamp: header.maxTimestamp })
    this.logEndOffset = nextOffset
    if (this.autoCommit) queueMicrotask(() => this.commit())
    return { baseOffset, lastOffset: nextOffset - 1, duplicate: false }
  }

  commit(): void {
    this.highWatermark = this.logEndOffset
    const ready = this.#waiting.filter(one => one.lastOffset < this.highWatermark)
    this.#waiting = this.#waiting.filter(one => one.lastOffset >= this.highWatermark)
    for (const one of ready) one.done(null)
    this.progress()
  }

  failWaiting(error: SluiceError): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) one.done(error)
  }

  progress(): void {
    for (const listener of [...this.listeners]) listener()
  }

  whenCommitted(lastOffset: number, done: (error: SluiceError | null) => void): void {
    if (lastOffset < this.highWatermark) queueMicrotask(() => done(null))
    else this.#waiting.push({ lastOffset, done })
  }

  read(offset: number, maxBytes: number, _options: Isolation): ReadResult | Promise<ReadResult> {
    if (this.failReads !== null) throw this.failReads
    const bodies: Uint8Array[] = []
    let sizeBytes = 0
    for (const batch of this.#stored) {
      if (batch.nextOffset <= offset || batch.nextOffset > this.highWatermark) continue
      if (bodies.length > 0 && sizeBytes + batch.bytes.byteLength > maxBytes) break
      bodies.push(batch.bytes)
      sizeBytes += batch.bytes.byteLength
    }
    const result = { bodies, sizeBytes }
    return this.slowReads ? Promise.resolve().then(() => result) : result
  }

  readableBytes(offset: number, limit: number): number {
    const readable = this.#stored.filter(
      batch => batch.nextOffset > offset && batch.nextOffset <= this.highWatermark,
    )
    return Math.min(
      limit,
      readable.reduce((sum, batch) => sum + batch.bytes.byteLength, 0),
    )
  }

  onProgress(callback: () => void): () => void {
    this.listeners.add(callback)
    return () => this.listeners.delete(callback)
  }

  async offsetForTimestamp(timestamp: number) {
    const found = this.#stored.find(batch => batch.maxTimestamp >= timestamp)
    return found === undefined ? null : this.#found(found)
  }

  async maxTimestampOffset() {
    const [first, ...others] = this.#stored
    if (first === undefined) return null
    return this.#found(
      others.reduce((best, one) => (one.maxTimestamp > best.maxTimestamp ? one : best), first),
    )
  }

  #found(batch: Stored) {
    return {
      offset: batch.baseOffset,
      timestamp: batch.maxTimestamp,
      leaderEpoch: this.leaderEpoch,
    }
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    const index = this.epochs.findLastIndex(entry => entry.epoch <= epoch)
    const entry = this.epochs[index]
    if (entry === undefined) return null
    const next = this.epochs[index + 1]
    return { epoch: entry.epoch, endOffset: next?.startOffset ?? this.logEndOffset }
  }

  epochBefore(offset: number): number | null {
    if (offset <= this.logStartOffset) return null
    return this.epochs.findLast(entry => entry.startOffset < offset)?.epoch ?? null
  }

  async trim(before: number): Promise<number> {
    if (before > this.highWatermark) {
      throw new SluiceError('OFFSET_OUT_OF_RANGE', `cannot trim to ${before}`)
    }
    this.trims.push(before)
    this.logStartOffset = before === -1 ? this.highWatermark : before
    this.progress()
    return this.logStartOffset
  }

  async applySettings(settings: LogSettings): Promise<void> {
    this.settings = settings
  }

  get size(): { bytes: number; segments: number } {
    return { bytes: 0, segments: 0 }
  }

  describe(): LogDescription {
    return { state: 'ok', sizeBytes: 0, producers: 0, segments: [] }
  }
}

export class FakeLogs implements PartitionLogs {
  isDiskFull = false
  readonly opened = new Map<string, FakeLog>()
  readonly calls: string[] = []
  autoCommit = true
  /** What findUnknown answers. */
  unknown: UnknownDirectory[] = []
  /** Thrown by the next open of this partition number. */
  failOpen: { partition: number; error: unknown } | null = null

  all(): FakeLog[] {
    return [...this.opened.values()]
  }
  get(topicId: string, partition: number): FakeLog | undefined {
    return this.opened.get(`${topicId}/${partition}`)
  }
  /** By name, for tests. */
  named(topic: string, partition: number): FakeLog {
    const log = this.all().find(
      one => one.identity.topic === topic && one.identity.partition === partition,
    )
    if (log === undefined) throw new Error(`no log ${topic}-${partition}`)
    return log
  }
  async open(identity: LogIdentity, settings: LogSettings): Promise<FakeLog> {
    if (this.failOpen?.partition === identity.partition) throw this.failOpen.error
    this.calls.push(`open ${identity.topic}-${identity.partition}`)
    const log = new FakeLog(identity, settings, this.autoCommit)
    this.opened.set(`${identity.topicId}/${identity.partition}`, log)
    return log
  }
  async delete(topicId: string, partition: number): Promise<void> {
    const log = this.get(topicId, partition)
    this.calls.push(`delete ${log?.identity.topic}-${partition}`)
    this.opened.delete(`${topicId}/${partition}`)
    log?.progress()
  }
  async findUnknown(known: ReadonlySet<string>) {
    return this.unknown.filter(one => !known.has(one.identity.topicId))
  }
  async removeDirectory(directory: string): Promise<void> {
    this.calls.push(`remove ${directory}`)
  }
  get uncommittedBytes(): number {
    return this.all().reduce((sum, log) => sum + log.uncommittedBytes, 0)
  }
  async closeCleanly(): Promise<void> {
    this.calls.push('closeCleanly')
    for (const log of this.all()) log.commit()
  }
}

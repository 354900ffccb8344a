/**
 * Segment: one .log file of a partition with its two indexes.
 *
 *   00000000000000004096.log    | batch | batch | batch |……      positions count from 0
 *                                ^ baseOffset        ^ endOffset, sizeBytes
 *
 * Always true: `sizeBytes` and `endOffset` cover whole batches only; a file is closed when nobody
 * uses it any more, never under a read that is queued (S5: a reused descriptor would read another
 * file, and its CRC would pass), and a retired segment opens no path again: another segment may
 * live there by then (S6). Kept in memory for the active segment, the indexes are loaded on first
 * use for sealed ones.
 * Called by log.ts and its helpers; one writer at a time.
 */
import { crc32c } from '../../protocol/bytes/crc32c.ts'
import { invariant } from '../../protocol/invariant.ts'
import { type Disk, DiskError, type DiskFile } from '../world/disk.ts'
import { walkBatches } from './batch-walk.ts'
import { readWholeFile } from './checked-file.ts'
import { type SegmentSuffix, segmentFileName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'
import { Users } from './users.ts'

/** What an index needs to know of a batch. */
export interface BatchPlace {
  readonly lastOffset: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  /** The checksum that the batch says it has. */
  readonly crc: number
}

export interface SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
}

/** Everything of a segment that a restart needs without reading the .log file. */
export interface SegmentFacts {
  readonly baseOffset: number
  readonly endOffset: number
  readonly sizeBytes: number
  readonly maxTimestamp: number
  readonly offsetOfMaxTimestamp: number
  readonly bytesSinceIndexEntry: number
  readonly createdAtMs: number
  /** null = active. */
  readonly sealedAtMs: number | null
  /**
   * Of the index files as they were written, which have none of their own; missing in lists of
   * earlier versions.
   */
  readonly indexChecksums?: IndexChecksums
  /**
   * The checksum of its first batch, by which a file is known that lies where another belongs;
   * missing where there is no batch, and in lists of earlier versions.
   */
  readonly firstChecksum?: number
}

interface IndexChecksums {
  readonly offsets: number
  readonly times: number
}

/** Of an index that is made anew where it is read. */
const rebuildIntervalBytes = 4096

export class Segment {
  readonly baseOffset: number
  endOffset: number
  sizeBytes = 0
  maxTimestamp = -1
  offsetOfMaxTimestamp = -1
  createdAtMs: number
  sealedAtMs: number | null = null
  /** The indexes are on disk; the recovery point may pass this segment (S15). */
  indexesDurable = false
  firstChecksum: number | undefined
  readonly #disk: Disk
  readonly #directory: string
  #bytesSinceIndexEntry = 0
  #indexChecksums: IndexChecksums | undefined
  #indexes: SegmentIndexes | null
  #file: Promise<DiskFile> | null = null
  readonly #users = new Users()
  #retired = false
  #usedSinceIdleCheck = false

  /** A new, empty segment; its file is made by `createFile` or exists already. */
  constructor(disk: Disk, directory: string, baseOffset: number, createdAtMs: number) {
    this.#disk = disk
    this.#directory = directory
    this.baseOffset = baseOffset
    this.endOffset = baseOffset
    this.createdAtMs = createdAtMs
    this.#indexes = { offsets: new OffsetIndex(baseOffset), times: new TimeIndex(baseOffset) }
  }

  /** A segment known from a checkpoint; nothing is read until it is used. */
  static fromFacts(disk: Disk, directory: string, facts: SegmentFacts): Segment {
    const segment = new Segment(disk, directory, facts.baseOffset, facts.createdAtMs)
    segment.endOffset = facts.endOffset
    segment.sizeBytes = facts.sizeBytes
    segment.maxTimestamp = facts.maxTimestamp
    segment.offsetOfMaxTimestamp = facts.offsetOfMaxTimestamp
    segment.sealedAtMs = facts.sealedAtMs
    segment.#bytesSinceIndexEntry = facts.bytesSinceIndexEntry
    segment.#indexChecksums = facts.indexChecksums
    segment.firstChecksum = facts.firstChecksum
    // An empty segment has nothing to index: no file needs to be read for it.
    if (facts.sizeBytes > 0) segment.#indexes = null
    segment.indexesDurable = true
    return segment
  }

  facts(): SegmentFacts {
    return {
      baseOffset: this.baseOffset,
      endOffset: this.endOffset,
      sizeBytes: this.sizeBytes,
      maxTimestamp: this.maxTimestamp,
      offsetOfMaxTimestamp: this.offsetOfMaxTimestamp,
      bytesSinceIndexEntry: this.#bytesSinceIndexEntry,
      createdAtMs: this.createdAtMs,
      sealedAtMs: this.sealedAtMs,
      ...(this.#indexChecksums !== undefined && { indexChecksums: this.#indexChecksums }),
      ...(this.firstChecksum !== undefined && { firstChecksum: this.firstChecksum }),
    }
  }

  path(suffix: SegmentSuffix): string {
    return `${this.#directory}/${segmentFileName(this.baseOffset, suffix)}`
  }

  async createFile(): Promise<void> {
    this.#file = this.#disk.open(this.path('log'), 'create')
    await this.#file
  }

  /** Deleted or closed: it cannot be used any more. */
  get isRetired(): boolean {
    return this.#retired
  }

  /** Runs `work` on the .log file, which stays open at least until it is done. @throws DiskError */
  async use<T>(work: (file: DiskFile) => Promise<T>): Promise<T> {
    if (this.#retired) {
      throw new DiskError('missing', this.path('log'), 'the segment is not in use any more')
    }
    this.#usedSinceIdleCheck = true
    return this.#users.during(async () => {
      this.#file ??= this.#disk.open(this.path('log'), 'update')
      const file = await this.#file.catch(error => {
        this.#file = null
        throw error
      })
      return work(file)
    })
  }

  /** Takes in a batch that now lies at the end of the file. */
  observe(batch: BatchPlace, indexIntervalBytes: number): void {
    const indexes = this.#indexes
    invariant(indexes !== null, 'the indexes of a growing segment are in memory', {
      base: this.baseOffset,
    })
    if (this.sizeBytes === 0) this.firstChecksum = batch.crc
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp
      this.offsetOfMaxTimestamp = batch.lastOffset
    }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes && this.#isIndexable(batch.lastOffset)) {
      indexes.offsets.append(batch.lastOffset, this.sizeBytes)
      indexes.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp)
      this.#bytesSinceIndexEntry = 0
    }
    this.sizeBytes += batch.sizeBytes
    this.#bytesSinceIndexEntry += batch.sizeBytes
    this.endOffset = batch.lastOffset + 1
    this.indexesDurable = false
    this.#indexChecksums = undefined
  }

  /** Only damage puts an offset so far from the base; what is not indexed is found by walking. */
  #isIndexable(lastOffset: number): boolean {
    return lastOffset - this.baseOffset < 2 ** 31
  }

  /** @throws DiskError */
  async indexes(): Promise<SegmentIndexes> {
    this.#usedSinceIdleCheck = true
    if (this.#indexes !== null) return this.#indexes
    const [offsetBytes, timeBytes] = await Promise.all([
      readWholeFile(this.#disk, this.path('index')),
      readWholeFile(this.#disk, this.path('timeindex')),
    ])
    this.#indexes ??= this.#decode(offsetBytes, timeBytes) ?? (await this.#rebuildIndexes())
    return this.#indexes
  }

  /** null where they are missing or not what was written: a wrong one would hide records. */
  #decode(offsetBytes: Uint8Array | null, timeBytes: Uint8Array | null): SegmentIndexes | null {
    if (offsetBytes === null || timeBytes === null) return null
    const written = this.#indexChecksums
    if (written !== undefined) {
      if (crc32c(offsetBytes) !== written.offsets || crc32c(timeBytes) !== written.times)
        return null
    }
    const offsets = OffsetIndex.decode(this.baseOffset, offsetBytes, this)
    const times = TimeIndex.decode(this.baseOffset, timeBytes, this.endOffset)
    return offsets === null || times === null ? null : { offsets, times }
  }

  /** From the batches, up to the first that is damaged: what is not indexed is found by walking. */
  async #rebuildIndexes(): Promise<SegmentIndexes> {
    const rebuilt = new Segment(this.#disk, this.#directory, this.baseOffset, 0)
    const range = {
      from: 0,
      to: this.sizeBytes,
      nextOffset: this.baseOffset,
      checkCrcFrom: Infinity,
    }
    await this.use(file =>
      walkBatches(file, range, header => {
        rebuilt.observe(header, rebuildIntervalBytes)
        return true
      }),
    )
    return rebuilt.indexes()
  }

  /**
   * Writes and fsyncs both index files; at sealing with the last time entry that Kafka adds then.
   */
  async writeIndexes(sealing: boolean): Promise<void> {
    const { offsets, times } = await this.indexes()
    const last = this.offsetOfMaxTimestamp
    if (sealing && last >= 0 && this.#isIndexable(last)) {
      times.maybeAppend(this.maxTimestamp, last)
    }
    const [offsetBytes, timeBytes] = [offsets.encode(), times.encode()]
    await this.#writeDurably('index', offsetBytes)
    await this.#writeDurably('timeindex', timeBytes)
    this.#indexChecksums = { offsets: crc32c(offsetBytes), times: crc32c(timeBytes) }
  }

  async #writeDurably(suffix: SegmentSuffix, content: Uint8Array): Promise<void> {
    const path = this.path(suffix)
    const exists = (await this.#disk.stat(path)) !== null
    const file = await this.#disk.open(path, exists ? 'update' : 'create')
    try {
      await file.truncate(content.byteLength)
      if ((await file.write([content], 0)) < content.byteLength) {
        throw new DiskError('noSpace', path, `no space left for ${path}`)
      }
      await finalSync(file.sync())
    } finally {
      await file.close()
    }
  }

  /** Closes the file if nobody used it since the last call; it opens again by itself. */
  async closeIfIdle(): Promise<void> {
    const idle = !this.#usedSinceIdleCheck
    this.#usedSinceIdleCheck = false
    if (!idle || this.#users.count > 0) return
    if (this.sealedAtMs !== null && this.indexesDurable) this.#indexes = null
    await this.#close()
  }

  /** No further use; resolves when the last user is done and the file is closed. */
  async retire(): Promise<void> {
    this.#retired = true
    await this.#users.none()
    await this.#close()
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = null
    if (file !== null) await (await file.catch(() => null))?.close()
  }
}

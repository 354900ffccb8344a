/**
 * Time lookup: finds records by timestamp.
 *
 *   segments by their maximum ─> time index: offsets that need no look ─> headers ─> records of one batch
 *
 * Always true: the answer is exact whatever the indexes say; they only save walking. Only records
 * in [start, end) are looked at; control batches are no records.
 * Called by log.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { type BatchHeader, checkBatch } from '../../protocol/records/batch-header.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'
import type { DiskFile } from '../world/disk.ts'
import { walkBatches } from './batch-walk.ts'
import type { WalkStart } from './offset-index.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import type { SegmentAccess } from './segment-access.ts'
import type { SegmentList } from './segment-list.ts'

export interface FoundRecord {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface OffsetRange {
  readonly start: number
  readonly end: number
}

interface Wanted extends OffsetRange {
  readonly timestamp: number
}

interface Located {
  readonly position: number
  readonly header: BatchHeader
}

export class TimeLookup {
  readonly #access: SegmentAccess
  readonly #segments: SegmentList
  readonly #compression: Compression

  constructor(access: SegmentAccess, segments: SegmentList, compression: Compression) {
    this.#access = access
    this.#segments = segments
    this.#compression = compression
  }

  /** First record at or after `timestamp` in the range. */
  async firstAt(timestamp: number, range: OffsetRange): Promise<FoundRecord | null> {
    for (const segment of [...this.#segments.all]) {
      if (segment.maxTimestamp < timestamp || segment.endOffset <= range.start) continue
      const found = await this.#firstInSegment(segment, { ...range, timestamp })
      if (found !== null) return found
    }
    return null
  }

  /** The first record with the highest timestamp in the range. */
  async highest(range: OffsetRange): Promise<FoundRecord | null> {
    let highest = -1
    for (const segment of [...this.#segments.all]) {
      if (segment.maxTimestamp <= highest || segment.endOffset <= range.start) continue
      // What is noted of a segment may lie below the log start, or may not be committed yet.
      const whole = segment.baseOffset >= range.start && segment.endOffset <= range.end
      const top = whole ? segment.maxTimestamp : await this.#highestInSegment(segment, range)
      highest = Math.max(highest, top)
    }
    return highest < 0 ? null : this.firstAt(highest, range)
  }

  async #firstInSegment(segment: Segment, want: Wanted): Promise<FoundRecord | null> {
    return this.#useUnlessDeleted(segment, null, async (file, indexes) => {
      const from = Math.max(want.start, indexes.times.offsetBelow(want.timestamp) + 1)
      let at = indexes.offsets.floor(from)
      for (;;) {
        const located = await this.#nextCandidate(file, segment, at, want)
        if (located === null || located.header.lastOffset >= want.end) return null
        const found = await this.#recordIn(file, located, want)
        if (found !== null) return found
        const { position, header } = located
        const nextOffset = header.lastOffset + 1
        at = { position: position + header.sizeBytes, nextOffset, lastOffset: null }
      }
    })
  }

  async #highestInSegment(segment: Segment, range: OffsetRange): Promise<number> {
    return this.#useUnlessDeleted(segment, -1, async (file, indexes) => {
      let highest = -1
      let cut: Located | null = null
      const from = indexes.offsets.floor(range.start)
      await this.#walk(file, segment, from, (header, position) => {
        if (header.isControl || header.lastOffset < range.start) return true
        if (header.lastOffset >= range.end) return false
        if (header.baseOffset < range.start) cut = { header, position }
        else highest = Math.max(highest, header.maxTimestamp)
        return true
      })
      return cut === null ? highest : Math.max(highest, await this.#highestIn(file, cut, range))
    })
  }

  async #useUnlessDeleted<T>(
    segment: Segment,
    otherwise: T,
    work: (file: DiskFile, indexes: SegmentIndexes) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#access.use(segment, work)
    } catch (error) {
      // The log start has moved beyond it: nothing in it is wanted any more.
      if (SluiceError.is(error, 'OFFSET_OUT_OF_RANGE')) return otherwise
      throw error
    }
  }

  async #nextCandidate(
    file: DiskFile,
    segment: Segment,
    at: WalkStart,
    want: Wanted,
  ): Promise<Located | null> {
    let located: Located | null = null
    await this.#walk(file, segment, at, (header, position) => {
      const holds = header.lastOffset >= want.start && header.maxTimestamp >= want.timestamp
      if (header.isControl || !holds) return true
      located = { header, position }
      return false
    })
    return located
  }

  async #walk(
    file: DiskFile,
    segment: Segment,
    from: WalkStart,
    visit: (header: BatchHeader, position: number) => boolean,
  ): Promise<void> {
    // A header that is passed over decides as well as one that is not.
    const { position, ...first } = from
    const range = { ...first, from: position, to: segment.sizeBytes, checkCrcFrom: 0 }
    const end = await walkBatches(file, range, visit)
    if (end.damage !== null) throw this.#access.damaged(`${file.path}: ${end.damage}`)
  }

  async #recordIn(file: DiskFile, located: Located, want: Wanted): Promise<FoundRecord | null> {
    const cursor = await this.#open(file, located)
    while (cursor.next()) {
      const { offset, timestamp } = cursor
      if (offset < want.start || timestamp < want.timestamp) continue
      return { offset, timestamp, leaderEpoch: located.header.leaderEpoch }
    }
    return null
  }

  async #highestIn(file: DiskFile, located: Located, range: OffsetRange): Promise<number> {
    const cursor = await this.#open(file, located)
    let highest = -1
    while (cursor.next()) {
      if (cursor.offset >= range.start) highest = Math.max(highest, cursor.timestamp)
    }
    return highest
  }

  /** @throws SluiceError KAFKA_STORAGE_ERROR where the checksum is wrong */
  async #open(file: DiskFile, { position, header }: Located): Promise<RecordCursor> {
    const batch = await file.read(position, header.sizeBytes)
    try {
      checkBatch(batch)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw this.#access.damaged(`${file.path}, position ${position}: ${reason}`)
    }
    return new RecordCursor(batch, header, this.#compression)
  }
}

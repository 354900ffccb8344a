/**
 * Log reader: reads of one partition that the tail cache cannot answer, and look-ups by time.
 *
 *   index floor ─> walk headers ─> the batch that holds the offset ─> whole batches up to maxBytes
 *
 * Always true: only bytes below `endOffset` are looked at; each batch from disk is checked (checksum,
 * continuity) before it is handed out, so bit rot becomes an error, never a wrong record.
 * Called by log.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import {
  type BatchHeader,
  baseOffsetAt,
  batchSizeAt,
  checkBatch,
  lastOffsetAt,
} from '../../protocol/records/batch-header.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import { DiskError, type DiskFile } from '../world/disk.ts'
import { walkBatches } from './batch-walk.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'
import type { LogIdentity } from './types.ts'

/** Read at once even for a small credit: the wanted batch begins somewhere behind the index entry. */
const minReadBytes = 64 * 1024
/** Bytes of a header up to what `lastOffsetAt` reads. */
const scanBytes = 27

export interface FoundRecord {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

interface TimeSearch {
  readonly from: number
  readonly endOffset: number
  readonly timestamp: number
}

interface Located {
  readonly position: number
  readonly header: BatchHeader
}

export class LogReader {
  readonly #shared: LogShared
  readonly #identity: LogIdentity
  readonly #segments: SegmentList

  constructor(shared: LogShared, identity: LogIdentity, segments: SegmentList) {
    this.#shared = shared
    this.#identity = identity
    this.#segments = segments
  }

  /** Whole batches from the one that holds `offset`, below `endOffset`, from one segment. */
  async read(offset: number, endOffset: number, maxBytes: number): Promise<Uint8Array> {
    const segment = this.#segments.floor(offset)
    if (segment === undefined) return new Uint8Array(0)
    const { offsets } = await this.#guard(segment.indexes())
    const from = offsets.floorPosition(offset)
    const bytes = await this.#guard(
      segment.use(async file => {
        const size = Math.max(maxBytes, minReadBytes)
        const chunk = await file.read(from, Math.min(size, segment.sizeBytes - from))
        return this.#firstBatches(file, from, chunk, { offset, endOffset, maxBytes })
      }),
    )
    this.#checkAll(bytes, segment, offset)
    return bytes
  }

  /** Cuts the wanted batches out of `chunk`; reads on where they do not lie in it. */
  async #firstBatches(
    file: DiskFile,
    from: number,
    chunk: Uint8Array,
    want: { offset: number; endOffset: number; maxBytes: number },
  ): Promise<Uint8Array> {
    let start = 0
    let size = batchSizeAt(chunk, start)
    // Batches that end below the wanted offset are passed over.
    while (start + scanBytes <= chunk.byteLength && lastOffsetAt(chunk, start) < want.offset) {
      if (size < 0) throw this.#damaged(`no batch at ${file.path}, position ${from + start}`)
      start += size
      size = batchSizeAt(chunk, start)
    }
    const inChunk = start + scanBytes <= chunk.byteLength && start + size <= chunk.byteLength
    // Reading again from the batch itself is worth it where little of the credit is left in the chunk.
    if (inChunk && start <= chunk.byteLength / 2) return this.#whole(chunk.subarray(start), want)
    const known = start + scanBytes <= chunk.byteLength ? size : 0
    const next = await file.read(from + start, Math.max(want.maxBytes, minReadBytes, known))
    if (next.byteLength < scanBytes) return new Uint8Array(0)
    return start === 0
      ? this.#whole(next, want)
      : this.#firstBatches(file, from + start, next, want)
  }

  /** The longest run of whole batches at the begin of `bytes` that fits; the first one in any case. */
  #whole(bytes: Uint8Array, want: { endOffset: number; maxBytes: number }): Uint8Array {
    let end = 0
    while (end + scanBytes <= bytes.byteLength) {
      const size = batchSizeAt(bytes, end)
      if (size < 0 || end + size > bytes.byteLength) break
      if (end > 0 && end + size > want.maxBytes) break
      if (lastOffsetAt(bytes, end) >= want.endOffset) break
      end += size
    }
    return bytes.subarray(0, end)
  }

  #checkAll(bytes: Uint8Array, segment: Segment, offset: number): void {
    let next: number | null = null
    if (bytes.byteLength === 0 || baseOffsetAt(bytes, 0) > offset) {
      throw this.#damaged(`${segment.path('log')} does not hold offset ${offset}`)
    }
    for (let at = 0; at < bytes.byteLength; ) {
      const size = batchSizeAt(bytes, at)
      try {
        const header = checkBatch(bytes.subarray(at, at + size))
        if (next !== null && header.baseOffset !== next) {
          throw new Error(`offset ${header.baseOffset} where ${next} must follow`)
        }
        next = header.lastOffset + 1
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw this.#damaged(`${segment.path('log')}: ${reason}`)
      }
      at += size
    }
  }

  /** First record at or after `timestamp` in [startOffset, endOffset). */
  async offsetForTimestamp(
    timestamp: number,
    startOffset: number,
    endOffset: number,
  ): Promise<FoundRecord | null> {
    for (const segment of [...this.#segments.all]) {
      if (segment.maxTimestamp < timestamp || segment.endOffset <= startOffset) continue
      const { times } = await this.#guard(segment.indexes())
      const from = Math.max(startOffset, times.offsetBelow(timestamp) + 1)
      const found = await this.#search(segment, { from, endOffset, timestamp })
      if (found !== null) return found
    }
    return null
  }

  /** The first record with the highest timestamp in [startOffset, endOffset). */
  async maxTimestampOffset(startOffset: number, endOffset: number): Promise<FoundRecord | null> {
    const newest = this.#segments.all.reduce((a, b) => (b.maxTimestamp > a.maxTimestamp ? b : a))
    if (newest.maxTimestamp < 0) return null
    return this.offsetForTimestamp(newest.maxTimestamp, startOffset, endOffset)
  }

  /** First record of the segment in [from, endOffset) that is at or after `timestamp`. */
  async #search(segment: Segment, want: TimeSearch): Promise<FoundRecord | null> {
    const { offsets } = await this.#guard(segment.indexes())
    let at = offsets.floorPosition(want.from)
    return this.#guard(
      segment.use(async file => {
        for (;;) {
          const located = await this.#nextCandidate(file, segment, at, want)
          if (located === null || located.header.lastOffset >= want.endOffset) return null
          const found = await this.#recordIn(file, located, want)
          if (found !== null) return found
          at = located.position + located.header.sizeBytes
        }
      }),
    )
  }

  async #nextCandidate(
    file: DiskFile,
    segment: Segment,
    at: number,
    want: TimeSearch,
  ): Promise<Located | null> {
    let located: Located | null = null
    const range = { from: at, to: segment.sizeBytes, nextOffset: null, checkCrcFrom: Infinity }
    const end = await walkBatches(file, range, (header, position) => {
      const holds = header.lastOffset >= want.from && header.maxTimestamp >= want.timestamp
      if (header.isControl || !holds) return true
      located = { header, position }
      return false
    })
    if (end.damage !== null) throw this.#damaged(`${file.path}: ${end.damage}`)
    return located
  }

  async #recordIn(
    file: DiskFile,
    { header, position }: Located,
    want: TimeSearch,
  ): Promise<FoundRecord | null> {
    const batch = await file.read(position, header.sizeBytes)
    checkBatch(batch)
    const cursor = new RecordCursor(batch, header, this.#shared.compression)
    while (cursor.next()) {
      const { offset, timestamp } = cursor
      if (offset < want.from || timestamp < want.timestamp) continue
      return { offset, timestamp, leaderEpoch: header.leaderEpoch }
    }
    return null
  }

  #damaged(reason: string): SluiceError {
    const { topic, partition } = this.#identity
    this.#shared.logger.error({ topic, partition, reason }, 'damaged bytes were found by a read')
    return new SluiceError('KAFKA_STORAGE_ERROR', `the log is damaged: ${reason}`, {
      topic,
      partition,
      hint: 'sluice segment verify shows the extent; records before and after it can be read',
    })
  }

  /** A failing read is this reader's trouble, not the broker's. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof DiskError) throw this.#damaged(`${error.path}: ${error.message}`)
      throw error
    }
  }
}

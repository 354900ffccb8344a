/**
 * Log reader: reads of one partition: from the tail cache where it can answer, else from the files.
 *
 *   index floor ─> walk headers ─> the batch that holds the offset ─> whole batches up to maxBytes
 *
 * Always true: only bytes below `endOffset` are looked at; each batch from disk is checked
 * (checksum, continuity, epoch) before it is handed out, so bit rot becomes an error, never a wrong
 * record.
 * Called by log.ts.
 */
import {
  baseOffsetAt,
  batchSizeAt,
  checkBatch,
  lastOffsetAt,
} from '../../protocol/records/batch-header.ts'
import type { DiskFile } from '../world/disk.ts'
import { strangeEnd, strangeEpoch } from './batch-walk.ts'
import type { EpochCache } from './epoch-cache.ts'
import type { WalkStart } from './offset-index.ts'
import type { Segment } from './segment.ts'
import type { SegmentAccess } from './segment-access.ts'
import type { SegmentList } from './segment-list.ts'
import type { LogTail } from './tail-cache.ts'
import type { Transactions } from './transactions.ts'
import type { Isolation, ReadResult } from './types.ts'

/**
 * Read at once even for a small credit: the wanted batch begins somewhere behind the index entry.
 */
const minReadBytes = 64 * 1024
/** Bytes of a header up to what `lastOffsetAt` reads. */
const scanBytes = 27

export interface ReadWish extends Isolation {
  readonly offset: number
  /** Nothing at or above it is handed out. */
  readonly endOffset: number
  readonly maxBytes: number
}

export interface ReaderParts {
  readonly access: SegmentAccess
  readonly segments: SegmentList
  readonly tail: LogTail
  readonly transactions: Transactions
  readonly epochs: EpochCache
}

export class LogReader {
  readonly #access: SegmentAccess
  readonly #segments: SegmentList
  readonly #tail: LogTail
  readonly #transactions: Transactions
  readonly #epochs: EpochCache

  constructor({ access, segments, tail, transactions, epochs }: ReaderParts) {
    this.#access = access
    this.#segments = segments
    this.#tail = tail
    this.#transactions = transactions
    this.#epochs = epochs
  }

  /** The caller knows that `offset` is in the log, below `endOffset`. */
  read(wish: ReadWish): ReadResult | Promise<ReadResult> {
    const { offset, endOffset, maxBytes } = wish
    if (offset < this.#tail.startOffset) return this.#readFromDisk(wish)
    return this.#result(this.#tail.read(offset, endOffset, maxBytes), wish)
  }

  async #readFromDisk(wish: ReadWish): Promise<ReadResult> {
    return this.#result([await this.readFile(wish)], wish)
  }

  #result(bodies: Uint8Array[], { isolation, offset }: ReadWish): ReadResult {
    const sizeBytes = bodies.reduce((sum, body) => sum + body.byteLength, 0)
    const { aborted } = this.#transactions
    if (isolation === 'uncommitted' || aborted.length === 0) return { bodies, sizeBytes }
    const abortedTransactions = this.#transactions.abortedBetween(offset, endOf(bodies))
    return { bodies, sizeBytes, abortedTransactions }
  }

  readableBytes(offset: number, endOffset: number, limit: number): number {
    if (offset < this.#tail.startOffset) return limit
    return this.#tail.readableBytes(offset, endOffset, limit)
  }

  /** Whole batches from the one that holds `offset`, below `endOffset`, from one segment. */
  async readFile(wish: Omit<ReadWish, 'isolation'>): Promise<Uint8Array> {
    const segment = this.#segments.floor(wish.offset)
    if (segment === undefined) throw this.#access.damaged(`no segment holds ${wish.offset}`)
    const { bytes, first } = await this.#access.use(segment, async (file, { offsets }) =>
      this.#firstBatches({ file, end: segment.sizeBytes, wish }, offsets.floor(wish.offset)),
    )
    this.#checkAll(bytes, segment, { offset: wish.offset, first })
    // A small answer must not hold on to the whole chunk that it was found in.
    return bytes.byteLength < bytes.buffer.byteLength / 2 ? bytes.slice() : bytes
  }

  /** Finds the wanted batches from position `from` on, chunk by chunk. */
  async #firstBatches(
    { file, end, wish }: { file: DiskFile; end: number; wish: Omit<ReadWish, 'isolation'> },
    from: WalkStart,
  ): Promise<{ bytes: Uint8Array; first: WalkStart }> {
    let passed = from
    let at = from.position
    let needed = 0
    for (;;) {
      const size = Math.min(Math.max(wish.maxBytes, minReadBytes, needed), end - at)
      const chunk = await file.read(at, Math.max(0, size))
      passed = this.#passOver(chunk, wish.offset, { ...passed, position: 0 }, file.path)
      const start = passed.position
      const known = start + scanBytes <= chunk.byteLength
      const first = known ? batchSizeAt(chunk, start) : 0
      const isWhole = known && start + first <= chunk.byteLength
      // Reading again from the batch itself is worth it where little of the credit is left in the
      // chunk.
      const bytes = chunk.subarray(start)
      if (isWhole && start <= chunk.byteLength / 2) {
        return { bytes: wholeBatches(bytes, wish), first: passed }
      }
      if (start === 0 && (!known || isWhole || needed > 0)) {
        return { bytes: wholeBatches(bytes, wish), first: passed }
      }
      at += start
      needed = first
    }
  }

  /**
   * The first batch in the chunk that does not end below `offset`, and what it must be; may lie
   * beyond the chunk.
   */
  #passOver(chunk: Uint8Array, offset: number, from: WalkStart, path: string): WalkStart {
    let { position, nextOffset, lastOffset } = from
    while (position + scanBytes <= chunk.byteLength && lastOffsetAt(chunk, position) < offset) {
      const size = batchSizeAt(chunk, position)
      if (size < 0) throw this.#access.damaged(`${path}: no batch is before offset ${offset}`)
      const last = lastOffsetAt(chunk, position)
      const follows = nextOffset === null || baseOffsetAt(chunk, position) === nextOffset
      const isIndexed = lastOffset === null || last === lastOffset
      if (!follows || !isIndexed) {
        throw this.#access.damaged(`${path}: a batch that ends at ${last} is not the one there`)
      }
      nextOffset = last + 1
      lastOffset = null
      position += size
    }
    return { position, nextOffset, lastOffset }
  }

  #checkAll(
    bytes: Uint8Array,
    segment: Segment,
    { offset, first }: { readonly offset: number; readonly first: WalkStart },
  ): void {
    let next = first.nextOffset
    if (bytes.byteLength === 0 || baseOffsetAt(bytes, 0) > offset) {
      throw this.#access.damaged(`${segment.path('log')} does not hold offset ${offset}`)
    }
    for (let at = 0; at < bytes.byteLength; ) {
      const size = batchSizeAt(bytes, at)
      try {
        const header = checkBatch(bytes.subarray(at, at + size))
        if (next !== null && header.baseOffset !== next) {
          throw new Error(`offset ${header.baseOffset} where ${next} must follow`)
        }
        const strange =
          (at === 0 ? strangeEnd(header, first.lastOffset) : null) ??
          strangeEpoch(header, this.#epochs.epochAt(header.baseOffset))
        if (strange !== null) throw new Error(strange)
        next = header.lastOffset + 1
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw this.#access.damaged(`${segment.path('log')}: ${reason}`)
      }
      at += size
    }
  }
}

/** Offset after the last of the batches; 0 where there are none. */
function endOf(bodies: readonly Uint8Array[]): number {
  const last = bodies.at(-1) ?? new Uint8Array(0)
  let end = 0
  for (let at = 0; at + scanBytes <= last.byteLength; at += batchSizeAt(last, at)) {
    end = lastOffsetAt(last, at) + 1
  }
  return end
}

/** Offsets that the batches span, which is how many records they hold: offsets have no gaps. */
export function recordsIn(bodies: readonly Uint8Array[]): number {
  const [first] = bodies
  return first === undefined ? 0 : endOf(bodies) - baseOffsetAt(first, 0)
}

/**
 * The longest run of whole batches at the begin of `bytes` that fits; the first one in any case.
 */
function wholeBatches(
  bytes: Uint8Array,
  want: { readonly endOffset: number; readonly maxBytes: number },
): Uint8Array {
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

/**
 * Batch walk: reads a .log file batch by batch and says where the good bytes end.
 *
 * Always true: every batch handed out is whole, of format version 2, and carries on where the one
 * before it ended: base offset and epoch lie outside the checksum, so continuity is checked here
 * (S13). From `checkCrcFrom` on the checksum is checked too.
 * Called by recovery (whole segments) and log-reader.ts (look-ups).
 */
import { asSluiceError } from '../../protocol/errors.ts'
import {
  type BatchHeader,
  batchHeaderBytes,
  batchSizeAt,
  checkBatch,
  readBatchHeader,
} from '../../protocol/records/batch-header.ts'
import type { DiskFile } from '../world/disk.ts'
import { maxEpoch } from './epoch-cache.ts'

const chunkBytes = 1024 * 1024

export interface WalkRange {
  readonly from: number
  /** End of the bytes to look at. */
  readonly to: number
  /** Base offset that the first batch must have; null = any. */
  readonly nextOffset: number | null
  /** Last offset that it must have; null = any. */
  readonly lastOffset?: number | null
  /** Position from which on checksums are checked; Infinity = nowhere. */
  readonly checkCrcFrom: number
  /** What else is wrong with a batch, as a sentence. */
  readonly check?: (header: BatchHeader, position: number) => string | null
}

export interface WalkEnd {
  /** Position and offset after the last good batch. */
  readonly position: number
  readonly nextOffset: number | null
  /** Why it ended before `to`; null where it did not. */
  readonly damage: string | null
}

/** A window over the file that moves forward. */
class Window {
  readonly #file: DiskFile
  readonly #to: number
  #start = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(file: DiskFile, to: number) {
    this.#file = file
    this.#to = to
  }

  /** At least `length` bytes at `position`, fewer only at the end; valid until the next call. */
  async at(position: number, length: number): Promise<Uint8Array> {
    const end = this.#start + this.#bytes.byteLength
    const wanted = Math.min(length, this.#to - position)
    if (position < this.#start || position + wanted > end) {
      const size = Math.min(Math.max(length, chunkBytes), this.#to - position)
      this.#bytes = await this.#file.read(position, size)
      this.#start = position
    }
    return this.#bytes.subarray(position - this.#start)
  }
}

/**
 * Walks until `to`, the first damage, or until `visit` answers false. The bytes given to `visit`
 * are the whole batch where its checksum was checked, else at least its header.
 */
export async function walkBatches(
  file: DiskFile,
  range: WalkRange,
  visit: (header: BatchHeader, position: number, bytes: Uint8Array) => boolean,
): Promise<WalkEnd> {
  const window = new Window(file, range.to)
  let { from: position, nextOffset } = range
  let lastEpoch = -1
  while (position < range.to) {
    const head = await window.at(position, batchHeaderBytes)
    const size = batchSizeAt(head, 0)
    if (size < 0) return { position, nextOffset, damage: 'no batch begins here' }
    if (position + size > range.to) return { position, nextOffset, damage: 'a batch is cut short' }
    const whole = position >= range.checkCrcFrom
    const bytes = whole ? (await window.at(position, size)).subarray(0, size) : head
    const header = readHeader(bytes, whole)
    if (typeof header === 'string') return { position, nextOffset, damage: header }
    const isFirst = position === range.from
    const damage =
      discontinuity(header, nextOffset, lastEpoch) ??
      (isFirst ? strangeEnd(header, range.lastOffset ?? null) : null) ??
      range.check?.(header, position) ??
      null
    if (damage !== null) return { position, nextOffset, damage }
    if (!visit(header, position, bytes)) break
    lastEpoch = header.leaderEpoch
    nextOffset = header.lastOffset + 1
    position += size
  }
  return { position, nextOffset, damage: null }
}

function readHeader(bytes: Uint8Array, whole: boolean): BatchHeader | string {
  try {
    return whole ? checkBatch(bytes) : readBatchHeader(bytes, 0)
  } catch (error) {
    return asSluiceError(error).message
  }
}

/** What is wrong with the epoch of a batch where `noted` is the one of its offset. */
export function strangeEpoch({ leaderEpoch }: BatchHeader, noted: number | null): string | null {
  if (noted === null || noted === leaderEpoch) return null
  return `a batch says epoch ${leaderEpoch} where ${noted} was begun`
}

/** What is wrong with a batch that an index says ends at `noted`. */
export function strangeEnd({ lastOffset }: BatchHeader, noted: number | null): string | null {
  if (noted === null || noted === lastOffset) return null
  return `a batch ends at offset ${lastOffset} where one that ends at ${noted} is indexed`
}

function discontinuity(
  header: BatchHeader,
  nextOffset: number | null,
  lastEpoch: number,
): string | null {
  if (nextOffset !== null && header.baseOffset !== nextOffset) {
    return `a batch says offset ${header.baseOffset} where ${nextOffset} must follow`
  }
  // It is outside the checksum; after this one there could be no next.
  if (header.leaderEpoch >= maxEpoch) return `a batch says epoch ${header.leaderEpoch}`
  if (header.leaderEpoch < lastEpoch) {
    return `a batch says epoch ${header.leaderEpoch} after epoch ${lastEpoch}`
  }
  return null
}

/**
 * Segment check: compares a log file with what it must be, and its indexes with the log.
 *
 *   log        whole batches only · CRC right · offsets grow without gap · records readable, as many as said
 *   index      entries grow; each names the start of a batch and that batch's last offset
 *   timeindex  entries grow; each names the highest timestamp so far and an offset of the batch that has it
 *
 * Always true: only reads; every finding names file, position and what is wrong.
 * Used by segment verify.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { checkBatch } from '../../protocol/records/batch-header.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'
import type { Disk } from '../world/disk.ts'
import {
  readOffsetIndex,
  readTimeIndex,
  type ScannedBatch,
  type SegmentFile,
  scanLog,
} from './segment-files.ts'

/** What the indexes are compared with. */
interface BatchPlace {
  readonly position: number
  readonly baseOffset: number
  readonly lastOffset: number
  /** Highest timestamp of this batch and all before it in the file. */
  readonly maxTimestampSoFar: number
}

export interface CheckedLog {
  readonly file: SegmentFile
  readonly sizeBytes: number
  readonly records: number
  readonly places: readonly BatchPlace[]
  /** Offset after the last batch; the file's base offset where it is empty. */
  readonly endOffset: number
  readonly problems: readonly string[]
  /** Batches whose records could not be looked into, with the reason. */
  readonly unread: readonly string[]
}

class LogCheck {
  readonly problems: string[] = []
  readonly unread: string[] = []
  readonly places: BatchPlace[] = []
  records = 0
  endOffset: number
  readonly #compression: Compression
  #leaderEpoch = -1
  #maxTimestamp = -1

  constructor(baseOffset: number, compression: Compression) {
    this.endOffset = baseOffset
    this.#compression = compression
  }

  batch({ batch, header, position }: ScannedBatch): void {
    const at = `position ${position}, offset ${header.baseOffset}`
    try {
      checkBatch(batch)
      this.#records(batch, header, at)
    } catch (error) {
      this.problems.push(`${at}: ${asSluiceError(error).message}`)
    }
    if (header.baseOffset < this.endOffset) {
      this.problems.push(`${at}: offsets go back, ${this.endOffset} was next`)
    } else if (header.baseOffset > this.endOffset) {
      this.problems.push(`${at}: offsets ${this.endOffset} to ${header.baseOffset - 1} are missing`)
    }
    if (header.leaderEpoch < this.#leaderEpoch) {
      this.problems.push(`${at}: leader epoch ${header.leaderEpoch} after ${this.#leaderEpoch}`)
    }
    this.endOffset = header.lastOffset + 1
    this.#leaderEpoch = Math.max(this.#leaderEpoch, header.leaderEpoch)
    this.#maxTimestamp = Math.max(this.#maxTimestamp, header.maxTimestamp)
    this.places.push({
      position,
      baseOffset: header.baseOffset,
      lastOffset: header.lastOffset,
      maxTimestampSoFar: this.#maxTimestamp,
    })
  }

  #records(batch: Uint8Array, header: ScannedBatch['header'], at: string): void {
    try {
      const cursor = new RecordCursor(batch, header, this.#compression)
      while (cursor.next()) this.records++
    } catch (error) {
      if (!SluiceError.is(error, 'UNSUPPORTED_COMPRESSION_TYPE')) throw error
      this.unread.push(`${at}: ${error.message}`)
    }
  }
}

export async function checkLog(
  disk: Disk,
  file: SegmentFile,
  compression: Compression,
): Promise<CheckedLog> {
  const check = new LogCheck(file.baseOffset, compression)
  const end = await scanLog(disk, file.path, scanned => check.batch(scanned))
  const { problems, unread, records, places, endOffset } = check
  if (end.problem !== null) problems.push(`position ${end.position}: ${end.problem}`)
  return { file, sizeBytes: end.sizeBytes, records, places, endOffset, problems, unread }
}

/** The last place at or before `value` by `key`; places are in order of both. */
function placeAt(
  places: readonly BatchPlace[],
  key: 'position' | 'baseOffset',
  value: number,
): BatchPlace | null {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((places[middle]?.[key] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return places[low - 1] ?? null
}

export async function checkOffsetIndex(
  disk: Disk,
  file: SegmentFile,
  log: CheckedLog,
): Promise<string[]> {
  const { entries, strayBytes } = await readOffsetIndex(disk, file)
  const problems: string[] = []
  if (strayBytes > 0) problems.push(`${strayBytes} bytes behind the last whole entry`)
  let before = { offset: file.baseOffset - 1, position: -1 }
  for (const [i, entry] of entries.entries()) {
    const { offset, position } = entry
    const name = `entry ${i} (offset ${offset}, position ${position})`
    if (offset <= before.offset || position <= before.position) {
      problems.push(`${name}: not above the entry before it`)
    }
    const place = placeAt(log.places, 'position', position)
    if (place === null || place.position !== position) {
      problems.push(`${name}: no batch starts there`)
    } else if (place.lastOffset !== offset) {
      problems.push(`${name}: the batch there ends with offset ${place.lastOffset}`)
    }
    before = entry
  }
  return problems
}

export async function checkTimeIndex(
  disk: Disk,
  file: SegmentFile,
  log: CheckedLog,
): Promise<string[]> {
  const { entries, strayBytes } = await readTimeIndex(disk, file)
  const problems: string[] = []
  if (strayBytes > 0) problems.push(`${strayBytes} bytes behind the last whole entry`)
  let before = { timestamp: -1, offset: file.baseOffset - 1 }
  for (const [i, entry] of entries.entries()) {
    const { timestamp, offset } = entry
    const name = `entry ${i} (timestamp ${timestamp}, offset ${offset})`
    if (timestamp <= before.timestamp || offset <= before.offset) {
      problems.push(`${name}: not above the entry before it`)
    }
    const place = placeAt(log.places, 'baseOffset', offset)
    if (place === null || place.lastOffset < offset) problems.push(`${name}: no such offset`)
    else if (place.maxTimestampSoFar !== timestamp) {
      const max = place.maxTimestampSoFar
      problems.push(`${name}: the highest timestamp up to that batch is ${max}`)
    }
    before = entry
  }
  return problems
}

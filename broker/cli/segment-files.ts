/**
 * Segment files: finds and reads the files of partitions without a broker: whole batches of a
 * `.log`, entries of `.index` and `.timeindex`.
 *
 *   .index      i32 offset − base | i32 position            .timeindex   i64 timestamp | i32 offset − base
 *
 * Always true: files are only read, a window at a time; whatever bytes they hold, the answer is
 * batches, entries and problems, never a crash. Kafka's zero-padded index tails are left out.
 * Used by segment dump and segment verify.
 */
import { noSuchFile } from '../../client/cli/failure.ts'
import { readInt32, readInt64 } from '../../protocol/bytes/integers.ts'
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import {
  type BatchHeader,
  batchOverheadBytes,
  batchSizeAt,
  readBatchHeader,
} from '../../protocol/records/batch-header.ts'
import { type Disk, DiskError, type DiskFile } from '../world/disk.ts'

export type SegmentFileKind = 'log' | 'index' | 'timeindex'

export interface SegmentFile {
  readonly path: string
  readonly kind: SegmentFileKind
  readonly baseOffset: number
}

export interface ScannedBatch {
  readonly position: number
  readonly batch: Uint8Array
  readonly header: BatchHeader
}

/** Where a log stops being readable, and why. */
export interface ScanEnd {
  readonly position: number
  readonly sizeBytes: number
  readonly problem: string | null
}

const windowBytes = 4 * 1024 * 1024
const maxBatchBytes = 1024 ** 3
const namePattern = /^(\d{20})\.(log|index|timeindex)$/

/** `orders-0`; not `log-checkpoint`, and not what is being deleted. */
const partitionPattern = /^.+-\d+$/

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function segmentFile(path: string): SegmentFile | null {
  const match = namePattern.exec(baseName(path))
  if (match === null) return null
  return { path, kind: match[2] as SegmentFileKind, baseOffset: Number(match[1]) }
}

const whatToName =
  'name segment files (00000000000000000000.log, .index, .timeindex), partitions or a data directory'

function notFound(path: string, why: string): SluiceError {
  return new SluiceError('INVALID_ARGUMENT', `"${path}" ${why}`, { hint: whatToName })
}

async function listed(disk: Disk, directory: string): Promise<string[]> {
  const names = await disk.list(directory)
  return names.sort().map(name => `${directory.replace(/\/+$/, '')}/${name}`)
}

/** The segment files of a partition, or of all the partitions of a data directory. */
async function filesInside(disk: Disk, directory: string): Promise<SegmentFile[]> {
  const paths = await listed(disk, directory)
  const own = paths.map(segmentFile).filter(file => file !== null)
  if (own.length > 0) return own
  const below: SegmentFile[] = []
  for (const path of paths) {
    if (!partitionPattern.test(baseName(path)) || !(await disk.stat(path))?.isDirectory) continue
    below.push(...(await listed(disk, path)).map(segmentFile).filter(file => file !== null))
  }
  return below
}

/**
 * Named files, and the segment files of named directories, in order of path.
 * @throws CommandFailure (a path is missing), SluiceError INVALID_ARGUMENT (it holds nothing of a
 * partition)
 */
export async function findSegmentFiles(
  disk: Disk,
  paths: readonly string[],
  kinds: readonly SegmentFileKind[],
): Promise<SegmentFile[]> {
  const found: SegmentFile[] = []
  for (const path of paths) {
    const stat = await disk.stat(path)
    if (stat === null) throw noSuchFile(path, whatToName)
    if (stat.isDirectory) {
      const files = await filesInside(disk, path)
      if (files.length === 0) throw notFound(path, 'holds no segment files')
      found.push(...files.filter(file => kinds.includes(file.kind)))
    } else {
      const file = segmentFile(path)
      if (file === null) throw notFound(path, 'is no segment file')
      found.push(file)
    }
  }
  return found
}

/**
 * Opens, gives the file to `use`, closes in every case. @throws SluiceError for what the disk
 * refuses
 */
async function withFile<T>(
  disk: Disk,
  path: string,
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  try {
    const file = await disk.open(path, 'read')
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    throw new SluiceError('INVALID_ARGUMENT', `cannot read "${path}": ${error.message}`, {
      cause: error,
    })
  }
}

interface Window {
  bytes: Uint8Array
  start: number
}

/** The bytes [position, position + length), or fewer at the end of the file. */
async function bytesAt(
  file: DiskFile,
  window: Window,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const from = position - window.start
  if (from < 0 || from + length > window.bytes.length) {
    window.bytes = await file.read(position, Math.max(length, windowBytes))
    window.start = position
  }
  return window.bytes.subarray(position - window.start, position - window.start + length)
}

function tailProblem(left: Uint8Array, leftBytes: number): string {
  const allZero = left.every(byte => byte === 0)
  return `${leftBytes} bytes at the end are ${allZero ? 'zeros' : 'no whole batch'}`
}

/** Calls `visit` for each whole batch in order; answers where and why it stopped. */
export async function scanLog(
  disk: Disk,
  path: string,
  visit: (scanned: ScannedBatch) => Promise<void> | void,
): Promise<ScanEnd> {
  return withFile(disk, path, async file => {
    const sizeBytes = await file.size()
    const window: Window = { bytes: new Uint8Array(0), start: 0 }
    let position = 0
    while (position < sizeBytes) {
      const left = sizeBytes - position
      const head = await bytesAt(file, window, position, Math.min(left, batchOverheadBytes))
      const length = head.length < batchOverheadBytes ? -1 : batchSizeAt(head, 0)
      if (length < 0 || length > left || length > maxBatchBytes) {
        const problem = tailProblem(head, left)
        return { position, sizeBytes, problem }
      }
      const batch = await bytesAt(file, window, position, length)
      let header: BatchHeader
      try {
        header = readBatchHeader(batch)
      } catch (error) {
        return { position, sizeBytes, problem: asSluiceError(error).message }
      }
      await visit({ position, batch, header })
      position += length
    }
    return { position, sizeBytes, problem: null }
  })
}

export interface OffsetIndexEntry {
  readonly offset: number
  readonly position: number
}
export interface TimeIndexEntry {
  readonly timestamp: number
  readonly offset: number
}
export interface IndexContent<Entry> {
  readonly entries: Entry[]
  /** Bytes behind the last whole entry. */
  readonly strayBytes: number
}

async function readEntries<Entry>(
  disk: Disk,
  file: SegmentFile,
  entryBytes: number,
  entryAt: (bytes: Uint8Array, position: number) => Entry,
): Promise<IndexContent<Entry>> {
  return withFile(disk, file.path, async opened => {
    const bytes = await opened.read(0, await opened.size())
    const strayBytes = bytes.length % entryBytes
    let used = bytes.length - strayBytes
    const isZero = (at: number): boolean =>
      bytes.subarray(at, at + entryBytes).every(byte => byte === 0)
    // An all-zero first entry is a real one in an index only if more follow; in a tail it is
    // padding.
    while (used > 0 && isZero(used - entryBytes)) used -= entryBytes
    const entries: Entry[] = []
    for (let at = 0; at < used; at += entryBytes) entries.push(entryAt(bytes, at))
    return { entries, strayBytes }
  })
}

export function readOffsetIndex(
  disk: Disk,
  file: SegmentFile,
): Promise<IndexContent<OffsetIndexEntry>> {
  return readEntries(disk, file, 8, (bytes, at) => ({
    offset: file.baseOffset + readInt32(bytes, at),
    position: readInt32(bytes, at + 4),
  }))
}

export function readTimeIndex(
  disk: Disk,
  file: SegmentFile,
): Promise<IndexContent<TimeIndexEntry>> {
  return readEntries(disk, file, 12, (bytes, at) => ({
    timestamp: readInt64(bytes, at),
    offset: file.baseOffset + readInt32(bytes, at + 8),
  }))
}

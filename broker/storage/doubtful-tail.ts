/**
 * Doubtful tail: the bytes of a segment that may be in the page cache only, after an fsync that
 * failed, made durable (S1).
 *
 *   [point, end) ──> <base>.log.<point>.tail, fsynced and named ──> log cut at point, written anew,
 *                                                         fsynced ──> .tail removed
 *
 * Always true: at every moment the bytes are whole in one of the two files, on disk. A tail file is
 * gone, by a synced directory, before anything is appended; so one that is found was left by a
 * recovery that was cut short, and is what the log held. To write the bytes over themselves would
 * not do: of a page whose write failed ext4 remembers that it has a block, writes it there again
 * and says ok, while its tables say that the block was never written, and after a power loss it
 * reads as zeros (seen on a real ext4). Cut off first, the bytes get new blocks.
 * Called by log-recovery.ts and log-load.ts.
 */
import { type Disk, DiskError, type DiskFile, isNoSpace } from '../world/disk.ts'
import { temporarySuffix } from './checked-file.ts'
import { parseTailFileName, segmentFileName, tailFileName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { Segment } from './segment.ts'
import type { LogShared } from './shared.ts'

const chunkBytes = 1024 * 1024

interface TailPlace {
  readonly directory: string
  readonly baseOffset: number
  readonly position: number
}

/** Bytes [from, end) of one file, to `to` and on in another. */
interface Range {
  readonly from: number
  readonly end: number
  readonly to: number
}

const logPathOf = ({ directory, baseOffset }: TailPlace): string =>
  `${directory}/${segmentFileName(baseOffset, 'log')}`

const tailPathOf = ({ directory, baseOffset, position }: TailPlace): string =>
  `${directory}/${tailFileName(baseOffset, position)}`

/**
 * After it the segment's bytes from `from` on are on disk, whatever earlier fsyncs did to them, and
 * the file ends where the segment does. The directory is still to be synced.
 */
export async function makeTailDurable(
  { disk, logger }: Pick<LogShared, 'disk' | 'logger'>,
  directory: string,
  segment: Segment,
  from: number,
): Promise<void> {
  const { baseOffset, sizeBytes } = segment
  const position = Math.min(from, sizeBytes)
  const place = { directory, baseOffset, position }
  await segment.use(async file => {
    const isSaved = position < sizeBytes && (await saveTail(disk, place, file, sizeBytes))
    if (isSaved) await writeAnew(disk, place, file)
    else {
      if (position < sizeBytes) {
        const values = { event: 'postponed', path: file.path }
        logger.warn(values, 'no space to save what is recovered: it is written over itself')
      }
      await copyBytes(file, file, { from: position, end: sizeBytes, to: position })
    }
    if ((await file.size()) !== sizeBytes) await file.truncate(sizeBytes)
    await finalSync(file.sync())
    if (isSaved) await disk.removeFile(tailPathOf(place))
  })
}

/** False where the disk has no room for it. */
async function saveTail(
  disk: Disk,
  place: TailPlace,
  log: DiskFile,
  end: number,
): Promise<boolean> {
  const path = tailPathOf(place)
  const temporary = `${path}${temporarySuffix}`
  await disk.removeFile(temporary)
  try {
    await copyDurably(disk, log, temporary, { from: place.position, end, to: 0 })
    await disk.rename(temporary, path)
  } catch (error) {
    if (!isNoSpace(error)) throw error
    await disk.removeFile(temporary)
    return false
  }
  await finalSync(disk.syncDirectory(place.directory))
  return true
}

async function copyDurably(disk: Disk, log: DiskFile, path: string, range: Range): Promise<void> {
  const copy = await disk.open(path, 'create')
  try {
    await copyBytes(log, copy, range)
    await finalSync(copy.sync())
  } finally {
    await copy.close()
  }
}

async function writeAnew(disk: Disk, place: TailPlace, log: DiskFile): Promise<void> {
  const tail = await disk.open(tailPathOf(place), 'read')
  try {
    await log.truncate(place.position)
    await copyBytes(tail, log, { from: 0, end: await tail.size(), to: place.position })
  } finally {
    await tail.close()
  }
}

/** @throws DiskError noSpace where only a part was taken */
async function copyBytes(
  source: DiskFile,
  target: DiskFile,
  { from, end, to }: Range,
): Promise<void> {
  for (let at = from; at < end; at += chunkBytes) {
    const chunk = await source.read(at, Math.min(chunkBytes, end - at))
    const written = await target.write([chunk], to + at - from)
    if (written < chunk.byteLength) {
      throw new DiskError('noSpace', target.path, `no space to make ${target.path} durable`)
    }
  }
}

/** Finishes what a recovery that was cut short had begun; before anything is read. */
export async function restoreTails(
  disk: Disk,
  directory: string,
  names: readonly string[],
): Promise<void> {
  const tails = names.map(parseTailFileName).filter(parsed => parsed !== null)
  for (const tail of tails) await restoreTail(disk, { directory, ...tail })
  if (tails.length > 0) await finalSync(disk.syncDirectory(directory))
}

async function restoreTail(disk: Disk, place: TailPlace): Promise<void> {
  const path = logPathOf(place)
  const found = await disk.stat(path)
  if (found === null || found.size < place.position) {
    // Not the log that it was taken from: kept, but out of the way.
    await disk.rename(tailPathOf(place), `${path}.${place.position}.cut`)
    return
  }
  const log = await disk.open(path, 'update')
  try {
    await writeAnew(disk, place, log)
    await finalSync(log.sync())
  } finally {
    await log.close()
  }
  await disk.removeFile(tailPathOf(place))
}

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
 * A disk without room for a copy of the whole tail gets it in pieces, from the end backwards, and,
 * where not even one piece fits, with the room of the reserve.
 * Called by log-recovery.ts and log-load.ts.
 */
import { type Disk, DiskError, type DiskFile, isNoSpace } from '../world/disk.ts'
import { temporarySuffix } from './checked-file.ts'
import { parseTailFileName, segmentFileName, tailFileName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { Segment } from './segment.ts'
import type { LogShared } from './shared.ts'

const chunkBytes = 1024 * 1024
/** Smaller ones would not even fill a sector. */
const leastPieceBytes = 512
/** More would fill the directory. */
const mostPieces = 1024

type TailWorld = Pick<LogShared, 'disk' | 'reserve'>

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
 * @throws DiskError noSpace: nothing is lost, and the next `restoreTails` goes on from there
 */
export async function makeTailDurable(
  { disk, reserve }: TailWorld,
  directory: string,
  segment: Segment,
  from: number,
): Promise<void> {
  const { baseOffset, sizeBytes } = segment
  const position = Math.min(from, sizeBytes)
  const whole = { directory, baseOffset, position }
  await segment.use(async file => {
    if ((await file.size()) !== sizeBytes) await file.truncate(sizeBytes)
    if (position === sizeBytes) return finalSync(file.sync())
    const isDone = await reserve.share(async () => {
      const isCut = await maybeCut(disk, whole, file, sizeBytes)
      if (isCut) await putBack(disk, whole, file)
      return isCut
    })
    if (isDone) return
    await reserve.borrow(async () => {
      const pieces = await cutInPieces(disk, whole, file, sizeBytes)
      await inTurn(disk, pieces, piece => putBack(disk, piece, file))
    })
  })
}

/**
 * Moves the bytes from the place on, up to `end`, where the log ends, into a tail file. False where
 * the disk has no room for that.
 */
async function maybeCut(
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
  await log.truncate(place.position)
  return true
}

/**
 * The same from the end backwards: each piece that is cut off makes room for the next. Answers them
 * in the order in which they belong.
 */
async function cutInPieces(
  disk: Disk,
  whole: TailPlace,
  log: DiskFile,
  end: number,
): Promise<TailPlace[]> {
  const leastBytes = Math.max(leastPieceBytes, Math.ceil((end - whole.position) / mostPieces))
  const pieces: TailPlace[] = []
  let pieceEnd = end
  let length = end - whole.position
  while (pieceEnd > whole.position) {
    const piece = { ...whole, position: Math.max(whole.position, pieceEnd - length) }
    if (await maybeCut(disk, piece, log, pieceEnd)) {
      pieces.unshift(piece)
      pieceEnd = piece.position
    } else if (length > leastBytes) length = Math.max(leastBytes, Math.ceil(length / 2))
    else throw new DiskError('noSpace', log.path, `no space to make ${log.path} durable`)
  }
  return pieces
}

/** Of pieces only the first may be gone while the others are not: a piece that came back alone
 * would cut off what follows it. */
async function inTurn(
  disk: Disk,
  places: readonly TailPlace[],
  putOneBack: (place: TailPlace) => Promise<void>,
): Promise<void> {
  for (const [index, place] of places.entries()) {
    if (index > 0) await finalSync(disk.syncDirectory(place.directory))
    await putOneBack(place)
  }
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

/** The log is durable, and the tail file gone, when it resolves. */
async function putBack(disk: Disk, place: TailPlace, log: DiskFile): Promise<void> {
  const tail = await disk.open(tailPathOf(place), 'read')
  try {
    await log.truncate(place.position)
    await copyBytes(tail, log, { from: 0, end: await tail.size(), to: place.position })
  } finally {
    await tail.close()
  }
  await finalSync(log.sync())
  await disk.removeFile(tailPathOf(place))
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

/**
 * Finishes what a recovery that was cut short had begun; before anything is read.
 * @throws DiskError noSpace
 */
export async function restoreTails(
  { disk, reserve }: TailWorld,
  directory: string,
  names: readonly string[],
): Promise<void> {
  const tails = names.map(parseTailFileName).filter(parsed => parsed !== null)
  if (tails.length === 0) return
  tails.sort((a, b) => a.baseOffset - b.baseOffset || a.position - b.position)
  const places = tails.map(tail => ({ directory, ...tail }))
  await inTurn(disk, places, async place => {
    try {
      await reserve.share(() => restoreTail(disk, place))
    } catch (error) {
      if (!isNoSpace(error)) throw error
      await reserve.borrow(() => restoreTail(disk, place))
    }
  })
  await finalSync(disk.syncDirectory(directory))
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
    await putBack(disk, place, log)
  } finally {
    await log.close()
  }
}

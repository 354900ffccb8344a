/**
 * Recovery files: what recovery does to files of a segment: cutting, and keeping what was cut.
 *
 * Always true: bytes are saved beside the log before they are cut from it; each step may run twice.
 * Called by log-recovery.ts.
 */
import { type Disk, isNoSpace } from '../world/disk.ts'
import { segmentFileName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { Segment } from './segment.ts'
import type { LogShared } from './shared.ts'

const chunkBytes = 1024 * 1024

/** False where the disk has no room: what can be made later does not keep a log from opening. */
export async function maybeWrite(shared: LogShared, write: () => Promise<void>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (!isNoSpace(error)) throw error
    shared.space.full = true
    shared.logger.warn({ event: 'postponed', path: error.path }, 'no space for it yet')
    return false
  }
}

export async function isZeroFrom(segment: Segment, position: number): Promise<boolean> {
  return segment.use(async file => {
    const size = await file.size()
    for (let at = position; at < size; at += chunkBytes) {
      const chunk = await file.read(at, Math.min(chunkBytes, size - at))
      if (chunk.some(byte => byte !== 0)) return false
    }
    return true
  })
}

/** Copies the bytes from `position` on to `<base>.log.<position>.cut`. */
export async function keepCutTail(
  shared: LogShared,
  segment: Segment,
  position: number,
): Promise<void> {
  const path = `${segment.path('log')}.${position}.cut`
  await shared.disk.removeFile(path)
  try {
    const copy = await shared.disk.open(path, 'create')
    try {
      await segment.use(async file => {
        const size = await file.size()
        for (let at = position; at < size; at += chunkBytes) {
          const chunk = await file.read(at, Math.min(chunkBytes, size - at))
          await copy.write([chunk], at - position)
        }
      })
      await finalSync(copy.sync())
    } finally {
      await copy.close()
    }
  } catch (error) {
    if (!isNoSpace(error)) throw error
    // The bytes were never acked; a full disk must not keep the broker from starting.
    const values = { event: 'postponed', path }
    shared.logger.warn(values, 'no space to keep the bytes that were cut off')
  }
}

export async function removeSnapshots(
  disk: Disk,
  directory: string,
  offsets: readonly number[],
): Promise<void> {
  for (const offset of offsets) {
    await disk.removeFile(`${directory}/${segmentFileName(offset, 'producers')}`)
  }
}

/** A whole later segment that does not follow on: its .log is kept under another name. */
export async function keepCutSegment(disk: Disk, directory: string, base: number): Promise<void> {
  const log = `${directory}/${segmentFileName(base, 'log')}`
  await disk.rename(log, `${log}.0.cut`)
  await disk.removeFile(`${directory}/${segmentFileName(base, 'index')}`)
  await disk.removeFile(`${directory}/${segmentFileName(base, 'timeindex')}`)
}

/**
 * Producer snapshot: the producer state at one offset, beside the segments, so that recovery folds
 * headers from there instead of from the log start.
 *
 * Always true: it holds state below its offset only, and is read only where that offset is not
 * beyond what the log still has (S8: a snapshot newer than the log would be loaded over different
 * records). Called at sealing, clean shutdown and recovery.
 */
import type { Disk } from '../world/disk.ts'
import { type CheckedFile, readCheckedFile, writeCheckedFile } from './checked-file.ts'
import { kindAt, segmentFileName } from './file-names.ts'
import type { BatchMark, ProducerState } from './producer-state.ts'
import { integer, listOf, tupleOf, whole } from './stored-shape.ts'

const version = 1
const mark = tupleOf(integer, integer, integer, integer, integer)
const shape = { version, fits: listOf(tupleOf(whole, listOf(mark))) }

function at(directory: string, offset: number): CheckedFile {
  const name = segmentFileName(offset, 'producers')
  return { directory, name, kind: kindAt('producers', directory, name), shape }
}

type Row = readonly [
  producerId: number,
  marks: readonly (readonly [number, number, number, number, number])[],
]

/**
 * The committed state as it is now, the log being committed up to `offset`; `write` puts it on disk
 * later.
 */
export function producerSnapshotAt(
  disk: Disk,
  directory: string,
  offset: number,
  state: ProducerState,
): { readonly offset: number; write(): Promise<void> } {
  const rows: Row[] = state
    .snapshot()
    .map(([producerId, marks]) => [
      producerId,
      marks.map(m => [m.epoch, m.baseSequence, m.lastSequence, m.baseOffset, m.lastOffset]),
    ])
  const write = () => writeCheckedFile(disk, at(directory, offset), version, rows)
  return { offset, write }
}

/** False where the snapshot is missing or damaged: the fold must then begin earlier. */
export async function loadProducerSnapshot(
  disk: Disk,
  directory: string,
  offset: number,
  into: ProducerState,
): Promise<boolean> {
  const read = await readCheckedFile(disk, at(directory, offset))
  if (read.state !== 'ok' || read.version !== version) return false
  into.restore(
    (read.value as Row[]).map(([producerId, marks]) => [producerId, marks.map(toMark)] as const),
  )
  return true
}

/**
 * Loads the newest usable snapshot; answers its offset, 0 for none. Those that cannot be used are
 * taken off the disk and off `offsets`, or their names would count as knowing who wrote what.
 * Whatever is cut from a log, its later snapshots go before anything is appended again, so one that
 * lies within the log tells of this very log.
 */
export async function loadNewestSnapshot(
  disk: Disk,
  directory: string,
  offsets: number[],
  into: ProducerState,
): Promise<number> {
  for (let offset = offsets.at(-1); offset !== undefined; offset = offsets.at(-1)) {
    if (await loadProducerSnapshot(disk, directory, offset, into)) return offset
    await disk.removeFile(`${directory}/${segmentFileName(offset, 'producers')}`)
    offsets.pop()
  }
  return 0
}

function toMark(row: readonly [number, number, number, number, number]): BatchMark {
  const [epoch, baseSequence, lastSequence, baseOffset, lastOffset] = row
  return { epoch, baseSequence, lastSequence, baseOffset, lastOffset }
}

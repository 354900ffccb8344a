/**
 * Derived files: what recovery puts back beside the segments and what follows from them: indexes,
 * a producer snapshot at the end, the segment list.
 *
 * Always true: a segment counts as indexed only when its indexes and the list are on disk.
 * Called by log-recovery.ts.
 */
import { producerSnapshotAt } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import { type SegmentList, writeSegmentList } from './segment-list.ts'
import type { LogShared } from './shared.ts'

export interface Derived {
  readonly shared: LogShared
  readonly directory: string
  readonly segments: SegmentList
  readonly producers: ProducerState
  /** Offsets of those on disk; a new one is added. */
  readonly snapshots: number[]
}

/** `owed`: the segments whose indexes are to be written. @throws DiskError */
export async function writeDerivedFiles(derived: Derived, owed: readonly Segment[]): Promise<void> {
  const { shared, directory, segments } = derived
  for (const segment of owed) await segment.writeIndexes(true)
  await writeSnapshot(derived)
  // Its directory sync covers the names of the index files too.
  if (segments.all.length > 1) await writeSegmentList(shared.disk, directory, segments)
  for (const segment of owed) segment.indexesDurable = true
}

/** Retention may take a sealed segment at once, and then only a snapshot says who wrote it. */
async function writeSnapshot(derived: Derived): Promise<void> {
  const { shared, directory, segments, producers, snapshots } = derived
  const { endOffset } = segments.active
  if (segments.all.length === 1 || snapshots.includes(endOffset)) return
  await producerSnapshotAt(shared.disk, directory, endOffset, producers).write()
  snapshots.push(endOffset)
}

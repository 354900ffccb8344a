/**
 * Segment list: the segments of one log, oldest first, and the small file that remembers what a
 * clean start would otherwise have to read from them.
 *
 *   [0 … 4095] [4096 … 9119] [9120 … )        the last one is active
 *
 * Always true: each segment begins where the one before it ends; there is at least one.
 * Called by log.ts, log-writer.ts, log-reader.ts and recovery.
 */
import { invariant } from '../../protocol/invariant.ts'
import type { Disk } from '../world/disk.ts'
import { readCheckedFile, writeCheckedFile } from './checked-file.ts'
import { kindAt, segmentListName } from './file-names.ts'
import { upperBound } from './offset-index.ts'
import type { Segment, SegmentFacts } from './segment.ts'
import { segmentFactsShape } from './segment-facts-shape.ts'
import { listOf } from './stored-shape.ts'
import type { LogSize, SegmentDescription } from './types.ts'

const version = 1

export class SegmentList {
  #segments: Segment[] = []
  #baseOffsets: number[] = []

  get all(): readonly Segment[] {
    return this.#segments
  }

  get active(): Segment {
    const last = this.#segments.at(-1)
    invariant(last !== undefined, 'a log has at least one segment')
    return last
  }

  get size(): LogSize {
    return { bytes: this.sizeBytes, segments: this.#segments.length }
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  }

  describe(): SegmentDescription[] {
    return this.#segments.map(segment => {
      const { baseOffset, endOffset, sizeBytes, maxTimestamp, sealedAtMs } = segment
      const facts = { baseOffset, endOffset, sizeBytes, maxTimestamp }
      return sealedAtMs === null ? facts : { ...facts, sealedAtMs }
    })
  }

  add(segment: Segment): void {
    const last = this.#segments.at(-1)
    invariant(
      last === undefined || last.endOffset === segment.baseOffset,
      'a segment begins where the one before it ends',
      { end: last?.endOffset, base: segment.baseOffset },
    )
    this.#segments.push(segment)
    this.#baseOffsets.push(segment.baseOffset)
  }

  /** The segment that holds `offset`, or would; undefined below the first. */
  floor(offset: number): Segment | undefined {
    return this.#segments[upperBound(this.#baseOffsets, this.#segments.length, offset) - 1]
  }

  /** Whether a segment lies wholly below `offset`, the active one aside. */
  hasBelow(offset: number): boolean {
    return (this.#baseOffsets[1] ?? Infinity) <= offset
  }

  /**
   * Takes the oldest segments that lie wholly below `offset` off the list; the active one stays.
   */
  dropBelow(offset: number): Segment[] {
    let count = 0
    while (count < this.#segments.length - 1 && (this.#baseOffsets[count + 1] ?? 0) <= offset) {
      count++
    }
    this.#baseOffsets.splice(0, count)
    return this.#segments.splice(0, count)
  }
}

const shape = { version, fits: listOf(segmentFactsShape) }
const at = (directory: string) => ({
  directory,
  name: segmentListName,
  kind: kindAt('segments', directory, segmentListName),
  shape,
})

export async function writeSegmentList(
  disk: Disk,
  directory: string,
  list: SegmentList,
): Promise<void> {
  const facts = list.all.map(segment => segment.facts())
  await writeCheckedFile(disk, at(directory), version, facts)
}

/**
 * By base offset; empty where the file is missing or damaged: the facts then come from the
 * segments.
 */
export async function readSegmentFacts(
  disk: Disk,
  directory: string,
): Promise<Map<number, SegmentFacts>> {
  const read = await readCheckedFile(disk, at(directory))
  if (read.state !== 'ok' || read.version !== version) return new Map()
  return new Map((read.value as SegmentFacts[]).map(facts => [facts.baseOffset, facts]))
}

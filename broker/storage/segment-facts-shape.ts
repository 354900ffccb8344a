/**
 * Segment facts shape: what the facts of a segment look like in a file.
 *
 * Always true: it names every field of SegmentFacts.
 * Used by segment-list.ts and checkpoint-store.ts.
 */
import type { SegmentFacts } from './segment.ts'
import {
  integer,
  objectOf,
  orMissing,
  orNull,
  type StoredShape,
  time,
  whole,
} from './stored-shape.ts'

const fields: Readonly<Record<keyof SegmentFacts, StoredShape>> = {
  baseOffset: whole,
  endOffset: whole,
  sizeBytes: whole,
  maxTimestamp: integer,
  offsetOfMaxTimestamp: integer,
  bytesSinceIndexEntry: whole,
  createdAtMs: time,
  sealedAtMs: orNull(time),
  indexChecksums: orMissing(objectOf({ offsets: whole, times: whole })),
  firstChecksum: orMissing(whole),
}

export const segmentFactsShape: StoredShape = objectOf(fields)

/**
 * Offset index: where in a segment a batch begins, one entry per index.interval.bytes, in Kafka's
 * form.
 *
 *   entry: i32 last offset of a batch − base offset | i32 position of that batch      big-endian
 *
 * Always true: offsets and positions grow strictly; an entry's batch ends at its offset, so the
 * batch that holds a wanted offset begins at or after the position of the largest entry not above
 * it. Source of the form: Apache Kafka, OffsetIndex and LogSegment.append.
 * Called by segment.ts.
 */
import { invariant } from '../../protocol/invariant.ts'

const entryBytes = 8
const maxRelativeOffset = 2 ** 31 - 1

/** Where to begin, and what the first batch must be: its base offset or its last one is known. */
export interface WalkStart {
  readonly position: number
  readonly nextOffset: number | null
  readonly lastOffset: number | null
}

export class OffsetIndex {
  readonly #baseOffset: number
  #offsets = new Int32Array(0)
  #positions = new Int32Array(0)
  #count = 0

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset
  }

  get entries(): number {
    return this.#count
  }

  append(lastOffset: number, position: number): void {
    const relative = lastOffset - this.#baseOffset
    const last = this.#count - 1
    invariant(
      relative >= 0 &&
        relative <= maxRelativeOffset &&
        (last < 0 ||
          (relative > (this.#offsets[last] ?? 0) && position > (this.#positions[last] ?? 0))),
      'an index entry lies above the one before it',
      { lastOffset, position, baseOffset: this.#baseOffset, entries: this.#count },
    )
    if (this.#count === this.#offsets.length) this.#grow()
    this.#offsets[this.#count] = relative
    this.#positions[this.#count] = position
    this.#count++
  }

  /** Position from which to walk batches to find the one that holds `offset`. */
  floorPosition(offset: number): number {
    return this.floor(offset).position
  }

  /** The same, with what is known of the batch there. */
  floor(offset: number): WalkStart {
    const at = upperBound(this.#offsets, this.#count, offset - this.#baseOffset) - 1
    if (at < 0) return { position: 0, nextOffset: this.#baseOffset, lastOffset: null }
    const lastOffset = this.#baseOffset + (this.#offsets[at] ?? 0)
    return { position: this.#positions[at] ?? 0, nextOffset: null, lastOffset }
  }

  /** Forgets entries of batches at or after `position` (a cut tail). */
  cut(position: number): void {
    while (this.#count > 0 && (this.#positions[this.#count - 1] ?? 0) >= position) this.#count--
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#count * entryBytes)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < this.#count; i++) {
      view.setInt32(i * entryBytes, this.#offsets[i] ?? 0)
      view.setInt32(i * entryBytes + 4, this.#positions[i] ?? 0)
    }
    return bytes
  }

  /**
   * Reads Kafka's form; the zero-padded tail of a preallocated file is cut. null where the entries
   * are not in order or point beyond the end of the log: the index is then to be rebuilt.
   */
  static decode(
    baseOffset: number,
    bytes: Uint8Array,
    end: { readonly sizeBytes: number; readonly endOffset: number },
  ): OffsetIndex | null {
    const index = new OffsetIndex(baseOffset)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let previousOffset = -1
    let previousPosition = -1
    for (let at = 0; at + entryBytes <= bytes.byteLength; at += entryBytes) {
      const offset = view.getInt32(at)
      const position = view.getInt32(at + 4)
      if (offset === 0 && position === 0) break
      const ordered = offset > previousOffset && position > previousPosition
      const isWithin = position < end.sizeBytes && baseOffset + offset < end.endOffset
      if (!ordered || !isWithin) return null
      index.append(baseOffset + offset, position)
      previousOffset = offset
      previousPosition = position
    }
    return index
  }

  #grow(): void {
    const capacity = Math.max(16, this.#count * 2)
    const offsets = new Int32Array(capacity)
    const positions = new Int32Array(capacity)
    offsets.set(this.#offsets)
    positions.set(this.#positions)
    this.#offsets = offsets
    this.#positions = positions
  }
}

/** Index of the first of `count` sorted values that is above `wanted`. */
export function upperBound(
  values: { readonly [index: number]: number },
  count: number,
  wanted: number,
): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((values[middle] ?? 0) <= wanted) low = middle + 1
    else high = middle
  }
  return low
}

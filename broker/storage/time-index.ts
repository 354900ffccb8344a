/**
 * Time index: from which offset on to look for a timestamp, in Kafka's form.
 *
 *   entry: i64 highest timestamp so far | i32 last offset of the batch that holds it − base offset   big-endian
 *
 * Always true: timestamps grow strictly and offsets grow; every record up to an entry's offset has
 * a timestamp not above the entry's. Source of the form: Apache Kafka, TimeIndex.
 * Called by segment.ts.
 */
import { invariant } from '../../protocol/invariant.ts'
import { upperBound } from './offset-index.ts'

const entryBytes = 12

export class TimeIndex {
  readonly #baseOffset: number
  #timestamps = new Float64Array(0)
  #offsets = new Int32Array(0)
  #count = 0

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset
  }

  get entries(): number {
    return this.#count
  }

  get lastTimestamp(): number {
    return this.#count === 0 ? -1 : (this.#timestamps[this.#count - 1] ?? -1)
  }

  get lastOffset(): number {
    return this.#baseOffset + (this.#offsets[this.#count - 1] ?? 0)
  }

  /** Adds an entry if `timestamp` is above the last one; equal or lower ones say nothing new. */
  maybeAppend(timestamp: number, lastOffset: number): void {
    if (timestamp <= this.lastTimestamp) return
    const relative = lastOffset - this.#baseOffset
    invariant(
      relative >= (this.#count === 0 ? 0 : (this.#offsets[this.#count - 1] ?? 0)),
      'a time index entry does not point before the one before it',
      { timestamp, lastOffset, baseOffset: this.#baseOffset },
    )
    if (this.#count === this.#offsets.length) this.#grow()
    this.#timestamps[this.#count] = timestamp
    this.#offsets[this.#count] = relative
    this.#count++
  }

  /** Last offset that needs not be looked at for `timestamp`; base offset − 1 where all must. */
  offsetBelow(timestamp: number): number {
    const at = upperBound(this.#timestamps, this.#count, timestamp - 1) - 1
    return at < 0 ? this.#baseOffset - 1 : this.#baseOffset + (this.#offsets[at] ?? 0)
  }

  /** Forgets entries of batches at or after `offset` (a cut tail). */
  cut(offset: number): void {
    const limit = offset - this.#baseOffset
    while (this.#count > 0 && (this.#offsets[this.#count - 1] ?? 0) >= limit) this.#count--
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#count * entryBytes)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < this.#count; i++) {
      view.setBigInt64(i * entryBytes, BigInt(this.#timestamps[i] ?? 0))
      view.setInt32(i * entryBytes + 8, this.#offsets[i] ?? 0)
    }
    return bytes
  }

  /** Like OffsetIndex.decode: null where the entries are not in order or lie beyond `endOffset`. */
  static decode(baseOffset: number, bytes: Uint8Array, endOffset: number): TimeIndex | null {
    const index = new TimeIndex(baseOffset)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let previousOffset = -1
    for (let at = 0; at + entryBytes <= bytes.byteLength; at += entryBytes) {
      const timestamp = Number(view.getBigInt64(at))
      const relative = view.getInt32(at + 8)
      if (timestamp === 0 && relative === 0) break
      const isLater = Number.isSafeInteger(timestamp) && timestamp > index.lastTimestamp
      const ordered = isLater && relative >= Math.max(0, previousOffset)
      if (!ordered || baseOffset + relative >= endOffset) return null
      index.maybeAppend(timestamp, baseOffset + relative)
      previousOffset = relative
    }
    return index
  }

  #grow(): void {
    const capacity = Math.max(16, this.#count * 2)
    const timestamps = new Float64Array(capacity)
    const offsets = new Int32Array(capacity)
    timestamps.set(this.#timestamps)
    offsets.set(this.#offsets)
    this.#timestamps = timestamps
    this.#offsets = offsets
  }
}

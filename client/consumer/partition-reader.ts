/**
 * Partition reader: where one partition is being read, and what was fetched ahead of the loop.
 *
 *   position (next for the loop) ≤ buffered batches < fetchOffset (next for the wire)
 *
 * Always true: `generation` grows with each seek and truncation, so that an answer asked for before
 * it is dropped; `lastEpoch` is the leader epoch of the record before fetchOffset, where it is
 * known.
 * Called by consumer.ts, fetcher.ts and the loops.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { BatchHeader } from '../../protocol/records/batch-header.ts'
import type { StartPosition } from '../types/consuming.ts'

/** One batch as fetched. */
export interface FetchedBatch {
  readonly bytes: Uint8Array
  readonly header: BatchHeader
  /** First offset to be shown. */
  readonly from: number
  /** Offset after the batch. */
  readonly next: number
  /** Markers and records of aborted transactions only move the position. */
  readonly isHidden: boolean
  readonly highWatermark: number
}

export class PartitionReader {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  leader: number
  /** Where to begin, as long as no position is known. */
  start: StartPosition
  position: number | undefined
  fetchOffset = 0
  lastEpoch: number | undefined
  highWatermark: number | undefined
  /** With stopAtEnd: records from here on are not shown. */
  endOffset: number | undefined
  isPaused = false
  isFetching = false
  /** Fetched without others, to find out whose batch does not fit into a message. */
  isAlone = false
  /** A fetch from this place on was answered, so the log has it. */
  wasAnswered = false
  retryAtMs = 0
  failures = 0
  badAnswers = 0
  generation = 0
  /** Ends the loop once the buffer is used up. */
  failure: SluiceError | undefined
  bufferedBytes = 0
  #buffered: FetchedBatch[] = []

  constructor(
    place: { topic: string; topicId: string; partition: number; leader: number },
    start: StartPosition,
  ) {
    this.topic = place.topic
    this.topicId = place.topicId
    this.partition = place.partition
    this.leader = place.leader
    this.start = start
  }

  get hasBuffered(): boolean {
    return this.#buffered.length > 0
  }

  /** Whether the loop has seen everything that was fetched. */
  get isDrained(): boolean {
    return this.position === this.fetchOffset
  }

  get isAtEnd(): boolean {
    const { endOffset, position } = this
    if (endOffset === undefined || position === undefined) return false
    return position >= endOffset && !this.isDoubtful
  }

  /** With stopAtEnd: an offset given beyond the end. Only a fetch tells whether the log has it. */
  get isDoubtful(): boolean {
    const { endOffset, position, start } = this
    if (endOffset === undefined || position === undefined || this.wasAnswered) return false
    return position > endOffset && typeof start === 'object' && 'offset' in start
  }

  /** With stopAtEnd: nothing from `offset` on will be given, an open transaction being there. */
  endAt(offset: number): void {
    if (this.endOffset !== undefined) this.endOffset = Math.min(this.endOffset, offset)
  }

  /** Reading goes on at `offset`; everything fetched so far is dropped. */
  moveTo(offset: number, lastEpoch?: number): void {
    this.generation++
    this.#buffered = []
    this.bufferedBytes = 0
    this.position = offset
    this.fetchOffset = offset
    this.lastEpoch = lastEpoch
    this.failure = undefined
    this.retryAtMs = 0
    this.wasAnswered = false
  }

  /** A new position must be found first. */
  moveToStart(start: StartPosition): void {
    this.moveTo(0)
    this.start = start
    this.position = undefined
  }

  /** The log lost its tail from `endOffset` on. */
  truncateTo(endOffset: number, epoch: number): void {
    const kept = this.#buffered.filter(batch => batch.next <= endOffset)
    const position = this.position ?? endOffset
    this.generation++
    this.#buffered = kept
    this.bufferedBytes = kept.reduce((sum, batch) => sum + batch.bytes.length, 0)
    this.fetchOffset = endOffset
    this.position = Math.min(position, endOffset)
    this.lastEpoch = epoch
  }

  push(batch: FetchedBatch): void {
    this.#buffered.push(batch)
    this.bufferedBytes += batch.bytes.length
    this.fetchOffset = batch.next
    if (batch.header.leaderEpoch >= 0) this.lastEpoch = batch.header.leaderEpoch
  }

  /**
   * The next batch to be shown; hidden ones before it only move the position. Its bytes stay
   * charged.
   */
  take(): FetchedBatch | undefined {
    for (;;) {
      const batch = this.#buffered.shift()
      if (batch === undefined) return undefined
      const past = this.endOffset !== undefined && batch.from >= this.endOffset
      if (!batch.isHidden && !past) return batch
      this.release(batch)
    }
  }

  /** The loop is done with the batch. */
  release(batch: FetchedBatch): void {
    this.bufferedBytes -= batch.bytes.length
    this.position = batch.next
  }

  /** The loop gives back what it has not shown. */
  putBack(batch: FetchedBatch): void {
    const from = Math.max(batch.from, this.position ?? batch.from)
    this.#buffered.unshift({ ...batch, from })
  }
}

/** What a fetch asked of one reader. */
export interface Asked {
  readonly reader: PartitionReader
  readonly generation: number
  readonly offset: number
  readonly lastEpoch: number | undefined
}

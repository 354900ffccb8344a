/**
 * Producer state: who wrote the last batches of this partition, as a fold over its batch headers.
 * It finds duplicates of retried batches and refuses gaps.
 *
 *   committed  producer 71…: [ epoch 0 seq 0–4 @10 | epoch 0 seq 5–9 @15 ]    the last five of each
 *   pending    producer 71…: [ epoch 0 seq 10–14 @40 ]                        all that is not committed yet
 *
 * Always true: the committed part depends on nothing but the log below the committed end, so a
 * rebuild gives the same; what is pending is an overlay that `dropFrom` takes off again (S2); at
 * most `maxProducers` are committed, those with the latest batches by offset (S9). Sequences wrap
 * from 2^31 − 1 to 0. Source of the rules: Apache Kafka, ProducerStateManager (KIP-98, KIP-360),
 * made stricter: an unknown producer must begin with sequence 0.
 * Called by log.ts (check, record, commit, drop) and recovery (record, commit).
 */
import { SluiceError } from '../../protocol/errors.ts'

export const keptBatches = 5
const sequenceRange = 2 ** 31

export interface ProducedBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

export interface BatchMark {
  readonly epoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
}

export type SequenceVerdict = { readonly duplicateOf: BatchMark } | { readonly duplicateOf: null }

export interface ProducerLimits {
  readonly maxProducers: number
  /** A new producer is refused while the oldest of a full table wrote less than this ago. */
  readonly minIdleMs: number
}

interface Producer {
  readonly marks: readonly BatchMark[]
  /** Monotonic; −Infinity for what a restart found. */
  readonly appendedAtMs: number
}

interface Pending {
  readonly producerId: number
  readonly mark: BatchMark
  readonly nowMs: number
}

const fresh: SequenceVerdict = { duplicateOf: null }

export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequenceRange
}

export class ProducerState {
  readonly #limits: ProducerLimits
  /** In order of the last batch: the first key is the one to expire. */
  readonly #committed = new Map<number, Producer>()
  /** In order of the offsets; those before `#head` are committed. */
  #pending: Pending[] = []
  #head = 0
  /** The pending marks of each producer that has any. */
  readonly #overlay = new Map<number, BatchMark[]>()
  /** Producers of the overlay that are not committed. */
  #newcomers = 0

  constructor(limits: ProducerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#committed.size + this.#newcomers
  }

  /**
   * What is to be done with a batch from an idempotent producer.
   * @throws SluiceError INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, OUT_OF_ORDER_SEQUENCE_NUMBER,
   * DUPLICATE_SEQUENCE_NUMBER, PRODUCER_LIMIT_REACHED
   */
  check(batch: ProducedBatch, nowMs: number): SequenceVerdict {
    const { producerId } = batch
    const last = this.#overlay.get(producerId)?.at(-1) ?? this.#committedMarks(producerId).at(-1)
    if (last === undefined) return this.#checkUnknown(batch, nowMs)
    if (batch.producerEpoch < last.epoch) {
      throw new SluiceError(
        'INVALID_PRODUCER_EPOCH',
        `producer epoch ${batch.producerEpoch} is older than ${last.epoch}`,
      )
    }
    if (batch.producerEpoch > last.epoch) {
      if (batch.baseSequence === 0) return fresh
      throw outOfOrder(batch, 0)
    }
    const expected = sequenceAfter(last.lastSequence, 1)
    if (batch.baseSequence === expected) return fresh
    return this.#checkRepeated(batch, expected)
  }

  #committedMarks(producerId: number): readonly BatchMark[] {
    return this.#committed.get(producerId)?.marks ?? []
  }

  #checkUnknown(batch: ProducedBatch, nowMs: number): SequenceVerdict {
    if (batch.baseSequence !== 0) {
      throw new SluiceError(
        'UNKNOWN_PRODUCER_ID',
        `nothing is known of producer ${batch.producerId}, and its batch begins at sequence ${batch.baseSequence}`,
        { hint: 'the producer must go on under a new epoch, from sequence 0' },
      )
    }
    const full = this.size >= this.#limits.maxProducers
    if (full && nowMs - this.#oldestAppendMs(nowMs) < this.#limits.minIdleMs) {
      throw new SluiceError(
        'PRODUCER_LIMIT_REACHED',
        `the partition tracks ${this.size} producers, all of them active`,
        { hint: 'share producers between tasks, or switch idempotence off', retryAfterMs: 1000 },
      )
    }
    return fresh
  }

  /** When the producer that would be the next to expire wrote its last batch. */
  #oldestAppendMs(nowMs: number): number {
    for (const [producerId, { appendedAtMs }] of this.#committed) {
      if (!this.#overlay.has(producerId)) return appendedAtMs
    }
    return nowMs
  }

  #checkRepeated(batch: ProducedBatch, expected: number): SequenceVerdict {
    const { producerId, producerEpoch, baseSequence, recordCount } = batch
    const lastSequence = sequenceAfter(baseSequence, recordCount - 1)
    const isSame = (mark: BatchMark) =>
      mark.epoch === producerEpoch &&
      mark.baseSequence === baseSequence &&
      mark.lastSequence === lastSequence
    const same =
      this.#committedMarks(producerId).find(isSame) ?? this.#overlay.get(producerId)?.find(isSame)
    if (same !== undefined) return { duplicateOf: same }
    // Behind by less than half the range is the past; the offset of what is older than five batches
    // is gone.
    const behind = (expected - baseSequence + sequenceRange) % sequenceRange
    if (behind < sequenceRange / 2 && behind >= recordCount) {
      throw new SluiceError(
        'DUPLICATE_SEQUENCE_NUMBER',
        `sequences ${baseSequence} to ${lastSequence} were stored before; the next is ${expected}`,
      )
    }
    throw outOfOrder(batch, expected)
  }

  /** Takes in a batch that now has offsets; pending until `commit`. */
  record(batch: ProducedBatch, at: { readonly baseOffset: number; readonly nowMs: number }): void {
    const { producerId, recordCount } = batch
    const mark: BatchMark = {
      epoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: sequenceAfter(batch.baseSequence, recordCount - 1),
      baseOffset: at.baseOffset,
      lastOffset: at.baseOffset + recordCount - 1,
    }
    this.#add({ producerId, mark, nowMs: at.nowMs })
  }

  #add(pending: Pending): void {
    const { producerId, mark } = pending
    this.#pending.push(pending)
    const marks = this.#overlay.get(producerId)
    if (marks !== undefined) {
      marks.push(mark)
      return
    }
    this.#overlay.set(producerId, [mark])
    if (!this.#committed.has(producerId)) this.#newcomers++
  }

  /** Batches below `endOffset` are in the log for good: they are folded in, in their order. */
  commit(endOffset: number): void {
    for (;;) {
      const next = this.#pending[this.#head]
      if (next === undefined || next.mark.lastOffset >= endOffset) break
      this.#head++
      this.#fold(next)
    }
    if (this.#head === this.#pending.length || this.#head > 1024) {
      this.#pending = this.#pending.slice(this.#head)
      this.#head = 0
    }
  }

  #fold({ producerId, mark, nowMs }: Pending): void {
    const known = this.#committed.get(producerId)
    if (known === undefined) this.#newcomers--
    const marks = [...(known?.marks ?? []), mark].slice(-keptBatches)
    this.#committed.delete(producerId)
    this.#committed.set(producerId, { marks, appendedAtMs: nowMs })
    const overlay = this.#overlay.get(producerId)
    overlay?.shift()
    if (overlay?.length === 0) this.#overlay.delete(producerId)
    if (this.#committed.size > this.#limits.maxProducers) this.#expireOldest()
  }

  #expireOldest(): void {
    for (const producerId of this.#committed.keys()) {
      this.#committed.delete(producerId)
      if (this.#overlay.has(producerId)) this.#newcomers++
      return
    }
  }

  /** Takes off everything pending at or above `offset`: it was never committed. */
  dropFrom(offset: number): void {
    const kept = this.#pending.slice(this.#head).filter(({ mark }) => mark.lastOffset < offset)
    this.#pending = []
    this.#head = 0
    this.#overlay.clear()
    this.#newcomers = 0
    for (const pending of kept) this.#add(pending)
  }

  /** The committed part, the producer that wrote longest ago first. */
  snapshot(): [producerId: number, marks: readonly BatchMark[]][] {
    return [...this.#committed].map(([producerId, { marks }]) => [producerId, marks])
  }

  /** Replaces everything by a snapshot. */
  restore(rows: readonly (readonly [number, readonly BatchMark[]])[]): void {
    this.dropFrom(-1)
    this.#committed.clear()
    for (const [producerId, marks] of rows) {
      this.#committed.set(producerId, { marks: [...marks], appendedAtMs: -Infinity })
    }
  }
}

function outOfOrder(batch: ProducedBatch, expected: number): SluiceError {
  return new SluiceError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${batch.producerId} sent sequence ${batch.baseSequence}, expected ${expected}`,
    { hint: 'a batch before this one was lost or is still on its way' },
  )
}

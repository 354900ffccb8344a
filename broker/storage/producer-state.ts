/**
 * Producer state: who wrote the last batches of this partition, as a fold over its batch headers. It finds
 * duplicates of retried batches and refuses gaps.
 *
 *   producer 71…: [ epoch 0 seq 0–4 @10 | epoch 0 seq 5–9 @15 | … ]    oldest first
 *                   durable: the last five are kept      above the durable end: all are kept
 *
 * Always true: the durable part depends on nothing but the log below the durable end, so a rebuild gives the
 * same; what lies above is an overlay that `dropFrom` takes off again (S2); at most `maxProducers` are
 * kept, those with the latest batches by offset (S9). Sequences wrap from 2^31 − 1 to 0.
 * Source of the rules: Apache Kafka, ProducerStateManager (KIP-98, KIP-360), made stricter: an unknown
 * producer must begin with sequence 0.
 * Called by log.ts (check, record, drop) and recovery (record).
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
  marks: BatchMark[]
  /** Monotonic; −Infinity for what a restart found. */
  appendedAtMs: number
}

const fresh: SequenceVerdict = { duplicateOf: null }

export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequenceRange
}

export class ProducerState {
  readonly #limits: ProducerLimits
  /** In order of the last batch: the first key is the one to expire. */
  readonly #producers = new Map<number, Producer>()

  constructor(limits: ProducerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#producers.size
  }

  /**
   * What is to be done with a batch from an idempotent producer.
   * @throws SluiceError INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, OUT_OF_ORDER_SEQUENCE_NUMBER,
   * DUPLICATE_SEQUENCE_NUMBER, PRODUCER_LIMIT_REACHED
   */
  check(batch: ProducedBatch, nowMs: number): SequenceVerdict {
    const last = this.#producers.get(batch.producerId)?.marks.at(-1)
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

  #checkUnknown(batch: ProducedBatch, nowMs: number): SequenceVerdict {
    if (batch.baseSequence !== 0) {
      throw new SluiceError(
        'UNKNOWN_PRODUCER_ID',
        `nothing is known of producer ${batch.producerId}, and its batch begins at sequence ${batch.baseSequence}`,
        { hint: 'the producer must go on under a new epoch, from sequence 0' },
      )
    }
    const oldest = this.#producers.values().next().value
    const full = this.#producers.size >= this.#limits.maxProducers
    if (full && oldest !== undefined && nowMs - oldest.appendedAtMs < this.#limits.minIdleMs) {
      throw new SluiceError(
        'PRODUCER_LIMIT_REACHED',
        `the partition tracks ${this.#producers.size} producers, all of them active`,
        { hint: 'share producers between tasks, or switch idempotence off', retryAfterMs: 1000 },
      )
    }
    return fresh
  }

  #checkRepeated(batch: ProducedBatch, expected: number): SequenceVerdict {
    const marks = this.#producers.get(batch.producerId)?.marks ?? []
    const lastSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
    const same = marks.find(
      mark =>
        mark.epoch === batch.producerEpoch &&
        mark.baseSequence === batch.baseSequence &&
        mark.lastSequence === lastSequence,
    )
    if (same !== undefined) return { duplicateOf: same }
    // Behind by less than half the range is the past; the offset of what is older than five batches is gone.
    const behind = (expected - batch.baseSequence + sequenceRange) % sequenceRange
    if (behind < sequenceRange / 2 && behind >= batch.recordCount) {
      throw new SluiceError(
        'DUPLICATE_SEQUENCE_NUMBER',
        `sequences ${batch.baseSequence} to ${lastSequence} were stored before; the next is ${expected}`,
      )
    }
    throw outOfOrder(batch, expected)
  }

  /** Folds a batch in that now has offsets. Batches below `durableEnd` beyond the last five are forgotten. */
  record(
    batch: ProducedBatch,
    at: { baseOffset: number; durableEnd: number; nowMs: number },
  ): void {
    const known = this.#producers.get(batch.producerId)
    const marks = known?.marks ?? []
    marks.push({
      epoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: sequenceAfter(batch.baseSequence, batch.recordCount - 1),
      baseOffset: at.baseOffset,
      lastOffset: at.baseOffset + batch.recordCount - 1,
    })
    prune(marks, at.durableEnd)
    this.#producers.delete(batch.producerId)
    this.#producers.set(batch.producerId, { marks, appendedAtMs: at.nowMs })
    this.#expire(at.durableEnd)
  }

  /** Takes off everything at or above `offset`: it never became durable. */
  dropFrom(offset: number): void {
    const dropped: [number, Producer][] = []
    for (const [producerId, producer] of this.#producers) {
      if ((producer.marks.at(-1)?.lastOffset ?? -1) < offset) continue
      producer.marks = producer.marks.filter(mark => mark.lastOffset < offset)
      dropped.push([producerId, producer])
    }
    if (dropped.length > 0) this.#reorder(dropped.map(([producerId]) => producerId))
  }

  /** Producers whose marks were cut move back to where their last batch puts them. */
  #reorder(changed: readonly number[]): void {
    for (const producerId of changed) {
      if (this.#producers.get(producerId)?.marks.length === 0) this.#producers.delete(producerId)
    }
    const byOffset = [...this.#producers].sort(
      ([, a], [, b]) => (a.marks.at(-1)?.lastOffset ?? 0) - (b.marks.at(-1)?.lastOffset ?? 0),
    )
    this.#producers.clear()
    for (const [producerId, producer] of byOffset) this.#producers.set(producerId, producer)
  }

  /**
   * Forgets the producers that wrote longest ago while more than `maxProducers` have durable batches. Only
   * durable batches count, so that taking off an overlay brings nobody back.
   */
  #expire(durableEnd: number): void {
    let excess = this.#producers.size - this.#limits.maxProducers
    if (excess <= 0) return
    for (const producer of this.#producers.values()) {
      if ((producer.marks[0]?.lastOffset ?? durableEnd) >= durableEnd) excess--
    }
    for (const [producerId, producer] of this.#producers) {
      if (excess <= 0 || (producer.marks.at(-1)?.lastOffset ?? 0) >= durableEnd) return
      this.#producers.delete(producerId)
      excess--
    }
  }

  /** The durable part, for a snapshot: what the fold over the log below `endOffset` gives. */
  snapshot(endOffset: number): [producerId: number, marks: BatchMark[]][] {
    const rows: [number, BatchMark[]][] = []
    for (const [producerId, producer] of this.#producers) {
      const marks = producer.marks.filter(mark => mark.lastOffset < endOffset).slice(-keptBatches)
      if (marks.length > 0) rows.push([producerId, marks])
    }
    rows.sort(([, a], [, b]) => (a.at(-1)?.lastOffset ?? 0) - (b.at(-1)?.lastOffset ?? 0))
    return rows.slice(-this.#limits.maxProducers)
  }

  /** Replaces everything by a snapshot. */
  restore(rows: readonly (readonly [number, readonly BatchMark[]])[]): void {
    this.#producers.clear()
    for (const [producerId, marks] of rows) {
      this.#producers.set(producerId, { marks: [...marks], appendedAtMs: -Infinity })
    }
  }
}

function prune(marks: BatchMark[], durableEnd: number): void {
  let durable = 0
  while (durable < marks.length && (marks[durable]?.lastOffset ?? 0) < durableEnd) durable++
  if (durable > keptBatches) marks.splice(0, durable - keptBatches)
}

function outOfOrder(batch: ProducedBatch, expected: number): SluiceError {
  return new SluiceError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${batch.producerId} sent sequence ${batch.baseSequence}, expected ${expected}`,
    { hint: 'a batch before this one was lost or is still on its way' },
  )
}

/**
 * Readers: the two measured loops of bench consume, and the offsets that must come.
 *
 * Always true: every record is looked at; an offset that is left out or comes again is counted;
 * clock and meter are asked once a batch, or once in 16 records, because they would cost more than
 * the records.
 * Used by bench consume.
 */
import type { Clock } from '../../../protocol/world.ts'
import type { Consumer } from '../../types/consuming.ts'
import type { PlannedPartition } from '../consume-plan.ts'
import type { BenchMeter } from './meter.ts'

type BytesConsumer = Consumer<Uint8Array, Uint8Array>

const looksEvery = 16

/** The partitions of one topic as one reader goes through them. */
export class ReadProgress {
  missing = 0
  repeated = 0
  records = 0
  readonly next: number[]
  readonly #from: readonly number[]
  readonly #stops: readonly number[]
  #open = 0

  /** In the order of the partition numbers; `to` null = no end. */
  constructor(partitions: readonly PlannedPartition[]) {
    this.#from = partitions.map(({ from }) => from)
    this.next = [...this.#from]
    this.#stops = partitions.map(({ to }) => to ?? Number.POSITIVE_INFINITY)
    for (const { from, to } of partitions) if (to === null || from < to) this.#open++
  }

  /** Every partition has come to its end. */
  get isDone(): boolean {
    return this.#open === 0
  }

  /** Offsets [first, next) of a partition came. */
  saw(partition: number, first: number, next: number): void {
    const expected = this.next[partition] ?? 0
    this.records += next - first
    if (first > expected) this.missing += first - expected
    else if (first < expected) this.repeated += Math.min(next, expected) - first
    if (next > expected) this.#moved(partition, expected, next)
  }

  /** The partition goes on at `next`, where its last offsets hold nothing that is shown. */
  skipped(partition: number, next: number): void {
    const expected = this.next[partition] ?? 0
    if (next > expected) this.#moved(partition, expected, next)
  }

  /** Counts what never came, up to the fixed ends. */
  end(): void {
    this.next.forEach((next, partition) => {
      const stop = this.#stops[partition] ?? 0
      if (Number.isFinite(stop) && next < stop) this.missing += stop - next
    })
  }

  #moved(partition: number, before: number, next: number): void {
    this.next[partition] = next
    const stop = this.#stops[partition] ?? 0
    if (before < stop && next >= stop) this.#open--
  }
}

export interface Reader {
  readonly clock: Clock
  readonly consumer: BytesConsumer
  readonly progress: ReadProgress
  readonly meter: BenchMeter
  /** Records after which to stop. */
  readonly limit: number
}

export async function readBatches(reader: Reader): Promise<void> {
  const { clock, consumer, progress, meter, limit } = reader
  let askedMs = clock.monotonicMs()
  for await (const batch of consumer.batches()) {
    meter.latency(askedMs)
    const { partition } = batch
    let first = -1
    let next = -1
    let records = 0
    let bytes = 0
    for (const record of batch) {
      const { offset, key, value } = record
      if (offset !== next) {
        // a hole inside a batch, or its beginning
        if (next >= 0) progress.saw(partition, first, next)
        first = offset
      }
      next = offset + 1
      records++
      bytes += (key === null ? 0 : key.byteLength) + (value === null ? 0 : value.byteLength)
    }
    if (next >= 0) progress.saw(partition, first, next)
    progress.skipped(partition, batch.nextOffset)
    meter.count(records, bytes)
    if (progress.isDone || progress.records >= limit) break
    askedMs = clock.monotonicMs()
  }
}

export async function readRecords(reader: Reader): Promise<void> {
  const { clock, consumer, progress, meter, limit } = reader
  let askedMs = clock.monotonicMs()
  let records = 0
  let bytes = 0
  for await (const record of consumer) {
    const { partition, offset, key, value } = record
    progress.saw(partition, offset, offset + 1)
    bytes += (key === null ? 0 : key.byteLength) + (value === null ? 0 : value.byteLength)
    const isOver = progress.isDone || progress.records >= limit
    if (++records < looksEvery && !isOver) continue
    meter.latency(askedMs)
    meter.count(records, bytes)
    records = 0
    bytes = 0
    if (isOver) break
    askedMs = clock.monotonicMs()
  }
  meter.count(records, bytes)
}

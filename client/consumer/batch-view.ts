/**
 * Batch view: one fetched batch as batches() shows it; its records are made while they are
 * iterated.
 *
 * Always true: only records from `firstOffset` up to `nextOffset` are seen, however the stored
 * batch was cut.
 * Called by batch-loop.ts; BatchCursor also by record-loop.ts.
 */
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'
import type { ReceivedRecord, RecordBatchView } from '../types/consuming.ts'
import type { FetchedBatch } from './partition-reader.ts'
import type { RecordMaker } from './received-record.ts'

export interface BatchSource<K, V> {
  readonly batch: FetchedBatch
  readonly maker: RecordMaker<K, V>
  readonly compression: Compression
  /** Records from here on are not shown. */
  readonly until: number
}

/** Walks the records of a batch that are to be shown. */
export class BatchCursor<K, V> {
  readonly #cursor: RecordCursor
  readonly #maker: RecordMaker<K, V>
  readonly #from: number
  readonly #until: number
  /** Offset after the last record that was looked at. */
  position: number

  /** @throws SluiceError UNSUPPORTED_COMPRESSION_TYPE, CORRUPT_MESSAGE */
  constructor({ batch, maker, compression, until }: BatchSource<K, V>) {
    this.#cursor = new RecordCursor(batch.bytes, batch.header, compression)
    this.#maker = maker
    this.#from = batch.from
    this.#until = until
    this.position = batch.from
  }

  /** @throws SluiceError DECODE_FAILED, CORRUPT_MESSAGE */
  next(): ReceivedRecord<K, V> | undefined {
    const cursor = this.#cursor
    while (cursor.next()) {
      if (cursor.offset < this.#from) continue
      if (cursor.offset >= this.#until) return undefined
      const record = this.#maker.make(cursor)
      this.position = cursor.offset + 1
      if (record !== undefined) return record
    }
    return undefined
  }
}

export class BatchView<K, V> implements RecordBatchView<K, V> {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly nextOffset: number
  readonly count: number
  readonly lag: number
  readonly sizeBytes: number
  readonly #source: BatchSource<K, V>

  constructor(source: BatchSource<K, V>) {
    const { batch, maker, until } = source
    this.topic = maker.topic
    this.partition = maker.partition
    this.firstOffset = batch.from
    this.nextOffset = Math.min(batch.next, until)
    this.lag = Math.max(0, batch.highWatermark - this.nextOffset)
    this.sizeBytes = batch.bytes.length
    this.#source = source
    this.count = countRecords(source, this.nextOffset)
  }

  [Symbol.iterator](): Iterator<ReceivedRecord<K, V>> {
    const cursor = new BatchCursor(this.#source)
    return {
      next: () => {
        const value = cursor.next()
        return value === undefined ? { value: undefined, done: true } : { value, done: false }
      },
    }
  }
}

/**
 * Without a look at the records where the header says it: no offset missing, or the whole batch
 * shown.
 */
function countRecords<K, V>(source: BatchSource<K, V>, nextOffset: number): number {
  const { batch, compression } = source
  const { header, from } = batch
  if (header.recordCount === header.lastOffsetDelta + 1) return nextOffset - from
  if (from === header.baseOffset && nextOffset === batch.next) return header.recordCount
  const cursor = new RecordCursor(batch.bytes, header, compression)
  let count = 0
  while (cursor.next()) if (cursor.offset >= from && cursor.offset < nextOffset) count++
  return count
}

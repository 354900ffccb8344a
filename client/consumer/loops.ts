/**
 * Loops: the two ways to go through what a consumer fetched: record by record and batch by batch.
 *
 * Always true: a record inside a buffered batch costs one promise and no wait; leaving the loop in
 * any way leaves the position after the last record that was handed out, and what was not handed
 * out is there for the next loop.
 * Made by consumer.ts.
 */
import type { Compression } from '../../protocol/world.ts'
import type { ReceivedRecord, RecordBatchView } from '../types/consuming.ts'
import { BatchCursor, type BatchSource, BatchView } from './batch-view.ts'
import type { FetchedBatch, PartitionReader } from './partition-reader.ts'
import type { RecordMaker } from './received-record.ts'

/** A batch for the loop. */
export interface Taken {
  readonly reader: PartitionReader
  readonly batch: FetchedBatch
}

export interface LoopParts<K, V> {
  readonly compression: Compression
  /** The next batch in turn. @throws the failure of a reader whose buffer is used up */
  take(): Taken | undefined
  /** Nothing more will come. */
  isOver(): boolean
  /** Resolves when take() may have something, or the loop may be over. */
  untilNews(): Promise<void>
  /** The loop is done with the batch: its bytes may be fetched anew. */
  release(taken: Taken): void
  makerOf(reader: PartitionReader): RecordMaker<K, V>
  /** The loop has ended. */
  leave(): void
}

abstract class Loop<T> {
  #waiting: Promise<IteratorResult<T>> | undefined
  #ended = false

  /** The next item at once, or nothing. @throws what ends the loop */
  protected abstract poll(): T | undefined
  protected abstract isOver(): boolean
  protected abstract untilNews(): Promise<void>
  protected abstract onEnd(): void

  next(): Promise<IteratorResult<T>> {
    if (this.#waiting !== undefined) return this.#waiting.then(() => this.next())
    try {
      const value = this.#ended ? undefined : this.poll()
      if (value !== undefined) return Promise.resolve({ value, done: false })
    } catch (error) {
      this.#end()
      return Promise.reject(error)
    }
    this.#waiting = this.#nextLater().finally(() => {
      this.#waiting = undefined
    })
    return this.#waiting
  }

  return(): Promise<IteratorResult<T>> {
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  async #nextLater(): Promise<IteratorResult<T>> {
    try {
      while (!this.#ended) {
        const value = this.poll()
        if (value !== undefined) return { value, done: false }
        if (this.isOver()) break
        await this.untilNews()
      }
    } catch (error) {
      this.#end()
      throw error
    }
    this.#end()
    return { value: undefined, done: true }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.onEnd()
  }
}

function sourceOf<K, V>(parts: LoopParts<K, V>, { reader, batch }: Taken): BatchSource<K, V> {
  const until = reader.endOffset ?? Number.POSITIVE_INFINITY
  return { batch, maker: parts.makerOf(reader), compression: parts.compression, until }
}

export class RecordLoop<K, V>
  extends Loop<ReceivedRecord<K, V>>
  implements AsyncIterator<ReceivedRecord<K, V>>
{
  readonly #parts: LoopParts<K, V>
  #taken: Taken | undefined
  #cursor: BatchCursor<K, V> | undefined
  #generation = 0

  constructor(parts: LoopParts<K, V>) {
    super()
    this.#parts = parts
  }

  protected poll(): ReceivedRecord<K, V> | undefined {
    for (;;) {
      const taken = this.#taken ?? this.#takeNext()
      if (taken === undefined) return undefined
      const { reader } = taken
      if (reader.generation !== this.#generation) {
        this.#taken = undefined
        continue
      }
      if (reader.isPaused) {
        this.#giveBack(taken)
        continue
      }
      this.#cursor ??= new BatchCursor(sourceOf(this.#parts, taken))
      const record = this.#cursor.next()
      reader.position = this.#cursor.position
      if (record !== undefined) return record
      this.#taken = undefined
      this.#parts.release(taken)
    }
  }

  #takeNext(): Taken | undefined {
    const taken = this.#parts.take()
    this.#taken = taken
    this.#cursor = undefined
    if (taken !== undefined) this.#generation = taken.reader.generation
    return taken
  }

  #giveBack(taken: Taken): void {
    this.#taken = undefined
    if (taken.reader.generation === this.#generation) taken.reader.putBack(taken.batch)
  }

  protected isOver(): boolean {
    return this.#parts.isOver()
  }

  protected untilNews(): Promise<void> {
    return this.#parts.untilNews()
  }

  protected onEnd(): void {
    if (this.#taken !== undefined) this.#giveBack(this.#taken)
    this.#parts.leave()
  }
}

export class BatchLoop<K, V>
  extends Loop<RecordBatchView<K, V>>
  implements AsyncIterator<RecordBatchView<K, V>>
{
  readonly #parts: LoopParts<K, V>
  /** Handed out; charged until the next one is asked for. */
  #taken: Taken | undefined
  #generation = 0

  constructor(parts: LoopParts<K, V>) {
    super()
    this.#parts = parts
  }

  protected poll(): RecordBatchView<K, V> | undefined {
    this.#release()
    const taken = this.#parts.take()
    if (taken === undefined) return undefined
    this.#taken = taken
    this.#generation = taken.reader.generation
    const view = new BatchView(sourceOf(this.#parts, taken))
    taken.reader.position = view.nextOffset
    return view
  }

  #release(): void {
    const taken = this.#taken
    this.#taken = undefined
    if (taken?.reader.generation === this.#generation) this.#parts.release(taken)
  }

  protected isOver(): boolean {
    return this.#parts.isOver()
  }

  protected untilNews(): Promise<void> {
    return this.#parts.untilNews()
  }

  protected onEnd(): void {
    this.#release()
    this.#parts.leave()
  }
}

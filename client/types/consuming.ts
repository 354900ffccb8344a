/**
 * Consuming: topics as their readers see them. Types alone; the classes are in client/consumer/.
 *
 * Always true: `null` is in the type wherever a key or value may be missing (tombstones); offsets
 * are numbers.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { CallOptions } from './calls.ts'
import type { Codec } from './codecs.ts'
import type { Topic } from './producing.ts'

export type StartPosition =
  | 'earliest'
  /** The high watermark, whatever the isolation. */
  | 'latest'
  | { readonly offset: number }
  /** First record at or after this time, milliseconds since 1970. */
  | { readonly timestamp: number }
  /** The last n records of each partition. */
  | { readonly last: number }

export interface Assignment {
  readonly topic: string
  readonly partition: number
  /** Overrides `start` for this partition. */
  readonly start?: StartPosition
}

export interface ConsumerOptions<K, V> {
  /**
   * Names, or topics made by client.topic(). All of them share the codecs below; without those, the
   * topics' own, which must then be the same.
   */
  readonly topics?: readonly (string | Topic<K, V>)[]
  /** Instead of topics: exactly these partitions. */
  readonly assign?: readonly Assignment[]
  /** Default earliest. */
  readonly start?: StartPosition
  readonly key?: Codec<K>
  readonly value?: Codec<V>
  /** Position below the log start or beyond the end. Default error. */
  readonly noOffset?: 'earliest' | 'latest' | 'error'
  /**
   * Records that do not decode: fail the loop (default), skip them, or give them with value null
   * and decodeError.
   */
  readonly onDecodeError?: 'fail' | 'skip' | 'raw'
  /**
   * committed (default) hides aborted transactions and ends before the oldest open one;
   * uncommitted shows everything but markers. Only logs copied from Kafka have transactions.
   */
  readonly isolation?: 'committed' | 'uncommitted'
  /** Read-ahead of all partitions together. Default 16 MiB. */
  readonly bufferBytes?: number
  /** Credit of one fetch. Default 4 MiB: the way there and back then costs a tenth of it. */
  readonly fetchBytes?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  /** Check the checksum of every batch. Default true. */
  readonly checkCrc?: boolean
  /**
   * Stop at the ends that the partitions had when reading began, or before an open transaction
   * with isolation committed. Default false.
   */
  readonly stopAtEnd?: boolean
  readonly signal?: AbortSignal
}

export interface ReceivedHeader {
  readonly name: string
  readonly value: Uint8Array | null
}

export interface ReceivedRecord<K, V> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: K | null
  readonly value: V | null
  readonly headers: readonly ReceivedHeader[]
  readonly raw: { readonly key: Uint8Array | null; readonly value: Uint8Array | null }
  readonly decodeError?: SluiceError
}

export interface RecordBatchView<K, V> extends Iterable<ReceivedRecord<K, V>> {
  readonly topic: string
  readonly partition: number
  /** Offsets of the first record and of the one after the last. */
  readonly firstOffset: number
  readonly nextOffset: number
  /** Records in it. */
  readonly count: number
  /** Records behind the high watermark after this batch, as of its fetch. */
  readonly lag: number
  readonly sizeBytes: number
}

export interface Consumer<K, V> extends AsyncIterable<ReceivedRecord<K, V>> {
  /** Batches as stored; cheaper than record by record. Only one loop at a time. */
  batches(options?: { signal?: AbortSignal }): AsyncIterable<RecordBatchView<K, V>>
  /** Without arguments: everything. Buffered records are held back too. */
  pause(partitions?: readonly { topic: string; partition: number }[]): void
  resume(partitions?: readonly { topic: string; partition: number }[]): void
  /** Next offset that the loop will see, per partition. */
  positions(): { topic: string; partition: number; offset: number; lag: number | null }[]
  /**
   * Moves the loop. Begins to read if no loop has; where it fails the loop goes on where it was.
   * timeoutMs: default requestTimeoutMs. @throws SluiceError INVALID_ARGUMENT for a partition that
   * is not read here, REQUEST_TIMED_OUT, ABORTED, CLOSED, and what keeps reading from beginning
   */
  seek(topic: string, partition: number, to: StartPosition, options?: CallOptions): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Producing: topics as their writers see them. Types alone; the classes are in client/producer/.
 *
 * Always true: a failure says by `maybeApplied` whether the record may be in the log all the same;
 * offsets are numbers.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import type { Acks } from '../../protocol/messages/produce.ts'
import type { CompressionCodec } from '../../protocol/world.ts'
import type { CallOptions } from './calls.ts'
import type { Codec } from './codecs.ts'

export type PartitionerFunction = (
  key: Uint8Array | null,
  partitions: number,
  topic: string,
) => number
/**
 * murmur2 = Kafka's Java default; crc32 = librdkafka's. Both, and sticky, send null keys to a
 * sticky partition.
 */
export type Partitioner = 'murmur2' | 'crc32' | 'sticky' | PartitionerFunction

export interface ProducerOptions {
  readonly acks?: Acks
  /**
   * Default true. With false an unknown outcome is rejected with maybeApplied and never sent again.
   */
  readonly idempotent?: boolean
  /** Extra wait for more records. Default 0: a batch leaves when nothing is in flight, or full. */
  readonly lingerMs?: number
  /** Default 1 MiB. */
  readonly batchBytes?: number
  /** Requests per broker without an answer, 1…5. Default 5. */
  readonly maxInFlight?: number
  /** Bytes of unacked records; above it `send` waits and `post` says false. Default 32 MiB. */
  readonly bufferBytes?: number
  /** The only retry limit. Default 120_000. */
  readonly deliveryTimeoutMs?: number
  /** Default none. */
  readonly compression?: CompressionCodec
}

export interface TopicOptions<K, V> {
  /** Default bytes(). */
  readonly key?: Codec<K>
  readonly value?: Codec<V>
  readonly partitioner?: Partitioner
  readonly compression?: CompressionCodec
  readonly acks?: Acks
  /** Failures of records given to post(). Without it they are logged as errors. */
  readonly onError?: (error: SluiceError, record: OutgoingRecord<K, V>) => void
}

export type HeaderValue = string | Uint8Array | null
/** Duplicate names and order are kept in the list form. */
export type OutgoingHeaders =
  | Record<string, HeaderValue>
  | readonly (readonly [string, HeaderValue])[]

export interface OutgoingRecord<K, V> {
  readonly key?: K | null
  readonly value: V | null
  readonly headers?: OutgoingHeaders
  /** Default: now. */
  readonly timestamp?: number
  /** Overrides the partitioner. */
  readonly partition?: number
}

export interface RecordAck {
  topic: string
  partition: number
  /** −1 with acks none, where nobody knows it. */
  offset: number
  timestamp: number
  /** What the ack means: on disk, in the broker's page cache, or merely sent. */
  reached: 'fsynced' | 'written' | 'sent'
}

export interface Topic<K, V> {
  readonly name: string
  /** One record; resolves when acked. @throws SluiceError with maybeApplied */
  send(record: OutgoingRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordAck>
  /** In order; rejects with a SendError whose `results` say which ones landed. */
  sendAll(
    records: Iterable<OutgoingRecord<K, V>>,
    options?: { signal?: AbortSignal },
  ): Promise<RecordAck[]>
  /**
   * No promise per record; failures reach onError. False = buffer full: the record was taken, await
   * ready() first before more.
   */
  post(record: OutgoingRecord<K, V>): boolean
  /** Resolves when the buffer has room. */
  ready(options?: { signal?: AbortSignal }): Promise<void>
  /** Resolves when every record of this topic given so far is acked or rejected. */
  flush(options?: CallOptions): Promise<void>
}

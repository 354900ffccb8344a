/**
 * Api: the SDK as its users see it, in types alone. The classes behind it are in the rooms beside this file;
 * index.ts exports both.
 *
 * Always true: every call that waits takes a signal and has a deadline; offsets are numbers; `null` is in
 * the type wherever a key or value may be missing (tombstones).
 */
import type { SluiceError } from '../protocol/errors.ts'
import type { OffsetSpec } from '../protocol/messages/list-offsets.ts'
import type { Acks } from '../protocol/messages/produce.ts'
import type { CompressionCodec } from '../protocol/world.ts'

// ---------- connect ----------

/** pino's shape: `logger.info({ broker: 1 }, 'connected')`. Silent by default. */
export interface Logger {
  debug(values: object, message: string): void
  info(values: object, message: string): void
  warn(values: object, message: string): void
  error(values: object, message: string): void
}

export interface ReconnectOptions {
  /** First delay; doubles per attempt up to maxMs, with full jitter. Default 100 and 10_000. */
  readonly baseMs?: number
  readonly maxMs?: number
}

export interface ConnectOptions {
  /** `ws://host:port`, one or several; the rest of the cluster is learned. */
  readonly servers: string | readonly string[]
  readonly clientId?: string
  /** Time for the first connection, all attempts together. Default 10_000. */
  readonly connectTimeoutMs?: number
  /** Time for one request. Default 30_000. */
  readonly requestTimeoutMs?: number
  /** Metadata older than this is fetched anew. Default 30_000. */
  readonly metadataMaxAgeMs?: number
  readonly reconnect?: ReconnectOptions
  readonly producer?: ProducerOptions
  /** How long close() waits for unsent records. Default 30_000. */
  readonly closeTimeoutMs?: number
  readonly logger?: Logger
  /** Aborts connecting; after that, closes the client. */
  readonly signal?: AbortSignal
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

export type ClientStatus =
  | { type: 'connected'; broker: number; url: string }
  | { type: 'reconnecting'; url: string; attempt: number; cause: SluiceError }
  | { type: 'truncated'; topic: string; partition: number; position: number }
  | { type: 'closed' }

export interface Client {
  readonly clusterId: string
  readonly admin: Admin
  topic<K = Uint8Array, V = Uint8Array>(name: string, options?: TopicOptions<K, V>): Topic<K, V>
  consumer<K = Uint8Array, V = Uint8Array>(options: ConsumerOptions<K, V>): Consumer<K, V>
  /** What happens to the connections, from now on; ends on close(). */
  status(): AsyncIterable<ClientStatus>
  /** Resolves when every record given so far is acked or rejected. */
  flush(options?: CallOptions): Promise<void>
  /** Flushes within closeTimeoutMs, rejects what is left with CLOSED, ends consumers and connections. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

// ---------- codecs ----------

export interface CodecContext {
  readonly topic: string
  readonly part: 'key' | 'value'
}
export interface Codec<T> {
  /** null = no key, or a tombstone. @throws SluiceError ENCODE_FAILED, KEY_NOT_CANONICAL */
  encode(value: T, context: CodecContext): Uint8Array | null
  /** @throws SluiceError DECODE_FAILED */
  decode(bytes: Uint8Array, context: CodecContext): T
}

// ---------- produce ----------

export type PartitionerFunction = (
  key: Uint8Array | null,
  partitions: number,
  topic: string,
) => number
/** murmur2 = Kafka's Java default; crc32 = librdkafka's. Both, and sticky, send null keys to a sticky partition. */
export type Partitioner = 'murmur2' | 'crc32' | 'sticky' | PartitionerFunction

export interface ProducerOptions {
  readonly acks?: Acks
  /** Default true. With false an unknown outcome is rejected with maybeApplied and never sent again. */
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
  /** No promise per record; failures reach onError. False = buffer full: the record was taken, await ready() first before more. */
  post(record: OutgoingRecord<K, V>): boolean
  /** Resolves when the buffer has room. */
  ready(options?: { signal?: AbortSignal }): Promise<void>
  /** Resolves when every record of this topic given so far is acked or rejected. */
  flush(options?: CallOptions): Promise<void>
}

// ---------- consume ----------

export type StartPosition =
  | 'earliest'
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
  /** Names, or topics made by client.topic(). All of them share the codecs below. */
  readonly topics?: readonly (string | Topic<K, V>)[]
  /** Instead of topics: exactly these partitions. */
  readonly assign?: readonly Assignment[]
  /** Default earliest. */
  readonly start?: StartPosition
  readonly key?: Codec<K>
  readonly value?: Codec<V>
  /** Position below the log start or beyond the end. Default error. */
  readonly noOffset?: 'earliest' | 'latest' | 'error'
  /** Records that do not decode: fail the loop (default), skip them, or give them with value null and decodeError. */
  readonly onDecodeError?: 'fail' | 'skip' | 'raw'
  /** Hide aborted and open transactions (default), or show everything but markers. */
  readonly isolation?: 'committed' | 'uncommitted'
  /** Read-ahead of all partitions together. Default 16 MiB. */
  readonly bufferBytes?: number
  /** Credit of one fetch. Default 1 MiB. */
  readonly fetchBytes?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  /** Check the checksum of every batch. Default true. */
  readonly checkCrc?: boolean
  /** Stop at the ends that the partitions had when reading began. Default false. */
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
  seek(topic: string, partition: number, to: StartPosition): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

// ---------- admin ----------

export interface TopicSpec {
  readonly name: string
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
}
export interface TopicListing {
  name: string
  topicId: string
  partitions: number
  replicationFactor: number
}
export interface PartitionDescription {
  partition: number
  leader: number
  leaderEpoch: number
  replicas: number[]
  isr: number[]
  state: 'ok' | 'quarantined'
  reason?: string
  logStartOffset: number
  highWatermark: number
  durableEndOffset: number
  logEndOffset: number
  sizeBytes: number
  segments: {
    baseOffset: number
    endOffset: number
    sizeBytes: number
    maxTimestamp: number
    sealedAtMs?: number
  }[]
}
export interface ConfigEntry {
  name: string
  value: string
  origin: 'topic' | 'broker' | 'default'
  default: string
  about: string
}
export interface TopicDescription extends TopicListing {
  flush: 'commit' | 'os'
  configs: ConfigEntry[]
  partitionDetails: PartitionDescription[]
}
export interface ClusterDescription {
  clusterId: string
  controllerId: number
  brokers: { id: number; url: string; rack?: string }[]
}
export interface OffsetQuery {
  readonly topic: string
  readonly partition: number
  readonly at: OffsetSpec
  readonly timestamp?: number
}
export interface OffsetAnswer {
  topic: string
  partition: number
  /** null where no record is that late. */
  offset: number | null
  timestamp: number | null
}

export interface Admin {
  describeCluster(options?: CallOptions): Promise<ClusterDescription>
  readonly topics: {
    list(options?: CallOptions): Promise<TopicListing[]>
    /** @throws TOPIC_ALREADY_EXISTS, INVALID_TOPIC, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG */
    create(
      topic: TopicSpec,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<TopicListing>
    describe(name: string, options?: CallOptions): Promise<TopicDescription>
    /** null takes a setting back to its default. */
    alter(
      name: string,
      configs: Readonly<Record<string, string | null>>,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<void>
    delete(name: string, options?: CallOptions): Promise<void>
    addPartitions(
      name: string,
      total: number,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<void>
    /** Removes records below `before`; −1 = all. Answers the new log start. */
    trim(name: string, partition: number, before: number, options?: CallOptions): Promise<number>
  }
  offsets(queries: readonly OffsetQuery[], options?: CallOptions): Promise<OffsetAnswer[]>
}

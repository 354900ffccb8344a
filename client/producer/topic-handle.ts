/**
 * Topic handle: what client.topic() returns. It turns keys, values and headers into bytes and hands
 * them to the producer.
 *
 * Always true: encoding happens in the call, so changing the object afterwards changes nothing;
 * `send` costs one promise and, without a signal, no closure of its own.
 * Made by client.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { OutgoingHeader } from '../../protocol/records/batch-builder.ts'
import { abortedError } from '../cluster/backoff.ts'
import { bytes } from '../codecs/codecs.ts'
import type { CallOptions, Logger } from '../types/calls.ts'
import type { Codec, CodecContext } from '../types/codecs.ts'
import type {
  OutgoingHeaders,
  OutgoingRecord,
  RecordAck,
  Topic,
  TopicOptions,
} from '../types/producing.ts'
import type { Waiter } from './deliveries.ts'
import type { EncodedRecord, RecordSlot } from './encoded-record.ts'
import type { Producer } from './producer.ts'
import type { Route } from './route.ts'
import { SendError } from './send-error.ts'
import type { TopicProducer } from './topic-producer.ts'
import type { TurnClock } from './turn-clock.ts'

export interface HandleParts {
  readonly producer: Producer
  readonly logger: Logger
  readonly route: Route
}

export class TopicHandle<K, V> implements Topic<K, V> {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly #clock: TurnClock
  readonly #slot: RecordSlot
  readonly #producer: Producer
  readonly #topic: TopicProducer
  readonly #keyContext: CodecContext
  readonly #valueContext: CodecContext
  readonly #onError: TopicOptions<K, V>['onError']
  /** Of a record given to post() by somebody who does not ask for failures. */
  readonly #logFailure: Waiter
  readonly #logger: Logger

  constructor(name: string, options: TopicOptions<K, V>, parts: HandleParts) {
    this.name = name
    // Without a codec K and V are Uint8Array: the types of client.topic() say so.
    this.key = options.key ?? (bytes() as unknown as Codec<K>)
    this.value = options.value ?? (bytes() as unknown as Codec<V>)
    this.#clock = parts.producer.clock
    this.#slot = {
      route: parts.route,
      key: null,
      value: null,
      headers: undefined,
      timestamp: 0,
      partition: undefined,
      signal: undefined,
    }
    this.#producer = parts.producer
    this.#topic = parts.producer.topic(name)
    this.#keyContext = { topic: name, part: 'key' }
    this.#valueContext = { topic: name, part: 'value' }
    this.#onError = options.onError
    this.#logger = parts.logger
    this.#logFailure = {
      reject: error => parts.logger.error({ topic: name, error }, 'a record was lost'),
    }
  }

  send(record: OutgoingRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordAck> {
    try {
      const signal = options?.signal
      if (signal !== undefined) return this.#sendAbortable(record, signal)
      return this.#producer.send(this.#topic, this.#encode(record, undefined))
    } catch (error) {
      return Promise.reject(asSluiceError(error))
    }
  }

  /** Such a record may settle before its batch, so its promise is its own. */
  #sendAbortable(record: OutgoingRecord<K, V>, signal: AbortSignal): Promise<RecordAck> {
    const encoded = this.#encode(record, signal)
    return new Promise((resolve, reject) => {
      this.#producer.give(this.#topic, encoded, { resolve, reject })
    })
  }

  async sendAll(
    records: Iterable<OutgoingRecord<K, V>>,
    options: { signal?: AbortSignal } = {},
  ): Promise<RecordAck[]> {
    const results: Promise<RecordAck | SluiceError>[] = []
    let stoppedBy: SluiceError | undefined
    for (const record of records) {
      results.push(this.send(record, options).catch(asSluiceError))
      if (this.#hasRoom) continue
      await this.ready(options).catch(error => {
        stoppedBy = asSluiceError(error)
      })
      if (stoppedBy !== undefined) break
    }
    const settled = await Promise.all(results)
    const first = settled.find(result => SluiceError.is(result)) ?? stoppedBy
    if (SluiceError.is(first)) throw new SendError(first, settled)
    return settled as RecordAck[]
  }

  post(record: OutgoingRecord<K, V>): boolean {
    const onError = this.#onError
    const waiter: Waiter =
      onError === undefined ? this.#logFailure : { reject: error => this.#tell(error, record) }
    try {
      this.#producer.give(this.#topic, this.#encode(record, undefined), waiter)
    } catch (error) {
      waiter.reject(asSluiceError(error))
    }
    return this.#hasRoom
  }

  /** The other records of the batch wait for theirs: what the callback throws must not reach them. */
  #tell(error: SluiceError, record: OutgoingRecord<K, V>): void {
    try {
      this.#onError?.(error, record)
    } catch (thrown) {
      const values = { topic: this.name, error, thrown }
      this.#logger.error(values, 'a record was lost, and onError threw')
    }
  }

  ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    return this.#producer.ready(this.#topic, options)
  }

  flush(options: CallOptions = {}): Promise<void> {
    return this.#producer.flush(options, this.#topic)
  }

  get #hasRoom(): boolean {
    return this.#producer.hasRoom && this.#topic.waitingCount === 0
  }

  /** @throws SluiceError ENCODE_FAILED, KEY_NOT_CANONICAL, INVALID_ARGUMENT, ABORTED */
  #encode(record: OutgoingRecord<K, V>, signal: AbortSignal | undefined): EncodedRecord {
    if (signal?.aborted) throw abortedError(signal)
    const { key, value, headers, timestamp, partition } = record
    if (value === undefined) {
      throw new SluiceError('INVALID_ARGUMENT', `topic "${this.name}": the record has no value`, {
        hint: 'send({ value }), or value: null for a tombstone',
      })
    }
    const keyBytes = key === null || key === undefined ? null : this.#encodeKey(key)
    const valueBytes = value === null ? null : encodePart(this.value, value, this.#valueContext)
    const headerList = headers === undefined ? undefined : encodeHeaders(headers)
    // Filled at last: a codec of the user may send a record itself.
    const slot = this.#slot
    slot.key = keyBytes
    slot.value = valueBytes
    slot.headers = headerList
    slot.timestamp = timestamp ?? this.#clock.wallMs()
    slot.partition = partition
    slot.signal = signal
    return slot
  }

  #encodeKey(key: K): Uint8Array | null {
    return encodePart(this.key, key, this.#keyContext)
  }
}

/** What a codec of the user throws becomes ENCODE_FAILED. */
function encodePart<T>(codec: Codec<T>, value: T, context: CodecContext): Uint8Array | null {
  try {
    return codec.encode(value, context)
  } catch (cause) {
    if (SluiceError.is(cause)) throw cause
    const { topic, part } = context
    const message = `the ${part} codec of topic "${topic}" threw: ${asSluiceError(cause).message}`
    throw new SluiceError('ENCODE_FAILED', message, { cause, topic })
  }
}

const utf8 = new TextEncoder()

function encodeHeaders(headers: OutgoingHeaders): OutgoingHeader[] {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers)
  return pairs.map(([name, value]) => {
    if (value === null || value instanceof Uint8Array) return { name, value }
    if (typeof value === 'string') return { name, value: utf8.encode(value) }
    throw new SluiceError('INVALID_ARGUMENT', `header "${name}" is a ${typeof value}`, {
      hint: 'a header value is text, bytes or null',
    })
  })
}

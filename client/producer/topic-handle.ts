/**
 * Topic handle: what client.topic() returns. It turns keys, values and headers into bytes and hands
 * them to the producer.
 *
 * Always true: encoding happens in the call, so changing the object afterwards changes nothing;
 * `send` costs one promise and no closure of its own.
 * Made by client.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { OutgoingHeader } from '../../protocol/records/batch-builder.ts'
import type { Clock } from '../../protocol/world.ts'
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
import type { Reject, Resolve } from './deliveries.ts'
import type { EncodedRecord } from './encoded-record.ts'
import type { Producer } from './producer.ts'
import type { Route } from './route.ts'
import { SendError } from './send-error.ts'
import type { TopicProducer } from './topic-producer.ts'

export interface HandleParts {
  readonly producer: Producer
  readonly clock: Clock
  readonly logger: Logger
  readonly route: Route
}

export class TopicHandle<K, V> implements Topic<K, V> {
  readonly name: string
  readonly key: Codec<K>
  readonly value: Codec<V>
  readonly #parts: HandleParts
  readonly #producer: Producer
  readonly #topic: TopicProducer
  readonly #keyContext: CodecContext
  readonly #valueContext: CodecContext
  readonly #onError: TopicOptions<K, V>['onError']
  readonly #logFailure: Reject
  /** Filled by the one executor that all promises share, so that no record makes a closure. */
  #resolve: Resolve | undefined
  #reject: Reject | undefined
  readonly #capture = (resolve: Resolve, reject: Reject): void => {
    this.#resolve = resolve
    this.#reject = reject
  }

  constructor(name: string, options: TopicOptions<K, V>, parts: HandleParts) {
    this.name = name
    // Without a codec K and V are Uint8Array: the types of client.topic() say so.
    this.key = options.key ?? (bytes() as unknown as Codec<K>)
    this.value = options.value ?? (bytes() as unknown as Codec<V>)
    this.#parts = parts
    this.#producer = parts.producer
    this.#topic = parts.producer.topic(name)
    this.#keyContext = { topic: name, part: 'key' }
    this.#valueContext = { topic: name, part: 'value' }
    this.#onError = options.onError
    this.#logFailure = error => parts.logger.error({ topic: name, error }, 'a record was lost')
  }

  send(record: OutgoingRecord<K, V>, options?: { signal?: AbortSignal }): Promise<RecordAck> {
    const promise = new Promise<RecordAck>(this.#capture)
    const reject = this.#reject
    try {
      const encoded = this.#encode(record, options?.signal, this.#resolve, reject)
      this.#producer.give(this.#topic, encoded)
    } catch (error) {
      reject?.(asSluiceError(error))
    }
    return promise
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
    const reject: Reject =
      onError === undefined ? this.#logFailure : error => onError(error, record)
    try {
      const encoded = this.#encode(record, undefined, undefined, reject)
      this.#producer.give(this.#topic, encoded)
    } catch (error) {
      reject(asSluiceError(error))
    }
    return this.#hasRoom
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
  #encode(
    record: OutgoingRecord<K, V>,
    signal: AbortSignal | undefined,
    resolve: Resolve | undefined,
    reject: Reject | undefined,
  ): EncodedRecord {
    if (signal?.aborted) throw abortedError(signal)
    const { key, value, headers, timestamp, partition } = record
    if (value === undefined) {
      throw new SluiceError('INVALID_ARGUMENT', `topic "${this.name}": the record has no value`, {
        hint: 'send({ value }), or value: null for a tombstone',
      })
    }
    return {
      route: this.#parts.route,
      key: key === null || key === undefined ? null : encodePart(this.key, key, this.#keyContext),
      value: value === null ? null : encodePart(this.value, value, this.#valueContext),
      headers: headers === undefined ? undefined : encodeHeaders(headers),
      timestamp: timestamp ?? this.#parts.clock.wallMs(),
      partition,
      signal,
      resolve,
      reject,
    }
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

/**
 * Received record: one record as the loop sees it, and how it is made of the bytes.
 *
 * Always true: keys and values are decoded when the loop reaches the record, once; the raw bytes
 * are views of what was fetched, so a record that is kept keeps its batch.
 * Called by batch-view.ts and record-loop.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Codec, CodecContext } from '../types/codecs.ts'
import type { ReceivedHeader, ReceivedRecord } from '../types/consuming.ts'

/** Most records have none: one list serves them all. */
const noHeaders: readonly ReceivedHeader[] = Object.freeze([])

class Received<K, V> implements ReceivedRecord<K, V> {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: K | null
  readonly value: V | null
  readonly headers: readonly ReceivedHeader[]
  readonly #rawKey: Uint8Array | null
  readonly #rawValue: Uint8Array | null

  constructor(maker: RecordMaker<K, V>, cursor: RecordCursor, key: K | null, value: V | null) {
    this.topic = maker.topic
    this.partition = maker.partition
    this.offset = cursor.offset
    this.timestamp = cursor.timestamp
    this.key = key
    this.value = value
    this.headers = cursor.headerCount === 0 ? noHeaders : cursor.headers()
    this.#rawKey = maker.rawKey
    this.#rawValue = maker.rawValue
  }

  get raw(): { readonly key: Uint8Array | null; readonly value: Uint8Array | null } {
    return { key: this.#rawKey, value: this.#rawValue }
  }
}

class Undecoded<K, V> extends Received<K, V> {
  readonly decodeError: SluiceError

  constructor(maker: RecordMaker<K, V>, cursor: RecordCursor, error: SluiceError) {
    super(maker, cursor, null, null)
    this.decodeError = error
  }
}

export interface Decoding<K, V> {
  /** None: the bytes themselves. */
  readonly key: Codec<K> | undefined
  readonly value: Codec<V> | undefined
  readonly onDecodeError: 'fail' | 'skip' | 'raw'
}

/** Makes the records of one partition. */
export class RecordMaker<K, V> {
  readonly topic: string
  readonly partition: number
  readonly #decoding: Decoding<K, V>
  readonly #keyContext: CodecContext
  readonly #valueContext: CodecContext
  /** Bytes of the record being made. */
  rawKey: Uint8Array | null = null
  rawValue: Uint8Array | null = null

  constructor(place: { topic: string; partition: number }, decoding: Decoding<K, V>) {
    this.topic = place.topic
    this.partition = place.partition
    this.#decoding = decoding
    this.#keyContext = { topic: place.topic, part: 'key' }
    this.#valueContext = { topic: place.topic, part: 'value' }
  }

  /** The cursor's record; nothing where it is to be skipped. @throws SluiceError DECODE_FAILED */
  make(cursor: RecordCursor): ReceivedRecord<K, V> | undefined {
    const rawKey = cursor.key()
    const rawValue = cursor.value()
    this.rawKey = rawKey
    this.rawValue = rawValue
    const { key: keyCodec, value: valueCodec } = this.#decoding
    try {
      // Without a codec K and V are Uint8Array: the types of client.consumer() say so.
      const key =
        rawKey === null || keyCodec === undefined
          ? (rawKey as K | null)
          : keyCodec.decode(rawKey, this.#keyContext)
      const value =
        rawValue === null || valueCodec === undefined
          ? (rawValue as V | null)
          : valueCodec.decode(rawValue, this.#valueContext)
      return new Received(this, cursor, key, value)
    } catch (cause) {
      return this.#undecoded(cursor, cause)
    }
  }

  #undecoded(cursor: RecordCursor, cause: unknown): ReceivedRecord<K, V> | undefined {
    if (this.#decoding.onDecodeError === 'skip') return undefined
    const why = asSluiceError(cause).message
    const message = `offset ${cursor.offset} of ${this.topic}/${this.partition}: ${why}`
    const { topic, partition } = this
    const error = new SluiceError('DECODE_FAILED', message, {
      cause,
      topic,
      partition,
      hint: "onDecodeError: 'skip' leaves such records out, 'raw' shows their bytes",
    })
    if (this.#decoding.onDecodeError === 'fail') throw error
    return new Undecoded(this, cursor, error)
  }
}

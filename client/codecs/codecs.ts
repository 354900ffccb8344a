/**
 * Codecs: how keys and values become bytes and come back.
 *
 * Always true: what does not fit is an error: text with half of a surrogate pair, bytes that are
 * not UTF-8, numbers out of range. (json() alone follows JSON.stringify, which leaves out undefined
 * members and writes NaN as null.) `null` reaches no codec: it is a missing key or a tombstone, and
 * has no bytes. Codecs without options are one object each, so that equal ones can be told.
 * Given by users to client.topic() and client.consumer(); called by producer and consumer.
 */
import { canonicalJson } from '../../protocol/bytes/canonical-json.ts'
import { readInt32, readInt64, writeInt32, writeInt64 } from '../../protocol/bytes/integers.ts'
import { encodeUtf8, isWellFormed, maybeDecodeUtf8 } from '../../protocol/bytes/utf8.ts'
import { SluiceError } from '../../protocol/errors.ts'
import type { Codec, CodecContext } from '../types/codecs.ts'
import { applySchema, type StandardSchema } from './standard-schema.ts'

/** The bytes themselves, not copied. */
export function bytes(): Codec<Uint8Array> {
  return bytesCodec
}

const bytesCodec: Codec<Uint8Array> = Object.freeze<Codec<Uint8Array>>({
  encode(value, context) {
    if (value instanceof Uint8Array) return value
    throw cannotEncode(context, `is ${describe(value)}, not a Uint8Array`)
  },
  decode: stored => stored,
})

/** Text in UTF-8. */
export function string(): Codec<string> {
  return stringCodec
}

const stringCodec: Codec<string> = Object.freeze<Codec<string>>({
  encode(value, context) {
    if (typeof value !== 'string') throw cannotEncode(context, `is ${describe(value)}, not text`)
    if (!isWellFormed(value)) throw cannotEncode(context, 'holds half of a surrogate pair')
    return encodeUtf8(value)
  },
  decode: decodeText,
})

/**
 * Any JSON, as JSON.stringify writes it. With a schema, what the schema returns is written and
 * handed out. A value that is JSON's null has bytes and is no tombstone.
 */
export function json<T = unknown>(schema?: StandardSchema<T>): Codec<T> {
  return schema === undefined ? (plainJson as Codec<T>) : jsonCodec(schema)
}

function jsonCodec<T>(schema: StandardSchema<T> | undefined): Codec<T> {
  return Object.freeze<Codec<T>>({
    encode: (value, context) => encodeUtf8(stringify(checked(schema, value, context), context)),
    decode: (stored, context) => decodeJson(schema, stored, context),
  })
}

const plainJson = jsonCodec<unknown>(undefined)

/**
 * JSON for keys: equal objects give equal bytes, whatever the order of their properties, and so the
 * same partition. What has no canonical form is refused: KEY_NOT_CANONICAL.
 */
export function jsonKey<T = unknown>(schema?: StandardSchema<T>): Codec<T> {
  return schema === undefined ? (plainJsonKey as Codec<T>) : jsonKeyCodec(schema)
}

function jsonKeyCodec<T>(schema: StandardSchema<T> | undefined): Codec<T> {
  return Object.freeze<Codec<T>>({
    encode: (value, context) => encodeUtf8(canonicalJson(checked(schema, value, context))),
    decode: (stored, context) => decodeJson(schema, stored, context),
  })
}

const plainJsonKey = jsonKeyCodec<unknown>(undefined)

/** A signed 32-bit integer in four bytes, big-endian, as Kafka's IntegerSerializer. */
export function int32(): Codec<number> {
  return int32Codec
}

const int32Codec: Codec<number> = Object.freeze<Codec<number>>({
  encode(value, context) {
    if (!Number.isInteger(value) || (value | 0) !== value) {
      throw cannotEncode(context, `is ${describe(value)}, not an integer in ±2^31`)
    }
    const encoded = new Uint8Array(4)
    writeInt32(encoded, 0, value)
    return encoded
  },
  decode(stored, context) {
    requireLength(stored, 4, context)
    return readInt32(stored, 0)
  },
})

/**
 * A signed 64-bit integer in eight bytes, big-endian, as Kafka's LongSerializer; within
 * ±(2^53 − 1).
 */
export function int64(): Codec<number> {
  return int64Codec
}

const int64Codec: Codec<number> = Object.freeze<Codec<number>>({
  encode(value, context) {
    if (!Number.isSafeInteger(value)) {
      throw cannotEncode(context, `is ${describe(value)}, not an integer in ±(2^53 − 1)`)
    }
    const encoded = new Uint8Array(8)
    writeInt64(encoded, 0, value)
    return encoded
  },
  decode(stored, context) {
    requireLength(stored, 8, context)
    const value = readInt64(stored, 0)
    if (Number.isSafeInteger(value)) return value
    throw cannotDecode(context, 'is an integer beyond ±(2^53 − 1)', {
      hint: 'Use bytes() and read it as a BigInt.',
    })
  },
})

function checked<T>(schema: StandardSchema<T> | undefined, value: T, context: CodecContext): T {
  return applySchema(schema, value, context, 'ENCODE_FAILED')
}

function stringify(value: unknown, context: CodecContext): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (error) {
    throw cannotEncode(context, `has no JSON form: ${(error as Error).message}`, { cause: error })
  }
  if (text === undefined)
    throw cannotEncode(context, `is ${describe(value)}, which has no JSON form`)
  return text
}

function decodeJson<T>(
  schema: StandardSchema<T> | undefined,
  stored: Uint8Array,
  context: CodecContext,
): T {
  const text = decodeText(stored, context)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw cannotDecode(context, `is not JSON: ${(error as Error).message}`, { cause: error })
  }
  return applySchema(schema, value, context, 'DECODE_FAILED')
}

function decodeText(stored: Uint8Array, context: CodecContext): string {
  const text = maybeDecodeUtf8(stored)
  if (text === null) throw cannotDecode(context, 'is not UTF-8')
  return text
}

function requireLength(stored: Uint8Array, length: number, context: CodecContext): void {
  if (stored.length === length) return
  throw cannotDecode(context, `has ${stored.length} bytes, not ${length}`)
}

interface Extra {
  readonly hint?: string
  readonly cause?: unknown
}

function cannotEncode(context: CodecContext, what: string, extra: Extra = {}): SluiceError {
  const { topic, part } = context
  return new SluiceError('ENCODE_FAILED', `The ${part} ${what}.`, { topic, ...extra })
}

function cannotDecode(context: CodecContext, what: string, extra: Extra = {}): SluiceError {
  const { topic, part } = context
  return new SluiceError('DECODE_FAILED', `The stored ${part} ${what}.`, { topic, ...extra })
}

/** A value in a message: numbers and other small things as they are, the rest by type. */
function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

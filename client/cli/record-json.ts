/**
 * Record JSON: a record as one line of JSON, and back.
 *
 *   {"topic","partition","offset","timestamp","key","value"[,"keyEncoding"][,"valueEncoding"][,"headers"]}
 *   text if the bytes are valid UTF-8, else base64 and "…Encoding":"base64"; null = none (a tombstone)
 *
 * Always true: `recordFromJson(recordToJson(r))` has the very bytes of r. The shape is API.
 * Used by consume, `produce --jsonl` and `segment dump --records`.
 */

import { nearestName } from '../config/check-options.ts'
import type { ReceivedHeader } from '../types/consuming.ts'
import { usageError } from './failure.ts'
import type { ReadRecord } from './read-format.ts'

export interface RecordFields {
  readonly topic?: string
  readonly partition?: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly ReceivedHeader[]
}

export interface RecordJsonOptions {
  /** `headers` even where there are none. */
  readonly headers: boolean
  /** Sizes instead of key and value. */
  readonly metaOnly: boolean
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOrBase64(bytes: Uint8Array): { text: string; encoding?: 'base64' } {
  try {
    return { text: strict.decode(bytes) }
  } catch {
    return { text: base64(bytes), encoding: 'base64' }
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

function payload(name: string, bytes: Uint8Array | null): object {
  if (bytes === null) return { [name]: null }
  const { text, encoding } = textOrBase64(bytes)
  return { [name]: text, ...(encoding !== undefined && { [`${name}Encoding`]: encoding }) }
}

const size = (bytes: Uint8Array | null): number => bytes?.byteLength ?? -1

/** The object that becomes one line. */
export function recordToJson(record: RecordFields, options: RecordJsonOptions): object {
  const { topic, partition, offset, timestamp, key, value, headers } = record
  const shownHeaders = options.headers || headers.length > 0
  return {
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition }),
    offset,
    timestamp,
    ...(options.metaOnly
      ? { keyBytes: size(key), valueBytes: size(value) }
      : { ...payload('key', key), ...payload('value', value) }),
    ...(shownHeaders && {
      headers: headers.map(h => ({ name: h.name, ...payload('value', h.value) })),
    }),
  }
}

type JsonObject = Readonly<Record<string, unknown>>

/** For a message: as JSON, and short. */
function shown(value: unknown): string {
  const isPlain = typeof value !== 'object' || value === null
  return isPlain ? JSON.stringify(value).slice(0, 40) : 'a list or an object'
}

/** JSON goes as deep as it likes when it is read, not when it is written. */
function jsonOf(name: string, value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    throw usageError(`"${name}" nests too deep`, 'put it into quotes: then it is text')
  }
}

function bytesOf(object: JsonObject, name: string): Uint8Array | null {
  const value = object[name] ?? null
  if (value === null) return null
  if (typeof value !== 'string') return Buffer.from(jsonOf(name, value))
  const encoding = object[`${name}Encoding`]
  if (encoding === undefined) return Buffer.from(value)
  if (encoding !== 'base64') {
    throw usageError(`"${name}Encoding" cannot be ${shown(encoding)}`, 'it may be base64')
  }
  const bytes = Buffer.from(value, 'base64')
  if (base64(bytes).replace(/=+$/, '') === value.replace(/=+$/, '')) return bytes
  throw usageError(`"${name}" is not base64: ${value.slice(0, 40)}`)
}

/** What consume prints; a misspelt name would be a record without its key. */
function requireKnown(object: JsonObject, known: readonly string[], what: string): void {
  const unknown = Object.keys(object).find(name => !known.includes(name))
  if (unknown === undefined) return
  const nearest = nearestName(unknown, known)
  const hint = nearest === undefined ? `fields: ${known.join(', ')}` : `nearest: ${nearest}`
  throw usageError(`${what} has no field "${unknown}"`, hint)
}

const recordNames: readonly string[] = [
  ...['topic', 'partition', 'offset', 'timestamp'],
  ...['key', 'keyEncoding', 'value', 'valueEncoding', 'headers'],
]
const headerNames: readonly string[] = ['name', 'value', 'valueEncoding']

function optionalNumber(object: JsonObject, name: string): number | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw usageError(`"${name}" must be a whole number, got ${shown(value)}`)
}

function headersOf(value: unknown): [string, Uint8Array | null][] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw usageError('"headers" must be a list of {name, value}')
  return value.map((header: unknown) => {
    const object = (header ?? {}) as JsonObject
    requireKnown(object, headerNames, 'a header')
    if (typeof object.name !== 'string') throw usageError('a header has no "name"')
    return [object.name, bytesOf(object, 'value')]
  })
}

/**
 * A line of consume, read back; partition and offset of the source are not kept. @throws
 * INVALID_ARGUMENT
 */
export function recordFromJson(line: string): ReadRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    throw usageError(`${(error as Error).message}: ${line.slice(0, 60)}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw usageError(`a line is not a JSON object: ${line.slice(0, 60)}`)
  }
  const object = parsed as JsonObject
  requireKnown(object, recordNames, 'a record')
  if (object.value === undefined) {
    throw usageError('a line has no "value"', 'null makes a tombstone')
  }
  const timestamp = optionalNumber(object, 'timestamp')
  return {
    key: bytesOf(object, 'key'),
    value: bytesOf(object, 'value'),
    headers: headersOf(object.headers),
    ...(timestamp !== undefined && { timestamp }),
  }
}

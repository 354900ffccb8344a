/**
 * Batch builder: records written one after the other into one growing slab, and closed into a
 * batch.
 *
 *   slab  | 61 bytes left free for the header | record | record | record |      free       |
 *   record  length · attributes · timestamp delta · offset delta · key · value · headers
 *
 * Always true: sizes are computed first, so nothing written is ever moved; no object is made per
 * record; without compression the slab itself becomes the batch.
 * Called by the SDK's producer, by tests and tools that make batches.
 */
import { utf8Size, writeUtf8 } from '../bytes/utf8.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../bytes/varint.ts'
import { SluiceError } from '../errors.ts'
import { invariant } from '../invariant.ts'
import type { Compression, CompressionCodec } from '../world.ts'
import { batchHeaderBytes, writeBatchHeader } from './batch-header.ts'

export interface RecordHeader {
  readonly name: string
  readonly value: Uint8Array | null
}

export interface OutgoingHeader {
  readonly name: string | Uint8Array
  readonly value: Uint8Array | null
}

export interface RecordInput {
  /** Milliseconds since 1970, a safe integer ≥ 0. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly OutgoingHeader[]
}

export interface BuildOptions {
  readonly codec: CompressionCodec
  /** Needed unless the codec is none. */
  readonly compression?: Compression
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/** What one record may take; far beyond any max.message.bytes, and small enough for 32-bit sums. */
const maxRecordBytes = 2 ** 30
const firstSlabBytes = 4096
/** Below this many bytes a loop beats the call into the engine's copy. */
const shortCopyBytes = 12

export class BatchBuilder {
  readonly #capacityBytes: number
  #slab: Uint8Array
  #position = batchHeaderBytes
  #count = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #built = false

  /**
   * `capacityBytes`: soft limit of the uncompressed batch, header included. `expectedBytes`: what
   * it will probably have; so much memory is taken at once, and growing later costs a copy.
   */
  constructor(options: { capacityBytes: number; expectedBytes?: number }) {
    const { capacityBytes, expectedBytes = 0 } = options
    this.#capacityBytes = capacityBytes
    const firstBytes = Math.min(Math.max(firstSlabBytes, expectedBytes), capacityBytes)
    this.#slab = new Uint8Array(Math.max(batchHeaderBytes, firstBytes))
  }

  get count(): number {
    return this.#count
  }

  /** Of the uncompressed batch so far, header included. */
  get sizeBytes(): number {
    return this.#position
  }

  /** Timestamp of the first record; −1 while there is none. */
  get baseTimestamp(): number {
    return this.#baseTimestamp
  }

  /** −1 while there is no record. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** As appendParts. */
  append(record: RecordInput): boolean {
    return this.appendParts(record.timestamp, record.key, record.value, record.headers)
  }

  /**
   * Adds one record; its bytes are copied. False, and nothing changed, where it would pass the
   * capacity; the first record of a batch always fits.
   * @throws SluiceError INVALID_TIMESTAMP, INVALID_RECORD (header name is not text),
   * MESSAGE_TOO_LARGE
   */
  appendParts(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: readonly OutgoingHeader[],
  ): boolean {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(timestamp)
    const count = this.#count
    const delta = count === 0 ? 0 : timestamp - this.#baseTimestamp
    const keyBytes = key === null ? -1 : key.length
    const valueBytes = value === null ? -1 : value.length
    const bodyBytes =
      1 +
      varlongSize(delta) +
      varintSize(count) +
      fieldBytes(keyBytes) +
      fieldBytes(valueBytes) +
      (headers === undefined ? 1 : headersBytes(headers))
    if (bodyBytes > maxRecordBytes) throw tooLarge(bodyBytes)
    const end = this.#position + varintSize(bodyBytes) + bodyBytes
    if (end > this.#capacityBytes && count > 0) return false
    if (end > this.#slab.length) this.#grow(end)
    const slab = this.#slab
    let position = writeVarint(slab, this.#position, bodyBytes)
    slab[position++] = 0
    position = writeVarlong(slab, position, delta)
    position = writeVarint(slab, position, count)
    position = writeField(slab, position, key)
    position = writeField(slab, position, value)
    if (headers === undefined) slab[position++] = 0
    else position = writeHeaders(slab, position, headers)
    this.#position = position
    this.#count = count + 1
    if (count === 0) this.#baseTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    return true
  }

  /**
   * The whole batch, header and CRC included, base offset 0 and leader epoch −1. The builder is
   * used up.
   * @throws SluiceError UNSUPPORTED_COMPRESSION_TYPE
   */
  build(options: BuildOptions): Uint8Array {
    invariant(!this.#built, 'a batch builder is used once')
    invariant(this.#count > 0, 'a batch holds at least one record')
    const batch = this.#pack(options)
    this.#built = true
    // The slab may be the batch now: letting go of it makes sure that no later append writes into
    // it.
    this.#slab = new Uint8Array(0)
    writeBatchHeader(batch, {
      ...options,
      recordCount: this.#count,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
    })
    return batch
  }

  #pack(options: BuildOptions): Uint8Array {
    if (options.codec === 'none') return this.#slab.subarray(0, this.#position)
    const records = this.#slab.subarray(batchHeaderBytes, this.#position)
    const { compression } = options
    invariant(compression !== undefined, 'a batch is compressed by somebody')
    const packed = compression.compress(options.codec, records)
    const batch = new Uint8Array(batchHeaderBytes + packed.length)
    batch.set(packed, batchHeaderBytes)
    return batch
  }

  #grow(neededBytes: number): void {
    invariant(!this.#built, 'a batch builder is used once')
    const doubled = Math.min(this.#slab.length * 2, this.#capacityBytes)
    const slab = new Uint8Array(Math.max(doubled, neededBytes))
    slab.set(this.#slab.subarray(0, this.#position))
    this.#slab = slab
  }
}

/** Bytes of a key or value with its length; −1 = null. */
function fieldBytes(length: number): number {
  return length < 0 ? 1 : varintSize(length) + length
}

function writeField(slab: Uint8Array, position: number, bytes: Uint8Array | null): number {
  // The length −1 of a null is the one byte 1 in zig-zag form.
  if (bytes === null) {
    slab[position] = 1
    return position + 1
  }
  const length = bytes.length
  const start = writeVarint(slab, position, length)
  if (length < shortCopyBytes) {
    for (let i = 0; i < length; i++) slab[start + i] = bytes[i] as number
  } else {
    slab.set(bytes, start)
  }
  return start + length
}

function headersBytes(headers: readonly OutgoingHeader[]): number {
  let size = varintSize(headers.length)
  for (const { name, value } of headers) {
    size += fieldBytes(nameBytes(name)) + fieldBytes(value === null ? -1 : value.length)
  }
  return size
}

function nameBytes(name: string | Uint8Array): number {
  if (typeof name !== 'string') return name.length
  const size = utf8Size(name)
  if (size >= 0) return size
  throw new SluiceError(
    'INVALID_RECORD',
    `The header name ${JSON.stringify(name)} holds half of a surrogate pair.`,
    { hint: 'Header names are text; put raw bytes into the value.' },
  )
}

function writeHeaders(slab: Uint8Array, start: number, headers: readonly OutgoingHeader[]): number {
  let position = writeVarint(slab, start, headers.length)
  for (const { name, value } of headers) {
    if (typeof name === 'string') {
      const size = utf8Size(name)
      position = writeUtf8(slab, writeVarint(slab, position, size), name, size)
    } else {
      position = writeField(slab, position, name)
    }
    position = writeField(slab, position, value)
  }
  return position
}

function badTimestamp(timestamp: number): SluiceError {
  return new SluiceError('INVALID_TIMESTAMP', `The timestamp ${timestamp} is out of range.`, {
    hint: 'Give whole milliseconds since 1970, 0 or more.',
  })
}

function tooLarge(bodyBytes: number): SluiceError {
  return new SluiceError(
    'MESSAGE_TOO_LARGE',
    `The record has ${bodyBytes} bytes; no record may have more than ${maxRecordBytes}.`,
  )
}

/**
 * Record reader: walks the records of one batch, in place, without making an object per record.
 *
 *   record  length · attributes · timestamp delta · offset delta · key · value · headers
 *
 * Always true: when next() says true, the whole record (headers too) is well formed and lies inside
 * the batch; offsets grow and stay within the header's range; keys and values are views of the
 * batch (or of its unpacked bytes), never copies. The CRC is not checked here: checkBatch does.
 * Called by the SDK's consumer, by lookups by timestamp and by the tools.
 */
import { plainBytes } from '../bytes/plain.ts'
import { readUtf8 } from '../bytes/utf8.ts'
import { VarintReader } from '../bytes/varint.ts'
import { SluiceError } from '../errors.ts'
import type { Compression } from '../world.ts'
import type { RecordHeader } from './batch-builder.ts'
import { type BatchHeader, batchHeaderBytes, readBatchHeader } from './batch-header.ts'

export interface StoredRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: RecordHeader[]
}

/** What the records of one batch may grow to when unpacked, unless the caller says otherwise. */
export const defaultMaxUncompressedBytes = 64 * 1024 * 1024

export class RecordCursor {
  /** Of the current record. */
  offset = -1
  /** Of the current record: its own, or the batch's where the log assigns timestamps. */
  timestamp = -1

  readonly #reader: VarintReader
  readonly #header: BatchHeader
  readonly #appendTime: boolean
  /** Where the reader's bytes lie. */
  readonly #buffer: ArrayBufferLike
  readonly #origin: number
  #left: number
  #keyStart = 0
  #keyBytes = -1
  #valueStart = 0
  #valueBytes = -1
  #headersStart = 0
  #headerCount = 0

  /**
   * `batch` starts with the batch that `header` describes.
   * @throws SluiceError UNSUPPORTED_COMPRESSION_TYPE, CORRUPT_MESSAGE (cut off, or not what the
   * codec says)
   */
  constructor(
    batch: Uint8Array,
    header: BatchHeader,
    compression: Compression,
    maxUncompressedBytes = defaultMaxUncompressedBytes,
  ) {
    if (header.sizeBytes > batch.length) throw corrupt('The batch is cut off.')
    this.#header = header
    this.#appendTime = header.timestampType === 'append'
    this.#left = header.recordCount
    this.offset = header.baseOffset - 1
    this.#reader = openRecords(batch, header, compression, maxUncompressedBytes)
    this.#buffer = this.#reader.bytes.buffer
    this.#origin = this.#reader.bytes.byteOffset
  }

  /** Moves to the next record; false after the last. @throws SluiceError CORRUPT_MESSAGE */
  next(): boolean {
    const reader = this.#reader
    if (this.#left === 0) {
      if (reader.position !== reader.end)
        throw corrupt('Bytes follow the last record of the batch.')
      return false
    }
    const bodyBytes = reader.readVarint()
    const end = reader.position + bodyBytes
    // Six numbers of at least one byte each follow; anything shorter would read into the next
    // record.
    if (bodyBytes < 6 || end > reader.end) throw corrupt(`A record says ${bodyBytes} bytes.`)
    reader.position++
    const timestampDelta = reader.readVarlong()
    const offsetDelta = reader.readVarint()
    this.#setPlace(timestampDelta, offsetDelta)
    const keyBytes = reader.readVarint()
    this.#keyBytes = keyBytes
    this.#keyStart = reader.position
    if (keyBytes < -1) throw corrupt(`A key says ${keyBytes} bytes.`)
    // Positions only grow and are held against the end of the batch at each number, so one
    // comparison with the end of the record at the very end finds whatever reached beyond it.
    if (keyBytes > 0) reader.position += keyBytes
    const valueBytes = reader.readVarint()
    this.#valueBytes = valueBytes
    this.#valueStart = reader.position
    if (valueBytes > 0) reader.position += valueBytes
    if (valueBytes < -1 || reader.position >= end)
      throw corrupt(`A value says ${valueBytes} bytes.`)
    this.#headerCount = reader.readVarint()
    this.#headersStart = reader.position
    if (this.#headerCount !== 0) skipHeaders(reader, this.#headerCount)
    if (reader.position !== end) throw corrupt('A record is longer or shorter than its parts.')
    this.#left--
    return true
  }

  #setPlace(timestampDelta: number, offsetDelta: number): void {
    const { baseOffset, lastOffsetDelta, baseTimestamp, maxTimestamp } = this.#header
    const offset = baseOffset + offsetDelta
    if (offset <= this.offset || offsetDelta > lastOffsetDelta) {
      throw corrupt(`A record has the offset delta ${offsetDelta}, out of order or range.`)
    }
    const timestamp = this.#appendTime ? maxTimestamp : baseTimestamp + timestampDelta
    if (!Number.isSafeInteger(timestamp)) throw corrupt('A timestamp is not a safe integer.')
    this.offset = offset
    this.timestamp = timestamp
  }

  /** A view, valid as long as the batch is unchanged. */
  key(): Uint8Array | null {
    return this.#keyBytes < 0 ? null : this.#view(this.#keyStart, this.#keyBytes)
  }

  /** A view, valid as long as the batch is unchanged. */
  value(): Uint8Array | null {
    return this.#valueBytes < 0 ? null : this.#view(this.#valueStart, this.#valueBytes)
  }

  /** Half the cost of subarray, which first asks for the class to make. */
  #view(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#origin + start, length)
  }

  get headerCount(): number {
    return this.#headerCount
  }

  /** In stored order, duplicate names and all; made anew by each call. */
  headers(): RecordHeader[] {
    const headers: RecordHeader[] = []
    if (this.#headerCount === 0) return headers
    const { bytes, end } = this.#reader
    const reader = new VarintReader(bytes, this.#headersStart, end)
    for (let i = 0; i < this.#headerCount; i++) {
      const nameBytes = reader.readVarint()
      const name = readUtf8(bytes, reader.position, reader.position + nameBytes)
      reader.position += nameBytes
      const valueBytes = reader.readVarint()
      const start = reader.position
      if (valueBytes > 0) reader.position += valueBytes
      const value = valueBytes < 0 ? null : bytes.subarray(start, start + valueBytes)
      headers.push({ name, value })
    }
    return headers
  }

  /** The current record as an object of its own; key, value and header values are views. */
  record(): StoredRecord {
    return {
      offset: this.offset,
      timestamp: this.timestamp,
      key: this.key(),
      value: this.value(),
      headers: this.headers(),
    }
  }
}

/** All records of the batch at the start of `batch`. @throws as readBatchHeader, RecordCursor */
export function readRecords(batch: Uint8Array, compression: Compression): StoredRecord[] {
  const cursor = new RecordCursor(batch, readBatchHeader(batch), compression)
  const records: StoredRecord[] = []
  while (cursor.next()) records.push(cursor.record())
  return records
}

function openRecords(
  batch: Uint8Array,
  header: BatchHeader,
  compression: Compression,
  maxUncompressedBytes: number,
): VarintReader {
  if (header.codec === 'none' || header.sizeBytes === batchHeaderBytes) {
    return new VarintReader(plainBytes(batch), batchHeaderBytes, header.sizeBytes)
  }
  const packed = batch.subarray(batchHeaderBytes, header.sizeBytes)
  return new VarintReader(compression.decompress(header.codec, packed, maxUncompressedBytes))
}

/** Walks the headers of a record, so that headers() need not check anything. */
function skipHeaders(reader: VarintReader, count: number): void {
  if (count < 0) throw corrupt(`A record says ${count} headers.`)
  for (let i = 0; i < count; i++) {
    const nameBytes = reader.readVarint()
    if (nameBytes < 0) throw corrupt(`A header name says ${nameBytes} bytes.`)
    reader.position += nameBytes
    const valueBytes = reader.readVarint()
    if (valueBytes < -1) throw corrupt(`A header value says ${valueBytes} bytes.`)
    if (valueBytes > 0) reader.position += valueBytes
  }
}

function corrupt(message: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', message)
}

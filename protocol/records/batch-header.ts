/**
 * Batch header: the 61 bytes at the head of a record batch (Kafka's version 2), big-endian.
 *
 *    0 baseOffset i64       8 batchLength i32 (bytes after it)   12 partitionLeaderEpoch i32
 *   16 magic i8 = 2        17 crc u32 (CRC-32C of byte 21 to the end)
 *   21 attributes i16      23 lastOffsetDelta i32               27 baseTimestamp i64
 *   35 maxTimestamp i64    43 producerId i64    51 producerEpoch i16    53 baseSequence i32
 *   57 recordCount i32     61 records …
 *   attributes: bits 0–2 codec · 3 append time · 4 transactional · 5 control · 6 delete horizon
 *
 * Always true: base offset and leader epoch are outside the CRC: a broker patches them and no more.
 * Called by the broker's storage and handlers, and by the SDK's producer and consumer.
 */
import { crc32c } from '../bytes/crc32c.ts'
import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '../bytes/integers.ts'
import { SluiceError } from '../errors.ts'
import { type CompressionCodec, compressionCodecs } from '../world.ts'

export const batchHeaderBytes = 61
/** Base offset and batch length: what stands before the bytes that the length counts. */
export const batchOverheadBytes = 12
/** First byte under the CRC. */
export const crcStart = 21
/** The smallest record: seven one-byte numbers, no key, no value, no headers. */
export const smallestRecordBytes = 7

const magicPosition = 16
const currentMagic = 2
const smallestLength = batchHeaderBytes - batchOverheadBytes
const unusedAttributes = ~0x7f
/** What a byte can unpack to at most: repeated bytes in the best case of each format. */
const mostExpansion: Readonly<Record<CompressionCodec, number>> = {
  none: 1,
  gzip: 1032,
  snappy: 22,
  lz4: 256,
  zstd: 32_768,
}

export interface BatchHeader {
  readonly baseOffset: number
  /** The whole batch, the first 12 bytes too. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  readonly codec: CompressionCodec
  readonly timestampType: 'create' | 'append'
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly hasDeleteHorizon: boolean
  readonly lastOffsetDelta: number
  readonly lastOffset: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** −1 = not idempotent; epoch and sequence then mean nothing. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

export interface ProducerStamp {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

/**
 * The header at `position`; the records behind it need not be there.
 * @throws SluiceError CORRUPT_MESSAGE (cut off, impossible values), UNSUPPORTED_FOR_MESSAGE_FORMAT
 * (magic is not 2)
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): BatchHeader {
  requireHeaderBytes(bytes, position)
  const baseOffset = requireSafe(readInt64(bytes, position), 'base offset')
  if (baseOffset < 0) throw corrupt(`The batch has the base offset ${baseOffset}.`)
  return readFields(bytes, position, baseOffset)
}

/**
 * 12 + batchLength, without looking at anything else; the batch may be longer than what is there.
 * −1 where fewer than 12 bytes are there or the length is too small for a batch (zeros at the end
 * of a file, say).
 */
export function batchSizeAt(bytes: Uint8Array, position: number): number {
  if (position < 0 || position + batchOverheadBytes > bytes.length) return -1
  const length = readInt32(bytes, position + 8)
  return length < smallestLength ? -1 : batchOverheadBytes + length
}

/** Unchecked; for scanning batches that were checked when they came in. */
export function baseOffsetAt(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position)
}

/** Unchecked; for scanning batches that were checked when they came in. */
export function lastOffsetAt(bytes: Uint8Array, position: number): number {
  return readInt64(bytes, position) + readInt32(bytes, position + 23)
}

/** The checksum that the batch at `position` says it has. */
export function crcAt(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position + 17) >>> 0
}

/**
 * Checks exactly one whole batch: length, magic, attributes, counts, CRC. A control batch or one
 * that compaction has been through may hold fewer records than offsets, even none.
 * @throws SluiceError CORRUPT_MESSAGE, UNSUPPORTED_FOR_MESSAGE_FORMAT
 */
export function checkBatch(batch: Uint8Array): BatchHeader {
  const header = readBatchHeader(batch)
  requireSound(batch, header)
  return header
}

/**
 * checkBatch, and the rules for batches from producers: one record per offset, data only, create
 * time, producer fields that fit together. The batch's own base offset is ignored: the result has
 * base offset 0.
 * @throws SluiceError CORRUPT_MESSAGE, UNSUPPORTED_FOR_MESSAGE_FORMAT, INVALID_RECORD,
 * INVALID_TIMESTAMP
 */
export function checkProducedBatch(batch: Uint8Array): BatchHeader {
  requireHeaderBytes(batch, 0)
  const header = readFields(batch, 0, 0)
  requireSound(batch, header)
  if (header.isControl) throw invalid('A producer may not write a control batch.')
  if (header.isTransactional) throw invalid('Transactional batches are not supported.')
  if (header.hasDeleteHorizon) throw invalid('A producer may not set a delete horizon.')
  if (header.recordCount !== header.lastOffsetDelta + 1) {
    throw invalid(
      `The batch says ${header.recordCount} records for ${header.lastOffsetDelta + 1} offsets.`,
    )
  }
  // Nobody unpacks it here, and each record takes an offset for good.
  const room = (batch.length - batchHeaderBytes) * mostExpansion[header.codec]
  if (header.recordCount * smallestRecordBytes > room) {
    throw invalid(`The batch says ${header.recordCount} records, more than its bytes can hold.`)
  }
  if (header.timestampType === 'append') {
    throw new SluiceError('INVALID_TIMESTAMP', 'A producer may not claim log append time.')
  }
  requireProducerFields(header)
  return header
}

/** Sets what the leader decides, in place; both are outside the CRC. */
export function patchBatch(batch: Uint8Array, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch, 0, baseOffset)
  writeInt32(batch, batchOverheadBytes, leaderEpoch)
}

/** Sets producer id, epoch and sequence in place and computes the CRC anew. */
export function stampProducer(batch: Uint8Array, producer: ProducerStamp): void {
  writeInt64(batch, 43, producer.producerId)
  writeInt16(batch, 51, producer.producerEpoch)
  writeInt32(batch, 53, producer.baseSequence)
  writeInt32(batch, 17, crc32c(batch, crcStart))
}

export interface BatchHeaderFields extends ProducerStamp {
  readonly codec: CompressionCodec
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly recordCount: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
}

/**
 * Writes the header of the batch that `batch` is (its records are there already), CRC included. The
 * base offset is 0 and the leader epoch −1 until a leader patches them.
 */
export function writeBatchHeader(batch: Uint8Array, fields: BatchHeaderFields): void {
  const flags = (fields.isTransactional ? 0x10 : 0) | (fields.isControl ? 0x20 : 0)
  patchBatch(batch, 0, -1)
  writeInt32(batch, 8, batch.length - batchOverheadBytes)
  batch[magicPosition] = currentMagic
  writeInt16(batch, 21, compressionCodecs.indexOf(fields.codec) | flags)
  writeInt32(batch, 23, fields.recordCount - 1)
  writeInt64(batch, 27, fields.baseTimestamp)
  writeInt64(batch, 35, fields.maxTimestamp)
  writeInt32(batch, 57, fields.recordCount)
  stampProducer(batch, fields)
}

function requireHeaderBytes(bytes: Uint8Array, position: number): void {
  const there = bytes.length - position
  if (there > magicPosition && bytes[position + magicPosition] !== currentMagic) {
    const magic = bytes[position + magicPosition]
    throw new SluiceError(
      'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      `The batch has magic ${magic}; only format version ${currentMagic} is supported.`,
      { hint: 'Write with a client of Kafka 0.11 or newer.' },
    )
  }
  if (there < batchHeaderBytes) {
    throw corrupt(`A batch header has ${batchHeaderBytes} bytes; only ${there} are there.`)
  }
}

function readFields(bytes: Uint8Array, position: number, baseOffset: number): BatchHeader {
  const attributes = readInt16(bytes, position + 21)
  const codec = compressionCodecs[attributes & 7]
  if (codec === undefined) throw corrupt(`The batch has the unknown codec ${attributes & 7}.`)
  const sizeBytes = batchSizeAt(bytes, position)
  if (sizeBytes < 0)
    throw corrupt(`The batch length ${readInt32(bytes, position + 8)} is too small.`)
  const lastOffsetDelta = readInt32(bytes, position + 23)
  const recordCount = readInt32(bytes, position + 57)
  // More records than offsets cannot be: two of them would share one.
  if (lastOffsetDelta < 0 || recordCount < 0 || recordCount - 1 > lastOffsetDelta) {
    throw corrupt(`The batch has ${recordCount} records for ${lastOffsetDelta + 1} offsets.`)
  }
  return {
    baseOffset,
    sizeBytes,
    leaderEpoch: readInt32(bytes, position + 12),
    magic: currentMagic,
    crc: readUint32(bytes, position + 17),
    attributes,
    codec,
    timestampType: (attributes & 0x08) === 0 ? 'create' : 'append',
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    hasDeleteHorizon: (attributes & 0x40) !== 0,
    lastOffsetDelta,
    lastOffset: requireSafe(baseOffset + lastOffsetDelta, 'last offset'),
    baseTimestamp: requireSafe(readInt64(bytes, position + 27), 'base timestamp'),
    maxTimestamp: requireSafe(readInt64(bytes, position + 35), 'maximum timestamp'),
    producerId: requireSafe(readInt64(bytes, position + 43), 'producer id'),
    producerEpoch: readInt16(bytes, position + 51),
    baseSequence: readInt32(bytes, position + 53),
    recordCount,
  }
}

function requireSound(batch: Uint8Array, header: BatchHeader): void {
  if (header.sizeBytes !== batch.length) {
    throw corrupt(`The batch says ${header.sizeBytes} bytes; ${batch.length} are there.`)
  }
  const computed = crc32c(batch, crcStart)
  if (computed !== header.crc) {
    throw corrupt(`The batch's checksum is ${computed}; its header says ${header.crc}.`)
  }
  if ((header.attributes & unusedAttributes) !== 0) {
    throw corrupt(
      `The batch has unknown attributes: 0x${(header.attributes & 0xffff).toString(16)}.`,
    )
  }
  const recordsBytes = batch.length - batchHeaderBytes
  const smallest = header.codec === 'none' ? smallestRecordBytes : 0
  if (
    recordsBytes < header.recordCount * smallest ||
    (header.recordCount === 0) !== (recordsBytes === 0)
  ) {
    throw corrupt(`The batch says ${header.recordCount} records in ${recordsBytes} bytes.`)
  }
}

function requireProducerFields(header: BatchHeader): void {
  const { producerId, producerEpoch, baseSequence } = header
  if (producerId === -1) return
  if (producerId < 0 || producerEpoch < 0 || baseSequence < 0) {
    throw invalid(
      `Producer id ${producerId}, epoch ${producerEpoch}, sequence ${baseSequence} do not fit.`,
    )
  }
}

function requireSafe(value: number, what: string): number {
  if (!Number.isSafeInteger(value)) throw corrupt(`The batch's ${what} is not a safe integer.`)
  return value
}

function corrupt(message: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', message)
}

function invalid(message: string): SluiceError {
  return new SluiceError('INVALID_RECORD', message)
}

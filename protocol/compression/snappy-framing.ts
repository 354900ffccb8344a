/**
 * Snappy framing: the container that Kafka's Java client (by way of xerial's snappy-java) puts
 * around Snappy blocks, and the sizes inside.
 *
 *   magic 82 'SNAPPY' 00 | version i32 = 1 | lowest compatible version i32 = 1
 *   { block length i32 | block } …
 *   a block is raw Snappy: varint of its uncompressed size, then the data
 *
 * Always true: bytes without the magic are one raw block (librdkafka and others write that); sizes
 * are known before anything is unpacked.
 * Called by compression.ts.
 */
import { readInt32, writeInt32 } from '../bytes/integers.ts'
import { SluiceError } from '../errors.ts'

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const frameHeaderBytes = 16
/** What snappy-java puts into one block. */
const blockBytes = 32 * 1024

/** The raw blocks inside, as views. @throws SluiceError CORRUPT_MESSAGE */
export function readSnappyBlocks(bytes: Uint8Array): Uint8Array[] {
  if (!magic.every((byte, i) => bytes[i] === byte)) return [bytes]
  if (bytes.length < frameHeaderBytes) {
    throw new SluiceError('CORRUPT_MESSAGE', 'The header of the Snappy data is cut off.')
  }
  const blocks: Uint8Array[] = []
  for (let position = frameHeaderBytes; position < bytes.length; ) {
    const length = position + 4 <= bytes.length ? readInt32(bytes, position) : -1
    const end = position + 4 + length
    if (length < 0 || end > bytes.length) {
      throw new SluiceError('CORRUPT_MESSAGE', `The Snappy block at byte ${position} is cut off.`)
    }
    blocks.push(bytes.subarray(position + 4, end))
    position = end
  }
  return blocks
}

/** Uncompressed size that a raw block announces. @throws SluiceError CORRUPT_MESSAGE */
export function snappyBlockSize(block: Uint8Array): number {
  let size = 0
  for (let i = 0, factor = 1; i < 5; i++, factor *= 128) {
    const byte = block[i]
    if (byte === undefined) break
    size += (byte & 0x7f) * factor
    if (byte < 0x80) return size
  }
  throw new SluiceError('CORRUPT_MESSAGE', 'A Snappy block has no size.')
}

/** The framed form of `bytes`, whose blocks `compressBlock` packs. */
export function writeSnappyFrame(
  bytes: Uint8Array,
  compressBlock: (block: Uint8Array) => Uint8Array,
): Uint8Array {
  const blocks: Uint8Array[] = []
  let size = frameHeaderBytes
  for (let position = 0; position < bytes.length; position += blockBytes) {
    const block = compressBlock(bytes.subarray(position, position + blockBytes))
    blocks.push(block)
    size += 4 + block.length
  }
  const frame = new Uint8Array(size)
  frame.set(magic)
  writeInt32(frame, 8, 1)
  writeInt32(frame, 12, 1)
  let position = frameHeaderBytes
  for (const block of blocks) {
    writeInt32(frame, position, block.length)
    frame.set(block, position + 4)
    position += 4 + block.length
  }
  return frame
}

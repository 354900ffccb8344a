/**
 * Zstd: reading Zstandard data with fzstd, block by block, within a limit.
 *
 *   frame      28 b5 2f fd | descriptor [window] [dictionary id] [content size]
 *              blocks … [checksum u32]
 *   block      u24, little-endian: last (1 bit) | type (2 bits) | size (21 bits) · then the data
 *   skippable  5x 2a 4d 18 | u32 size, little-endian | whatever
 *
 * Always true: fzstd takes memory for the whole window that a frame's header asks for, so the
 * headers of all frames are looked at first; output is counted block by block (a block has at most
 * 128 KiB).
 * Called by compression.ts where node:zlib has no Zstandard.
 */
import { SluiceError } from '../errors.ts'
import type { Fzstd } from './packages.ts'

/** The window that every decoder should support, by the format's own recommendation. */
const alwaysAllowedWindowBytes = 8 * 1024 * 1024
const contentSizeBytes = [0, 2, 4, 8] as const
/** A block of this type is one byte, repeated. */
const repeatedByte = 1

/** @throws SluiceError CORRUPT_MESSAGE, or whatever fzstd throws on malformed data */
export function unpackZstd(fzstd: Fzstd, bytes: Uint8Array, maxBytes: number): Uint8Array {
  requireWindows(bytes, Math.max(alwaysAllowedWindowBytes, maxBytes))
  const chunks: Uint8Array[] = []
  let size = 0
  const decompress = new fzstd.Decompress(chunk => {
    size += chunk.length
    if (size > maxBytes) {
      throw corrupt(`The batch's zstd data would grow beyond ${maxBytes} bytes.`)
    }
    chunks.push(chunk)
  })
  decompress.push(bytes, true)
  const unpacked = new Uint8Array(size)
  let position = 0
  for (const chunk of chunks) {
    unpacked.set(chunk, position)
    position += chunk.length
  }
  return unpacked
}

/** Walks all frames; what is malformed is left to fzstd to refuse. */
function requireWindows(bytes: Uint8Array, windowLimit: number): void {
  for (let position = 0; position < bytes.length; ) {
    if (((bytes[position] ?? 0) & 0xf0) === 0x50) {
      position += 8 + littleEndian(bytes, position + 4, 4)
      continue
    }
    const frame = readFrameHeader(bytes, position)
    if (frame.windowBytes > windowLimit) {
      throw corrupt(`The batch's zstd data asks for a window of ${frame.windowBytes} bytes.`)
    }
    position = endOfBlocks(bytes, frame.blocksAt) + (frame.hasChecksum ? 4 : 0)
  }
}

function readFrameHeader(bytes: Uint8Array, position: number) {
  const descriptor = bytes[position + 4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = (descriptor & 3) === 3 ? 4 : descriptor & 3
  const sizeAt = position + (isSingleSegment ? 5 : 6) + dictionaryBytes
  const sizeBytes = contentSizeBytes[descriptor >>> 6] || (isSingleSegment ? 1 : 0)
  const exponent = 2 ** (10 + ((bytes[position + 5] ?? 0) >>> 3))
  const mantissa = (exponent / 8) * ((bytes[position + 5] ?? 0) & 7)
  return {
    // A single segment needs no more window than its content.
    windowBytes: isSingleSegment ? littleEndian(bytes, sizeAt, sizeBytes) : exponent + mantissa,
    hasChecksum: (descriptor & 0x04) !== 0,
    blocksAt: sizeAt + sizeBytes,
  }
}

function endOfBlocks(bytes: Uint8Array, start: number): number {
  let position = start
  while (position < bytes.length) {
    const header = littleEndian(bytes, position, 3)
    position += 3 + (((header >>> 1) & 3) === repeatedByte ? 1 : header >>> 3)
    if ((header & 1) === 1) break
  }
  return position
}

function littleEndian(bytes: Uint8Array, position: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[position + i] ?? 0)
  return value
}

function corrupt(message: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', message)
}

/**
 * Lz4 size: what an LZ4 frame unpacks to, found by walking its tokens without unpacking.
 *
 *   frame  04 22 4d 18 | FLG BD [content size u64] [dictionary id u32] HC
 *          { size u32 | block [checksum u32] } … | 0 [checksum u32]
 *   block  { token | literal length … | literals | match offset u16 | match length … } …
 *
 * Always true: the result is exact for well-formed frames; the package that unpacks has no limit of
 * its own, so this is what refuses a bomb before memory is taken.
 * Called by compression.ts.
 */
import { SluiceError } from '../errors.ts'

const frameMagic = 0x184d2204
const shortestMatch = 4

/** Uncompressed bytes of the frames in `bytes`. @throws SluiceError CORRUPT_MESSAGE */
export function lz4UncompressedSize(bytes: Uint8Array): number {
  let size = 0
  let position = 0
  while (position < bytes.length) {
    if (readUint32LittleEndian(bytes, position) !== frameMagic) {
      throw new SluiceError('CORRUPT_MESSAGE', `At byte ${position} there is no LZ4 frame.`)
    }
    const flags = bytes[position + 4] ?? 0
    const [hasBlockChecksum, hasSize] = [(flags & 0x10) !== 0, (flags & 0x08) !== 0]
    const [hasChecksum, hasDictionary] = [(flags & 0x04) !== 0, (flags & 0x01) !== 0]
    position += 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0)
    for (;;) {
      const blockSize = readUint32LittleEndian(bytes, position)
      position += 4
      if (blockSize === 0) break
      const length = blockSize & 0x7fffffff
      if (position + length > bytes.length) throw cutOff(position)
      const isPlain = blockSize >= 0x80000000
      size += isPlain ? length : blockUncompressedSize(bytes, position, position + length)
      position += length + (hasBlockChecksum ? 4 : 0)
    }
    position += hasChecksum ? 4 : 0
  }
  return size
}

function blockUncompressedSize(bytes: Uint8Array, start: number, end: number): number {
  let size = 0
  let position = start
  while (position < end) {
    const token = bytes[position++] as number
    let literals = token >>> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) more = lengthByte(bytes, position++, end)
    }
    position += literals
    size += literals
    // The last sequence of a block has literals only.
    if (position >= end) break
    position += 2
    let match = token & 15
    if (match === 15) {
      for (let more = 255; more === 255; match += more) more = lengthByte(bytes, position++, end)
    }
    size += match + shortestMatch
  }
  if (position !== end) throw cutOff(start)
  return size
}

function lengthByte(bytes: Uint8Array, position: number, end: number): number {
  if (position >= end) throw cutOff(position)
  return bytes[position] as number
}

function readUint32LittleEndian(bytes: Uint8Array, position: number): number {
  if (position + 4 > bytes.length) throw cutOff(position)
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(position, position + 4)
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}

function cutOff(position: number): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', `The LZ4 frame is malformed at byte ${position}.`)
}

/**
 * Zstd: reading Zstandard data with fzstd, block by block, within a limit.
 *
 *   frame  magic 28 b5 2f fd | descriptor [window] [dictionary id] [content size] | blocks … [checksum u32]
 *
 * Always true: fzstd takes memory for the whole window that a frame's header asks for, so the header is looked
 * at first; output is counted block by block (a block has at most 128 KiB).
 * Called by compression.ts where node:zlib has no Zstandard.
 */
import { SluiceError } from '../errors.ts'
import type { Fzstd } from './packages.ts'

/** The window that every decoder should support, by the format's own recommendation. */
const alwaysAllowedWindowBytes = 8 * 1024 * 1024
const contentSizeBytes = [0, 2, 4, 8] as const

/** @throws SluiceError CORRUPT_MESSAGE, or whatever fzstd throws on malformed data */
export function unpackZstd(fzstd: Fzstd, bytes: Uint8Array, maxBytes: number): Uint8Array {
  const windowLimit = Math.max(alwaysAllowedWindowBytes, maxBytes)
  if (firstWindowBytes(bytes) > windowLimit) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let size = 0
  const decompress = new fzstd.Decompress(chunk => {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
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

function firstWindowBytes(bytes: Uint8Array): number {
  const descriptor = bytes[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  if (!isSingleSegment) {
    const window = bytes[5] ?? 0
    const base = 2 ** (10 + (window >>> 3))
    return base + (base / 8) * (window & 7)
  }
  const sizeBytes = contentSizeBytes[descriptor >>> 6] || 1
  const start = 5 + ((descriptor & 3) === 3 ? 4 : descriptor & 3)
  let size = 0
  for (let i = sizeBytes - 1; i >= 0; i--) size = size * 256 + (bytes[start + i] ?? 0)
  return size
}

function tooLarge(maxBytes: number): SluiceError {
  return new SluiceError(
    'CORRUPT_MESSAGE',
    `The batch's zstd data would grow beyond ${maxBytes} bytes.`,
  )
}

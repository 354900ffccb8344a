/**
 * Zstd: reading Zstandard data, within a limit of bytes and of work (RFC 8878).
 *
 *   frame      28 b5 2f fd | descriptor [window] [dictionary id] [content size]
 *              blocks … [checksum u32]
 *   block      u24, little-endian: last (1 bit) | type (2 bits) | size (21 bits) · then the data
 *   skippable  5x 2a 4d 18 | u32 size, little-endian | whatever
 *
 * Always true: memory is taken for what comes out, never for what a header claims, so a window
 * costs nothing; whatever the bytes are, the work is in proportion to what went in and came out.
 * The checksum is not looked at: the batch around it has one.
 * Called by compression.ts where node:zlib has no Zstandard.
 */
import { corruptZstd } from './fse.ts'
import { BlockReader } from './zstd-block.ts'
import { mostBlockBytes } from './zstd-literals.ts'
import { ZstdOutput } from './zstd-output.ts'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a5
const contentSizeBytes = [0, 2, 4, 8] as const
const blockTypes = ['raw', 'repeated', 'compressed', 'reserved'] as const
/**
 * Honest blocks are large. One that says next to nothing may cost as much as one of 128 KiB, so
 * their number is bounded by what is packed in them on the average.
 */
const leastMeanBlockBytes = 64
const freeBlocks = 256

/** @throws SluiceError CORRUPT_MESSAGE: malformed, cut off, or more than `maxBytes` */
export function unpackZstd(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const out = new ZstdOutput(maxBytes)
  const budget = { blocks: freeBlocks + Math.ceil(bytes.length / leastMeanBlockBytes) }
  for (let at = 0; at < bytes.length; ) {
    const magic = littleEndian(bytes, at, 4)
    if (magic >>> 4 === skippableMagic) at += 8 + littleEndian(bytes, at + 4, 4)
    else if (magic === frameMagic) at = readFrame(bytes, at + 4, { out, budget })
    else throw corruptZstd(`no frame at byte ${at}`)
    if (at > bytes.length) throw cutOff()
  }
  return out.result()
}

interface FrameParts {
  readonly out: ZstdOutput
  readonly budget: { blocks: number }
}

/** The frame whose magic ends at `from`; answers where it ends. */
function readFrame(bytes: Uint8Array, from: number, parts: FrameParts): number {
  const { out, budget } = parts
  const head = readFrameHead(bytes, from)
  const start = out.length
  out.requireRoom(head.contentSize ?? 0)
  out.beginFrame()
  const reader = new BlockReader(out)
  let at = head.end
  for (let isLast = false; !isLast; ) {
    const header = littleEndian(bytes, at, 3)
    if (at + 3 > bytes.length) throw cutOff()
    if (--budget.blocks < 0) throw corruptZstd('more blocks than its bytes can need')
    isLast = (header & 1) === 1
    at = readBlock(bytes, { at: at + 3, header }, { out, reader })
  }
  const isShort = head.contentSize !== null && out.length - start !== head.contentSize
  if (isShort) throw corruptZstd(`a frame that says it has ${head.contentSize} bytes`)
  return at + (head.hasChecksum ? 4 : 0)
}

function readBlock(
  bytes: Uint8Array,
  { at, header }: { readonly at: number; readonly header: number },
  { out, reader }: { readonly out: ZstdOutput; readonly reader: BlockReader },
): number {
  const type = blockTypes[(header >>> 1) & 3]
  const size = header >>> 3
  if (size > mostBlockBytes) throw corruptZstd(`a block of ${size} bytes`)
  const end = at + (type === 'repeated' ? 1 : size)
  if (end > bytes.length) throw cutOff()
  if (type === 'raw') out.append(bytes, at, end)
  else if (type === 'repeated') out.repeat(bytes[at] as number, size)
  else if (type === 'compressed') reader.read(bytes, { from: at, to: end })
  else throw corruptZstd('a block of an unknown type')
  return end
}

function readFrameHead(bytes: Uint8Array, from: number) {
  const descriptor = littleEndian(bytes, from, 1)
  const isSingleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw corruptZstd('a frame of an unknown kind')
  const dictionaryBytes = (descriptor & 3) === 3 ? 4 : descriptor & 3
  const dictionaryAt = from + (isSingleSegment ? 1 : 2)
  if (littleEndian(bytes, dictionaryAt, dictionaryBytes) !== 0) {
    throw corruptZstd('a frame that needs a dictionary')
  }
  const sizeAt = dictionaryAt + dictionaryBytes
  const sizeBytes = contentSizeBytes[descriptor >>> 6] || (isSingleSegment ? 1 : 0)
  const size = littleEndian(bytes, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return {
    contentSize: sizeBytes === 0 ? null : size,
    hasChecksum: (descriptor & 0x04) !== 0,
    end: sizeAt + sizeBytes,
  }
}

/** Bytes that are not there count as 0. */
function littleEndian(bytes: Uint8Array, position: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[position + i] ?? 0)
  return value
}

const cutOff = () => corruptZstd('it is cut off')

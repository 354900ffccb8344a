/**
 * Bombs: packed bytes that are small and mean to become large, by hand, because no honest
 * compressor writes them: claimed sizes, endless matches, repeated blocks, windows, frames in
 * frames.
 *
 * Always true: each has less than 100 KB.
 * Used by the target of unpacking.
 */
import type { CompressionCodec } from '../../protocol/world.ts'
import { compression } from './batches.ts'
import type { FuzzRandom } from './random.ts'

const zeros = new Uint8Array(4 * 2 ** 20)

function littleEndian(value: number, length: number): number[] {
  const bytes: number[] = []
  for (let i = 0, rest = value; i < length; i++) {
    bytes.push(((rest % 256) + 256) % 256)
    rest = Math.floor(rest / 256)
  }
  return bytes
}

/** gzip has no sizes to lie about, so it is zeros, once, twice packed, or several members. */
function gzipBomb(random: FuzzRandom): Uint8Array {
  const once = compression.compress('gzip', zeros.subarray(0, 1 + random.size(zeros.length)))
  if (random.oneIn(3)) return compression.compress('gzip', once)
  return random.oneIn(3) ? Buffer.concat([once, once, once]) : once
}

/** Blocks whose head claims a size, framed as snappy-java does or bare. */
function snappyBomb(random: FuzzRandom): Uint8Array {
  const claim: number[] = []
  for (let i = random.between(1, 5); i > 0; i--) claim.push(random.oneIn(4) ? 0x7f : 0xff)
  claim.push(random.below(16))
  const block = [...claim, ...random.bytes(random.size(40))]
  if (random.oneIn(2)) return Uint8Array.from(block)
  const head = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]
  const blocks = Array.from({ length: 1 + random.size(300) }, () => [
    ...littleEndian(block.length, 4).reverse(),
    ...block,
  ])
  return Uint8Array.from([...head, ...blocks.flat()])
}

/** A block that repeats its first byte for `matches` × 255 bytes. */
function lz4Block(matches: number, random: FuzzRandom): number[] {
  const block = [0x1f, 0x41, 0x01, 0x00, ...new Array<number>(matches).fill(255)]
  block.push(random.below(255), 0x50, 1, 2, 3, 4, 5)
  return [...littleEndian(block.length, 4), ...block]
}

function lz4Bomb(random: FuzzRandom): Uint8Array {
  const blockMax = random.pick([0x40, 0x50, 0x60, 0x70, 0x70, 0x70])
  const mostMatches = blockMax === 0x70 ? 16_000 : 250
  const claimsSize = random.oneIn(3)
  const size = claimsSize ? littleEndian(Math.abs(random.edge()), 8) : []
  const head = [0x60 | (claimsSize ? 0x08 : 0), blockMax, ...size]
  const frame = [4, 0x22, 0x4d, 0x18, ...head, headerChecksum(head)]
  for (let n = random.between(1, 3); n > 0; n--) {
    for (const byte of lz4Block(random.size(mostMatches), random)) frame.push(byte)
  }
  frame.push(0, 0, 0, 0)
  return Uint8Array.from(random.oneIn(8) ? [...frame, ...frame] : frame)
}

/** Second byte of xxHash-32 (seed 0) of fewer than 16 bytes, as LZ4's frame header wants it. */
function headerChecksum(head: readonly number[]): number {
  const [prime1, prime2, prime3] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d]
  const [prime4, prime5] = [0x27d4eb2f, 0x165667b1]
  const turned = (x: number, by: number) => (x << by) | (x >>> (32 - by))
  let hash = (prime5 + head.length) | 0
  let at = 0
  for (; at + 4 <= head.length; at += 4) {
    const word =
      (head[at] ?? 0) |
      ((head[at + 1] ?? 0) << 8) |
      ((head[at + 2] ?? 0) << 16) |
      ((head[at + 3] ?? 0) << 24)
    hash = Math.imul(turned((hash + Math.imul(word, prime3)) | 0, 17), prime4)
  }
  for (; at < head.length; at++) {
    hash = Math.imul(turned((hash + Math.imul(head[at] ?? 0, prime5)) | 0, 11), prime1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  hash ^= hash >>> 16
  return (hash >>> 8) & 0xff
}

/** Blocks of one repeated byte; windows and content sizes as large as can be said. */
function zstdBomb(random: FuzzRandom): Uint8Array {
  if (random.oneIn(2)) return zstdBlock(random)
  const blocks = 1 + random.size(300)
  const repeated = random.oneIn(2) ? 128 * 1024 : random.below(2 ** 18)
  const single = random.oneIn(2)
  const sizeCode = random.below(4)
  const descriptor = (sizeCode << 6) | (single ? 0x20 : 0)
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][sizeCode] ?? 0
  const claim = random.oneIn(2) ? blocks * repeated : Math.abs(random.edge())
  const frame = [0x28, 0xb5, 0x2f, 0xfd, descriptor]
  if (!single) frame.push(random.oneIn(4) ? random.below(256) : random.below(0x60))
  frame.push(...littleEndian(claim, sizeBytes))
  for (let n = 1; n <= blocks; n++) {
    const last = n === blocks ? 1 : 0
    frame.push(...littleEndian((repeated << 3) | (1 << 1) | last, 3), 0x41)
  }
  return Uint8Array.from(frame)
}

/** Literals with a tree whose weights have few kinds, often one. */
function zstdTree(random: FuzzRandom): number[] {
  const weights = random.oneIn(2) ? [0xf0, 0x03] : [...random.bytes(random.between(1, 4))]
  const packed = [...weights, ...random.bytes(random.below(6)), 255]
  const size = 1 + packed.length + random.below(12)
  const count = random.below(64)
  const sizes = [2 | ((count & 15) << 4), (count >> 4) | ((size & 3) << 6), size >> 2]
  return [...sizes, packed.length, ...packed, ...random.bytes(size - 1 - packed.length)]
}

/** A compressed block of random literals, tables of one symbol, and as many sequences as go. */
function zstdBlock(random: FuzzRandom): Uint8Array {
  const literals = random.bytes(random.size(31))
  const sequences = random.oneIn(2)
    ? [255, random.below(256), random.below(256)]
    : [random.below(128)]
  const modes = random.oneIn(2) ? 0x54 : random.below(256) & ~3
  const symbols = [random.below(36), random.below(32), random.below(53)]
  const bits = random.bytes(random.size(300))
  const tree = random.oneIn(3) ? zstdTree(random) : null
  const head = tree ?? [literals.length << 3, ...literals]
  const content = [...head, ...sequences, modes, ...symbols, ...bits, 1 + random.below(255)]
  const header = (content.length << 3) | (2 << 1) | 1
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...littleEndian(header, 3), ...content])
}

const makers: Readonly<Record<CompressionCodec, (random: FuzzRandom) => Uint8Array>> = {
  none: random => random.bytes(random.size(100)),
  gzip: gzipBomb,
  snappy: snappyBomb,
  lz4: lz4Bomb,
  zstd: zstdBomb,
}

export const bombOf = (codec: CompressionCodec, random: FuzzRandom): Uint8Array =>
  makers[codec](random)

/** Bombs made once: they cost more to pack than to refuse. */
export function bombStore(codec: CompressionCodec, random: FuzzRandom): Uint8Array[] {
  return Array.from({ length: 40 }, () => bombOf(codec, random))
}

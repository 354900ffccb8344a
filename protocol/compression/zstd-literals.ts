/**
 * Zstd literals: the first section of a compressed block: bytes that the sequences take from
 * (RFC 8878, 3.1.1.3.1).
 *
 *   head  type (2 bits) | format of the sizes (2 bits) | sizes       raw, one repeated byte, Huffman
 *         coded with a tree of its own, or with that of the block before
 *
 * Always true: at most 128 KiB come out.
 * Called by zstd-block.ts.
 */
import { corruptZstd } from './fse.ts'
import {
  type ByteRange,
  type HuffmanTable,
  readHuffmanLiterals,
  readHuffmanTable,
} from './zstd-huffman.ts'

export interface Literals {
  readonly bytes: Uint8Array
  /** Where the section ends. */
  readonly end: number
  /** For a later block that has no tree of its own. */
  readonly tree: HuffmanTable | null
}

interface Head {
  readonly type: number
  readonly size: number
  readonly packedSize: number
  readonly streams: 1 | 4
  readonly end: number
}

const [raw, repeated, treeless] = [0, 1, 3]
export const mostBlockBytes = 128 * 1024

/** @throws SluiceError CORRUPT_MESSAGE */
export function readLiterals(
  bytes: Uint8Array,
  range: ByteRange,
  tree: HuffmanTable | null,
): Literals {
  const head = readHead(bytes, range)
  const end = head.end + head.packedSize
  if (end > range.to || head.size > mostBlockBytes) throw corruptZstd('literals are cut off')
  if (head.type === raw) return { bytes: bytes.subarray(head.end, end), end, tree }
  if (head.type === repeated) {
    return { bytes: new Uint8Array(head.size).fill(bytes[head.end] as number), end, tree }
  }
  const own = head.type === treeless ? null : readHuffmanTable(bytes, { from: head.end, to: end })
  const table = own?.table ?? tree
  if (table === null) throw corruptZstd('literals without a tree')
  const out = new Uint8Array(head.size)
  const streams = { from: own?.end ?? head.end, to: end }
  readHuffmanLiterals(table, { bytes, range: streams, streams: head.streams }, out)
  return { bytes: out, end, tree: table }
}

function readHead(bytes: Uint8Array, { from, to }: ByteRange): Head {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(from, Math.min(to, from + 5))
  const type = a & 3
  const format = (a >> 2) & 3
  if (type === raw || type === repeated) {
    const [length, size] =
      (format & 1) === 0
        ? [1, a >> 3]
        : format === 1
          ? [2, (a >> 4) | (b << 4)]
          : [3, (a >> 4) | (b << 4) | (c << 12)]
    const packedSize = type === raw ? size : 1
    return { type, size, packedSize, streams: 1, end: from + length }
  }
  const streams = format === 0 ? 1 : 4
  const width = format < 2 ? 10 : format === 2 ? 14 : 18
  // Up to 40 bits: too many for the bit operators.
  const sizes = Math.floor((a + b * 256 + c * 65_536 + d * 2 ** 24 + e * 2 ** 32) / 16)
  const size = sizes % 2 ** width
  const packedSize = Math.floor(sizes / 2 ** width) % 2 ** width
  return { type, size, packedSize, streams, end: from + (4 + 2 * width) / 8 }
}

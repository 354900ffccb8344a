/**
 * Zstd huffman: the literals of a block where they are Huffman coded (RFC 8878, 4.2).
 *
 *   tree     one byte: < 128 = bytes of FSE coded weights, else 127 + number of weights, 4 bits each
 *   streams  one, or four behind a table of the sizes of the first three
 *
 * Always true: each stream gives exactly the bytes that it is to give, from exactly its bits.
 * Called by zstd-literals.ts.
 */
import { BackwardBits } from './backward-bits.ts'
import { corruptZstd, readFseTable } from './fse.ts'

/** By the next `width` bits: the symbol, and in the upper byte how many of the bits are its own. */
export interface HuffmanTable {
  readonly width: number
  readonly codes: Uint16Array
}

export interface ByteRange {
  readonly from: number
  readonly to: number
}

const longestCode = 11
/** The last of 256 symbols has its weight from the others. */
const mostWeights = 255
const weightLimits = { maxAccuracy: 6, maxSymbol: longestCode + 1 }

/** The tree at `from`, and where it ends. @throws SluiceError CORRUPT_MESSAGE */
export function readHuffmanTable(
  bytes: Uint8Array,
  { from, to }: ByteRange,
): { readonly table: HuffmanTable; readonly end: number } {
  if (from >= to) throw corruptZstd('a tree is cut off')
  const head = bytes[from] as number
  const size = head < 128 ? head : (head - 126) >> 1
  const end = from + 1 + size
  if (end > to) throw corruptZstd('a tree is cut off')
  const weights =
    head < 128
      ? readPackedWeights(bytes, { from: from + 1, to: end })
      : readPlainWeights(bytes, from + 1, head - 127)
  return { table: huffmanTable(weights), end }
}

function readPlainWeights(bytes: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    const pair = bytes[from + (n >> 1)] as number
    return (n & 1) === 0 ? pair >> 4 : pair & 15
  })
}

/** Two states take turns until the bits do not suffice for the next one. */
function readPackedWeights(bytes: Uint8Array, range: ByteRange): number[] {
  const { table, end } = readFseTable(bytes, range, weightLimits)
  const bits = new BackwardBits(bytes, end, range.to)
  const weights: number[] = []
  let now = bits.read(table.accuracy)
  let other = bits.read(table.accuracy)
  if (bits.left < 0) throw corruptZstd('a tree is cut off')
  // A table of one symbol takes no bits, so the number of weights is what ends this.
  while (weights.length < mostWeights) {
    weights.push(table.symbols[now] as number)
    const next = (table.baselines[now] as number) + bits.read(table.bits[now] as number)
    if (bits.left < 0) {
      weights.push(table.symbols[other] as number)
      return weights
    }
    now = other
    other = next
  }
  throw corruptZstd('a tree of too many symbols')
}

/** Codes by weight: the heaviest are the shortest; equal ones in order of their symbols. */
function huffmanTable(weights: number[]): HuffmanTable {
  let total = 0
  for (const weight of weights) {
    if (weight > longestCode) throw corruptZstd(`a weight of ${weight}`)
    total += weight === 0 ? 0 : 1 << (weight - 1)
  }
  const width = 32 - Math.clz32(total)
  const rest = (1 << width) - total
  if (total === 0 || width > longestCode || (rest & (rest - 1)) !== 0) {
    throw corruptZstd('a tree whose weights do not add up')
  }
  const all = [...weights, 32 - Math.clz32(rest)]
  if (all.length > mostWeights + 1) throw corruptZstd('a tree of too many symbols')
  const codes = new Uint16Array(1 << width)
  let position = 0
  for (let weight = 1; weight <= width; weight++) {
    for (let symbol = 0; symbol < all.length; symbol++) {
      if (all[symbol] !== weight) continue
      const end = position + (1 << (weight - 1))
      codes.fill(symbol | ((width + 1 - weight) << 8), position, end)
      position = end
    }
  }
  return { width, codes }
}

/** The bytes of one stream into `out`. @throws SluiceError CORRUPT_MESSAGE */
function readStream(table: HuffmanTable, bits: BackwardBits, out: Uint8Array): void {
  const { width, codes } = table
  let i = bits.readCodes(table, out)
  for (; i < out.length; i++) {
    const code = codes[bits.peek(width)] as number
    out[i] = code & 0xff
    bits.left -= code >> 8
  }
  if (bits.left !== 0) throw corruptZstd('literals are longer or shorter than their bits')
}

/** The literals in `range` of `bytes` into `out`. @throws SluiceError CORRUPT_MESSAGE */
export function readHuffmanLiterals(
  table: HuffmanTable,
  source: { readonly bytes: Uint8Array; readonly range: ByteRange; readonly streams: 1 | 4 },
  out: Uint8Array,
): void {
  const { bytes, range, streams } = source
  if (streams === 1) {
    readStream(table, new BackwardBits(bytes, range.from, range.to), out)
    return
  }
  if (range.to - range.from < 6) throw corruptZstd('literals are cut off')
  const share = (out.length + 3) >> 2
  let from = range.from + 6
  for (let n = 0; n < 4; n++) {
    const at = range.from + 2 * n
    const size = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    const to = n === 3 ? range.to : from + size
    if (to > range.to || 3 * share > out.length) throw corruptZstd('literals are cut off')
    const part = out.subarray(n * share, n === 3 ? out.length : (n + 1) * share)
    readStream(table, new BackwardBits(bytes, from, to), part)
    from = to
  }
}

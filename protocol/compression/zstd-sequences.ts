/**
 * Zstd sequences: the second section of a compressed block: so many literals, then so many bytes
 * again from so far back (RFC 8878, 3.1.1.3.2 and 3.1.1.4).
 *
 * Always true: an offset never reaches behind the begin of the frame; no sequence writes beyond the
 * limit that it is given.
 * Called by zstd-block.ts.
 */
import { BackwardBits } from './backward-bits.ts'
import {
  corruptZstd,
  type FseLimits,
  type FseTable,
  fseTable,
  fseTableOf,
  readFseTable,
} from './fse.ts'
import type { ByteRange } from './zstd-huffman.ts'

/** The tables of literal lengths, offsets and match lengths; a block may use those of the last. */
export interface SequenceTables {
  readonly literals: FseTable
  readonly offsets: FseTable
  readonly matches: FseTable
}

interface Kind extends FseLimits {
  readonly predefined: FseTable
}

const ones = (count: number, value = 1): number[] => new Array<number>(count).fill(value)

const literalKind: Kind = {
  maxAccuracy: 9,
  maxSymbol: 35,
  predefined: fseTable(
    [4, 3, ...ones(11, 2), 1, 1, 1, ...ones(9, 2), 3, 2, ...ones(5), ...ones(4, -1)],
    6,
  ),
}
const offsetKind: Kind = {
  maxAccuracy: 8,
  maxSymbol: 31,
  predefined: fseTable([...ones(6), 2, 2, 2, ...ones(15), ...ones(5, -1)], 5),
}
const matchKind: Kind = {
  maxAccuracy: 9,
  maxSymbol: 52,
  predefined: fseTable([1, 4, 3, ...ones(6, 2), ...ones(37), ...ones(7, -1)], 6),
}

/** Bits that follow each code beyond the small ones, which say their number themselves. */
const literalBits = Uint8Array.of(
  ...[...ones(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
)
const matchBits = Uint8Array.of(
  ...[...ones(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5],
  ...[7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
)
const baselinesOf = (bits: Uint8Array, first: number): Int32Array => {
  let next = first
  return Int32Array.from(bits, width => {
    const baseline = next
    next += 2 ** width
    return baseline
  })
}
const literalBase = baselinesOf(literalBits, 0)
const matchBase = baselinesOf(matchBits, 3)
const offsetBase = Float64Array.from({ length: 32 }, (_, code) => 2 ** code)

export interface SequenceHead {
  readonly count: number
  readonly end: number
}

/** @throws SluiceError CORRUPT_MESSAGE */
export function readSequenceCount(bytes: Uint8Array, { from, to }: ByteRange): SequenceHead {
  const [a = 0, b = 0, c = 0] = bytes.subarray(from, Math.min(to, from + 3))
  const length = a < 128 ? 1 : a < 255 ? 2 : 3
  if (from + length > to) throw corruptZstd('a block is cut off')
  const count = a < 128 ? a : a < 255 ? ((a - 128) << 8) + b : b + (c << 8) + 0x7f00
  return { count, end: from + length }
}

/** The tables in their order, and where they end. @throws SluiceError CORRUPT_MESSAGE */
export function readSequenceTables(
  bytes: Uint8Array,
  { from, to }: ByteRange,
  last: SequenceTables | null,
): { readonly tables: SequenceTables; readonly end: number } {
  const modes = from < to ? (bytes[from] as number) : 3
  if ((modes & 3) !== 0) throw corruptZstd('tables of an unknown kind')
  let at = from + 1
  const next = (kind: Kind, mode: number, before: FseTable | undefined): FseTable => {
    const read = readTable(bytes, { from: at, to }, { kind, mode, before })
    at = read.end
    return read.table
  }
  const literals = next(literalKind, modes >> 6, last?.literals)
  const offsets = next(offsetKind, (modes >> 4) & 3, last?.offsets)
  const matches = next(matchKind, (modes >> 2) & 3, last?.matches)
  return { tables: { literals, offsets, matches }, end: at }
}

function readTable(
  bytes: Uint8Array,
  { from, to }: ByteRange,
  wanted: { readonly kind: Kind; readonly mode: number; readonly before: FseTable | undefined },
): { readonly table: FseTable; readonly end: number } {
  const { kind, mode, before } = wanted
  if (mode === 0) return { table: kind.predefined, end: from }
  if (mode === 2) return readFseTable(bytes, { from, to }, kind)
  if (mode === 3) {
    if (before === undefined) throw corruptZstd('a block without tables')
    return { table: before, end: from }
  }
  const symbol = from < to ? (bytes[from] as number) : Infinity
  if (symbol > kind.maxSymbol) throw corruptZstd('a table of an unknown symbol')
  return { table: fseTableOf(symbol), end: from + 1 }
}

/** One sequence after the other, of a block. */
export class SequenceReader {
  readonly #bits: BackwardBits
  readonly #tables: SequenceTables
  #literalState: number
  #offsetState: number
  #matchState: number
  literalLength = 0
  matchLength = 0
  /** As coded: 1 to 3 stand for one of the last offsets. */
  offsetValue = 0

  constructor(bytes: Uint8Array, { from, to }: ByteRange, tables: SequenceTables) {
    const bits = new BackwardBits(bytes, from, to)
    this.#bits = bits
    this.#tables = tables
    this.#literalState = bits.read(tables.literals.accuracy)
    this.#offsetState = bits.read(tables.offsets.accuracy)
    this.#matchState = bits.read(tables.matches.accuracy)
  }

  /** @throws SluiceError CORRUPT_MESSAGE */
  next(isLast: boolean): void {
    const bits = this.#bits
    const { literals, offsets, matches } = this.#tables
    const offsetCode = offsets.symbols[this.#offsetState] as number
    const matchCode = matches.symbols[this.#matchState] as number
    const literalCode = literals.symbols[this.#literalState] as number
    this.offsetValue = (offsetBase[offsetCode] as number) + bits.readLong(offsetCode)
    this.matchLength = (matchBase[matchCode] as number) + bits.read(matchBits[matchCode] as number)
    this.literalLength =
      (literalBase[literalCode] as number) + bits.read(literalBits[literalCode] as number)
    if (!isLast) {
      this.#literalState = nextState(literals, this.#literalState, bits)
      this.#matchState = nextState(matches, this.#matchState, bits)
      this.#offsetState = nextState(offsets, this.#offsetState, bits)
    }
    if (bits.left < 0 || (isLast && bits.left !== 0)) {
      throw corruptZstd('sequences are longer or shorter than their bits')
    }
  }
}

function nextState(table: FseTable, state: number, bits: BackwardBits): number {
  return (table.baselines[state] as number) + bits.read(table.bits[state] as number)
}

/**
 * Fse: Zstandard's finite state entropy tables, from their packed form (RFC 8878, 4.1).
 *
 *   state → symbol, and the next state = baseline + as many bits as the state says
 *
 * Always true: a table covers all its states; what does not add up is CORRUPT_MESSAGE, never a loop
 * without end.
 * Called by zstd-huffman.ts and zstd-sequences.ts.
 */
import { SluiceError } from '../errors.ts'

export interface FseTable {
  /** Bits of the first state. */
  readonly accuracy: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly baselines: Uint16Array
}

export interface FseLimits {
  readonly maxAccuracy: number
  readonly maxSymbol: number
}

const lowestAccuracy = 5

export function corruptZstd(what: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', `The batch's zstd data is malformed: ${what}.`)
}

/** Bits in [from, to), lowest first; behind the end are zeros. */
class ForwardBits {
  readonly #bytes: Uint8Array
  readonly #to: number
  position: number

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes
    this.#to = to
    this.position = from * 8
  }

  peek(count: number): number {
    const at = this.position >> 3
    const bits = this.#byte(at) | (this.#byte(at + 1) << 8) | (this.#byte(at + 2) << 16)
    return (bits >> (this.position & 7)) & ((1 << count) - 1)
  }

  #byte(at: number): number {
    return at < this.#to ? (this.#bytes[at] as number) : 0
  }

  /** Position of the first whole byte that was not touched. @throws where the end was passed */
  end(): number {
    const end = (this.position + 7) >> 3
    if (end > this.#to) throw corruptZstd('a table is cut off')
    return end
  }
}

/**
 * The table that is described from `from` on, and where its description ends.
 * @throws SluiceError CORRUPT_MESSAGE
 */
export function readFseTable(
  bytes: Uint8Array,
  range: { readonly from: number; readonly to: number },
  limits: FseLimits,
): { readonly table: FseTable; readonly end: number } {
  const bits = new ForwardBits(bytes, range.from, range.to)
  const accuracy = bits.peek(4) + lowestAccuracy
  bits.position += 4
  if (accuracy > limits.maxAccuracy) throw corruptZstd(`a table of accuracy ${accuracy}`)
  const shares = readShares(bits, accuracy, limits.maxSymbol)
  return { table: fseTable(shares, accuracy), end: bits.end() }
}

/** How many of the 2^accuracy states each symbol has; −1 = less than one, which is one. */
function readShares(bits: ForwardBits, accuracy: number, maxSymbol: number): number[] {
  const shares: number[] = []
  let left = (1 << accuracy) + 1
  while (left > 1) {
    if (shares.length > maxSymbol) throw corruptZstd('a table of too many symbols')
    const share = readShare(bits, left)
    shares.push(share)
    left -= Math.abs(share)
    if (left < 1) throw corruptZstd('a table of too many states')
    if (share === 0) readZeros(bits, shares, maxSymbol)
  }
  return shares
}

/** A number from −1 to left − 1, in as few bits as tell it. */
function readShare(bits: ForwardBits, left: number): number {
  const width = 32 - Math.clz32(left)
  const half = 1 << (width - 1)
  const short = 2 * half - 1 - left
  const value = bits.peek(width)
  const low = value & (half - 1)
  if (low < short) {
    bits.position += width - 1
    return low - 1
  }
  bits.position += width
  return (value >= half ? value - short : value) - 1
}

/** After a symbol without states: how many more follow, three at a time. */
function readZeros(bits: ForwardBits, shares: number[], maxSymbol: number): void {
  for (let more = 3; more === 3; ) {
    more = bits.peek(2)
    bits.position += 2
    for (let i = 0; i < more; i++) shares.push(0)
    if (shares.length > maxSymbol + 1) throw corruptZstd('a table of too many symbols')
  }
}

/** @throws SluiceError CORRUPT_MESSAGE where the shares do not fill the table */
export function fseTable(shares: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy
  const symbols = new Uint8Array(size)
  const next = new Uint16Array(shares.length)
  spread(shares, symbols, next)
  const bits = new Uint8Array(size)
  const baselines = new Uint16Array(size)
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number
    const turn = next[symbol] as number
    next[symbol] = turn + 1
    const width = accuracy - (31 - Math.clz32(turn))
    bits[state] = width
    baselines[state] = (turn << width) - size
  }
  return { accuracy, symbols, bits, baselines }
}

/** Gives each symbol its states: rare ones from the end, the others in steps all over the table. */
function spread(shares: readonly number[], symbols: Uint8Array, next: Uint16Array): void {
  const size = symbols.length
  let highest = size - 1
  let total = 0
  shares.forEach((share, symbol) => {
    total += Math.abs(share)
    next[symbol] = Math.abs(share)
    if (share === -1 && highest >= 0) symbols[highest--] = symbol
  })
  if (total !== size) throw corruptZstd('a table that its symbols do not fill')
  const step = (size >> 1) + (size >> 3) + 3
  let position = 0
  shares.forEach((share, symbol) => {
    for (let i = 0; i < share; i++) {
      symbols[position] = symbol
      // The step and the size have no factor in common, so all positions come by.
      do position = (position + step) & (size - 1)
      while (position > highest)
    }
  })
}

/** The table of one symbol, which takes no bits. */
export function fseTableOf(symbol: number): FseTable {
  const bits = new Uint8Array(1)
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits, baselines: new Uint16Array(1) }
}

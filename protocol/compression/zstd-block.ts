/**
 * Zstd block: one compressed block: its literals, and the sequences that mix them with what is
 * there (RFC 8878, 3.1.1.3).
 *
 * Always true: a block gives 1 byte to 128 KiB; trees, tables and last offsets go from block to
 * block of a frame, never to another frame.
 * Called by zstd.ts.
 */
import { corruptZstd } from './fse.ts'
import type { ByteRange, HuffmanTable } from './zstd-huffman.ts'
import { mostBlockBytes, readLiterals } from './zstd-literals.ts'
import type { ZstdOutput } from './zstd-output.ts'
import {
  readSequenceCount,
  readSequenceTables,
  SequenceReader,
  type SequenceTables,
} from './zstd-sequences.ts'

export class BlockReader {
  readonly #out: ZstdOutput
  #tree: HuffmanTable | null = null
  #tables: SequenceTables | null = null
  #lastOffset = 1
  #secondOffset = 4
  #thirdOffset = 8

  constructor(out: ZstdOutput) {
    this.#out = out
  }

  /** The compressed block in `range`. @throws SluiceError CORRUPT_MESSAGE */
  read(bytes: Uint8Array, range: ByteRange): void {
    const start = this.#out.length
    const literals = readLiterals(bytes, range, this.#tree)
    this.#tree = literals.tree
    const { count, end } = readSequenceCount(bytes, { from: literals.end, to: range.to })
    const used =
      count === 0
        ? 0
        : this.#sequences(bytes, { from: end, to: range.to }, { count, literals: literals.bytes })
    if (count === 0 && end !== range.to) throw corruptZstd('bytes follow a block')
    this.#out.append(literals.bytes, used, literals.bytes.length)
    const size = this.#out.length - start
    if (size === 0 || size > mostBlockBytes) throw corruptZstd(`a block of ${size} bytes`)
  }

  /** Answers how many of the literals they took. */
  #sequences(
    bytes: Uint8Array,
    range: ByteRange,
    { count, literals }: { readonly count: number; readonly literals: Uint8Array },
  ): number {
    const { tables, end } = readSequenceTables(bytes, range, this.#tables)
    this.#tables = tables
    const reader = new SequenceReader(bytes, { from: end, to: range.to }, tables)
    const out = this.#out
    const limit = out.length + mostBlockBytes
    let used = 0
    for (let n = 1; n <= count; n++) {
      reader.next(n === count)
      const { literalLength, matchLength, offsetValue } = reader
      const isWithin = out.length + literalLength + matchLength <= limit
      if (!isWithin || used + literalLength > literals.length) {
        throw corruptZstd('a block is larger than a block may be')
      }
      out.append(literals, used, used + literalLength)
      used += literalLength
      out.copy(this.#offset(offsetValue, literalLength === 0), matchLength)
    }
    return used
  }

  /** The offset that is meant; it is the last one from now on. */
  #offset(value: number, isWithoutLiterals: boolean): number {
    const which = isWithoutLiterals ? value + 1 : value
    if (value <= 3 && which === 1) return this.#lastOffset
    const offset = value > 3 ? value - 3 : this.#repeated(which)
    if (value > 3 || which > 2) this.#thirdOffset = this.#secondOffset
    this.#secondOffset = this.#lastOffset
    this.#lastOffset = offset
    return offset
  }

  #repeated(which: number): number {
    if (which === 2) return this.#secondOffset
    return which === 3 ? this.#thirdOffset : this.#lastOffset - 1
  }
}

/**
 * Transactions: which records of a log belong to aborted and to open transactions. Sluice appends
 * none, so they are those of the log that was copied in, found once by reading it through.
 *
 *   p7: a a     a [abort]       aborted, from its first record to its marker
 *   p8:   b b       [commit]    nothing to remember
 *   p9:       c     c           open: nothing from its first record on is stable
 *
 * Always true: aborted ones lie in order of their last offset; a log without the file has no
 * transactions; the file is on disk before a checkpoint knows the log.
 * Found by log-recovery.ts, read by log-load.ts, asked by log-reader.ts.
 */
import type { BatchHeader } from '../../protocol/records/batch-header.ts'
import { readControlBatch } from '../../protocol/records/control-record.ts'
import type { Compression } from '../../protocol/world.ts'
import type { Disk } from '../world/disk.ts'
import { readCheckedFile, writeCheckedFile } from './checked-file.ts'
import { kindAt, transactionsName } from './file-names.ts'
import { integer, listOf, objectOf, tupleOf, whole } from './stored-shape.ts'
import type { AbortedTransaction } from './types.ts'

const version = 1

export interface TransactionRange extends AbortedTransaction {
  /** Its abort marker, or the last record of an open one. */
  readonly lastOffset: number
}

type Row = readonly [producerId: number, firstOffset: number, lastOffset: number]

interface Stored {
  readonly aborted: readonly Row[]
  readonly open: readonly Row[]
}

export class Transactions {
  readonly aborted: readonly TransactionRange[]
  readonly open: readonly TransactionRange[]

  constructor(aborted: readonly TransactionRange[] = [], open: readonly TransactionRange[] = []) {
    this.aborted = aborted
    this.open = open
  }

  /** Aborted ones that touch [from, to). */
  abortedBetween(from: number, to: number): AbortedTransaction[] {
    return this.aborted
      .filter(range => range.lastOffset >= from && range.firstOffset < to)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
  }

  /**
   * The last stable offset. What lies wholly below the log start holds nothing back any more:
   * nobody is left to end it.
   */
  stableEnd(log: { readonly logStartOffset: number; readonly highWatermark: number }): number {
    let end = log.highWatermark
    for (const { firstOffset, lastOffset } of this.open) {
      if (lastOffset >= log.logStartOffset) end = Math.min(end, firstOffset)
    }
    return Math.max(end, log.logStartOffset)
  }
}

/** Follows the batches of a log from its first one on. */
export class TransactionFold {
  readonly #compression: Compression
  readonly #open = new Map<number, TransactionRange>()
  readonly #aborted: TransactionRange[] = []
  /** A transactional batch or a marker was there. */
  sawAny = false

  constructor(compression: Compression) {
    this.#compression = compression
  }

  /** `bytes` holds the whole batch. */
  add(header: BatchHeader, bytes: Uint8Array): void {
    if (!header.isTransactional) return
    this.sawAny = true
    const { producerId, baseOffset, lastOffset } = header
    const open = this.#open.get(producerId)
    if (!header.isControl) {
      const firstOffset = open?.firstOffset ?? baseOffset
      this.#open.set(producerId, { producerId, firstOffset, lastOffset })
      return
    }
    const type = this.#markerType(header, bytes)
    if (type === 'other') return
    this.#open.delete(producerId)
    // A marker without records ends a transaction that wrote none here, or only below the log
    // start: there is nothing to hide.
    if (type === 'abort' && open !== undefined) this.#aborted.push({ ...open, lastOffset })
  }

  /** What cannot be read ends nothing: records of the transaction then stay hidden. */
  #markerType(header: BatchHeader, bytes: Uint8Array): 'abort' | 'commit' | 'other' {
    try {
      return readControlBatch(bytes, header, this.#compression).type
    } catch {
      return 'other'
    }
  }

  get found(): Transactions {
    return new Transactions(this.#aborted, [...this.#open.values()])
  }
}

const rows = listOf(tupleOf(integer, whole, whole))
const shape = { version, fits: objectOf({ aborted: rows, open: rows }) }
const at = (directory: string) => ({
  directory,
  name: transactionsName,
  kind: kindAt('transactions', directory, transactionsName),
  shape,
})

/**
 * Makes what was found durable. A log that has none gets no file, unless `always`: the next start
 * does not look again, so nothing here may be put off until there is room.
 * @throws DiskError
 */
export async function keepTransactions(
  disk: Disk,
  directory: string,
  { found, sawAny }: TransactionFold,
  always: boolean,
): Promise<void> {
  if (!sawAny && !always) return disk.removeFile(`${directory}/${transactionsName}`)
  const { aborted, open } = found
  const stored: Stored = { aborted: aborted.map(toRow), open: open.map(toRow) }
  await writeCheckedFile(disk, at(directory), version, stored)
}

/** `damaged` also stands for a version that is not known here: the log tells it again. */
export async function readTransactions(
  disk: Disk,
  directory: string,
): Promise<Transactions | 'missing' | 'damaged'> {
  const read = await readCheckedFile(disk, at(directory))
  if (read.state === 'missing') return 'missing'
  if (read.state === 'damaged' || read.version !== version) return 'damaged'
  const { aborted, open } = read.value as Stored
  return new Transactions(aborted.map(toRange), open.map(toRange))
}

function toRow({ producerId, firstOffset, lastOffset }: TransactionRange): Row {
  return [producerId, firstOffset, lastOffset]
}

function toRange([producerId, firstOffset, lastOffset]: Row): TransactionRange {
  return { producerId, firstOffset, lastOffset }
}

/**
 * Transaction index: aborted transactions of a log that Kafka wrote, from its .txnindex files.
 * Sluice writes no transactions yet, so nothing is ever added.
 *
 *   entry: i16 version 0 | i64 producer id | i64 first offset | i64 last offset | i64 last stable offset   big-endian
 *
 * Always true: entries lie in order of their last offset.
 * Source of the form: Apache Kafka, AbortedTxn.
 * Called by log-load.ts; asked by log-reader.ts for readers with isolation `committed`.
 */
import type { Disk } from '../world/disk.ts'
import { readWholeFile } from './checked-file.ts'
import { segmentFileName } from './file-names.ts'
import type { AbortedTransaction } from './types.ts'

const entryBytes = 34

export interface AbortedRange extends AbortedTransaction {
  readonly lastOffset: number
}

export function decodeTransactionIndex(bytes: Uint8Array): AbortedRange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ranges: AbortedRange[] = []
  for (let at = 0; at + entryBytes <= bytes.byteLength; at += entryBytes) {
    if (view.getInt16(at) !== 0) break
    ranges.push({
      producerId: Number(view.getBigInt64(at + 2)),
      firstOffset: Number(view.getBigInt64(at + 10)),
      lastOffset: Number(view.getBigInt64(at + 18)),
    })
  }
  return ranges
}

export async function readAbortedRanges(
  disk: Disk,
  directory: string,
  baseOffsets: readonly number[],
): Promise<AbortedRange[]> {
  const ranges: AbortedRange[] = []
  for (const baseOffset of baseOffsets) {
    const path = `${directory}/${segmentFileName(baseOffset, 'txnindex')}`
    const bytes = await readWholeFile(disk, path)
    if (bytes !== null) ranges.push(...decodeTransactionIndex(bytes))
  }
  return ranges
}

/** Those that touch [from, to). */
export function abortedBetween(
  ranges: readonly AbortedRange[],
  from: number,
  to: number,
): AbortedTransaction[] {
  return ranges
    .filter(range => range.lastOffset >= from && range.firstOffset < to)
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

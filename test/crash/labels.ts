/**
 * Labels: what the records of the crash lane say of themselves, so that a reader can tell from any
 * record alone whether it is the right one.
 *
 *   value  "2.0.7..........."   topic incarnation 2, after 0 kills, offset 7
 *   label  "2.0"                the value without what follows from the offset
 *
 * Always true: value and timestamp follow from label and offset.
 * Called by machine.ts (writes) and examine.ts (reads).
 */
import { type BatchHeader, checkBatch } from '../../protocol/records/batch-header.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { readRecords } from '../../protocol/records/record-reader.ts'
import { compression } from '../support/storage-fixture.ts'

export const valueAt = (label: string, offset: number, valueBytes: number): string =>
  `${label}.${offset}`.padEnd(valueBytes, '.')

/** Later records may be older, so that a look-up by time has something to find. */
export const timestampOf = (offset: number): number => 1_000_000 + (offset ^ 1) * 10

const decoder = new TextDecoder()

/** The label of each record of a fetched body; throws where anything is not as it was written. */
export function readLabels(body: Uint8Array, from: number): { labels: string[]; epoch: number } {
  const labels: string[] = []
  let next = from
  let epoch = -1
  for (const { batch } of eachBatch(body)) {
    const header = checkBatch(batch)
    if (header.lastOffset < next) throw new Error(`a batch below offset ${next} was served`)
    if (header.leaderEpoch < epoch) throw new Error(`epoch ${header.leaderEpoch} after ${epoch}`)
    epoch = header.leaderEpoch
    labels.push(...labelsOf(batch, header, next))
    next = header.lastOffset + 1
  }
  return { labels, epoch }
}

function labelsOf(batch: Uint8Array, { baseOffset }: BatchHeader, from: number): string[] {
  const labels: string[] = []
  for (const [at, record] of readRecords(batch, compression).entries()) {
    const { offset, timestamp, value } = record
    const text = decoder.decode(value ?? new Uint8Array(0))
    const match = /^(\d+\.\d+)\.(\d+)\.*$/.exec(text)
    const isRight =
      offset === baseOffset + at &&
      match?.[2] === String(offset) &&
      timestamp === timestampOf(offset)
    if (!isRight) throw new Error(`at offset ${offset} the record says ${text} @${timestamp}`)
    if (offset >= from) labels.push(match?.[1] ?? '')
  }
  return labels
}

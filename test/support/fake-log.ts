/**
 * Fake log: the batches of one partition of the fake broker, with Kafka's sequence rules.
 *
 * Always true: batches are checked, stamped with offset and epoch, and kept byte for byte.
 * Used by fake-broker.ts and by tests that look into the log.
 */
import {
  asSluiceError,
  type ErrorCode,
  SluiceError,
  type WireError,
} from '../../protocol/errors.ts'
import {
  type BatchHeader,
  checkProducedBatch,
  patchBatch,
  readBatchHeader,
} from '../../protocol/records/batch-header.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record-reader.ts'
import type { Compression } from '../../protocol/world.ts'

const wireError = (code: ErrorCode): WireError => new SluiceError(code, `fake: ${code}`).toJSON()

interface ProducerState {
  epoch: number
  batches: { sequence: number; count: number; baseOffset: number }[]
}
interface StoredBatch {
  bytes: Uint8Array
  header: BatchHeader
}
export interface Appended {
  error?: WireError
  baseOffset?: number
  duplicate?: number
  reached?: 'fsynced'
}

export class FakeLog {
  batches: StoredBatch[] = []
  producers = new Map<number, ProducerState>()
  waiters: (() => void)[] = []
  epoch = 0
  logStart = 0
  aborted: { producerId: number; firstOffset: number }[] = []
  /** Set by tests: an open transaction begins here. */
  openFrom: number | undefined
  /** Set by tests: epoch of the log's history at each truncation. */
  diverging: { epoch: number; endOffset: number } | undefined

  get end(): number {
    const last = this.batches.at(-1)
    return last === undefined ? this.logStart : last.header.lastOffset + 1
  }

  append(produced: Uint8Array): Appended {
    let header: BatchHeader
    try {
      header = checkProducedBatch(produced)
    } catch (error) {
      return { error: asSluiceError(error).toJSON() }
    }
    const verdict = this.#checkSequence(header)
    if (verdict !== undefined) return verdict
    const baseOffset = this.end
    this.store(produced)
    this.#remember(header, baseOffset)
    return { baseOffset, reached: 'fsynced' }
  }

  /** Appends a batch without any check. */
  store(produced: Uint8Array): void {
    const bytes = produced.slice()
    patchBatch(bytes, this.end, this.epoch)
    this.batches.push({ bytes, header: readBatchHeader(bytes) })
    for (const wake of this.waiters.splice(0)) wake()
  }

  #checkSequence({ producerId, producerEpoch, baseSequence }: BatchHeader): Appended | undefined {
    if (producerId < 0) return undefined
    const state = this.producers.get(producerId)
    if (state === undefined) {
      return baseSequence === 0 ? undefined : { error: wireError('UNKNOWN_PRODUCER_ID') }
    }
    if (producerEpoch < state.epoch) return { error: wireError('INVALID_PRODUCER_EPOCH') }
    if (producerEpoch > state.epoch) {
      return baseSequence === 0 ? undefined : { error: wireError('OUT_OF_ORDER_SEQUENCE_NUMBER') }
    }
    const same = state.batches.find(batch => batch.sequence === baseSequence)
    if (same !== undefined) {
      return { baseOffset: same.baseOffset, duplicate: 1, reached: 'fsynced' }
    }
    const last = state.batches.at(-1)
    const expected = last === undefined ? 0 : (last.sequence + last.count) % 2 ** 31
    if (baseSequence === expected) return undefined
    const code = baseSequence < expected ? 'DUPLICATE_SEQUENCE_NUMBER' : undefined
    return { error: wireError(code ?? 'OUT_OF_ORDER_SEQUENCE_NUMBER') }
  }

  #remember(header: BatchHeader, baseOffset: number): void {
    const { producerId, producerEpoch, baseSequence: sequence, recordCount: count } = header
    if (producerId < 0) return
    const known = this.producers.get(producerId)
    const batches = known?.epoch === producerEpoch ? known.batches : []
    batches.push({ sequence, count, baseOffset })
    this.producers.set(producerId, { epoch: producerEpoch, batches: batches.slice(-5) })
  }

  read(
    { offset, lastEpoch }: { offset: number; lastEpoch?: number },
    credit: { maxBytes: number; isFirst: boolean },
  ): { header: Record<string, unknown>; bytes: Uint8Array } {
    const { openFrom } = this
    const stable = openFrom !== undefined && { lastStableOffset: openFrom }
    const header = { logStartOffset: this.logStart, highWatermark: this.end, ...stable }
    const none = new Uint8Array(0)
    const { diverging } = this
    const isOld = lastEpoch !== undefined && diverging !== undefined && lastEpoch <= diverging.epoch
    if (isOld && offset > diverging.endOffset) {
      return { header: { error: wireError('OFFSET_OUT_OF_RANGE'), diverging }, bytes: none }
    }
    if (offset < this.logStart || offset > this.end) {
      return { header: { ...header, error: wireError('OFFSET_OUT_OF_RANGE') }, bytes: none }
    }
    const parts: Uint8Array[] = []
    let sum = 0
    for (const batch of this.batches) {
      if (batch.header.lastOffset < offset) continue
      if (batch.header.lastOffset >= (openFrom ?? Infinity)) break
      const fits = sum + batch.bytes.length <= credit.maxBytes
      if (!fits && (sum > 0 || !credit.isFirst)) break
      sum += batch.bytes.length
      parts.push(batch.bytes)
    }
    const aborted = this.aborted.length > 0 && { abortedTransactions: this.aborted }
    return { header: { ...header, ...aborted }, bytes: Buffer.concat(parts) }
  }

  findOffset(at: string, timestamp = 0): { offset?: number; timestamp?: number } {
    if (at === 'earliest') return { offset: this.logStart }
    if (at !== 'timestamp') return { offset: this.end }
    const found = this.batches.find(batch => batch.header.maxTimestamp >= timestamp)
    if (found === undefined) return {}
    return { offset: found.header.baseOffset, timestamp: found.header.baseTimestamp }
  }

  records(compression: Compression): StoredRecord[] {
    return this.batches.flatMap(batch => readRecords(batch.bytes, compression))
  }

  values(compression: Compression): string[] {
    return this.records(compression).map(record => Buffer.from(record.value ?? []).toString())
  }
}

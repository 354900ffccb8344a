/**
 * Answer batches: the batches of one partition in a fetch answer, checked before anything uses
 * them.
 *
 * Always true: within a body each batch begins where the one before it ended; nothing goes back;
 * the leader epoch never falls; a batch whose checksum is wrong is not shown (storage.md S13). What
 * fails here is fetched again.
 * Called by fetcher.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { checkBatch } from '../../protocol/records/batch-header.ts'
import { eachBatch } from '../../protocol/records/batches.ts'
import { readControlBatch } from '../../protocol/records/control-record.ts'
import type { Compression } from '../../protocol/world.ts'
import type { ResponseHeader } from '../cluster/broker-session.ts'
import type { FetchedBatch } from './partition-reader.ts'

export type FetchAnswer = ResponseHeader<'fetch'>['partitions'][number]
type Aborted = NonNullable<FetchAnswer['abortedTransactions']>

export interface AnswerOptions {
  /** The offset that was asked for. */
  readonly offset: number
  readonly lastEpoch: number | undefined
  readonly checkCrc: boolean
  readonly compression: Compression
}

/** Which producers' records are those of an aborted transaction, batch after batch. */
class AbortedFilter {
  readonly #pending: Aborted
  readonly #active = new Set<number>()
  readonly #compression: Compression

  constructor(aborted: Aborted, compression: Compression) {
    this.#pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
    this.#compression = compression
  }

  hides({ bytes, header }: Pick<FetchedBatch, 'bytes' | 'header'>): boolean {
    let first = this.#pending[0]
    while (first !== undefined && first.firstOffset <= header.lastOffset) {
      this.#active.add(first.producerId)
      this.#pending.shift()
      first = this.#pending[0]
    }
    if (!header.isControl) return header.isTransactional && this.#active.has(header.producerId)
    if (this.#active.has(header.producerId)) {
      const { type } = readControlBatch(bytes, header, this.#compression)
      if (type === 'abort') this.#active.delete(header.producerId)
    }
    return true
  }
}

/** @throws SluiceError CORRUPT_MESSAGE, UNSUPPORTED_FOR_MESSAGE_FORMAT */
export function answerBatches(
  answer: FetchAnswer,
  bodies: readonly Uint8Array[],
  options: AnswerOptions,
): FetchedBatch[] {
  const filter = new AbortedFilter(answer.abortedTransactions ?? [], options.compression)
  const batches: FetchedBatch[] = []
  let expected = options.offset
  let epoch = options.lastEpoch ?? -1
  for (const body of bodies) {
    let covered = 0
    for (const { batch: bytes, header: unchecked } of eachBatch(body)) {
      const header = options.checkCrc ? checkBatch(bytes) : unchecked
      const { baseOffset, lastOffset, leaderEpoch } = header
      // Between bodies, and before the first one, offsets may be missing: compaction and trimming
      // take them.
      const isFirst = covered === 0
      if (lastOffset < expected || (!isFirst && baseOffset !== expected)) {
        throw outOfPlace(`offsets ${baseOffset} to ${lastOffset} where ${expected} comes next`)
      }
      if (leaderEpoch < epoch) throw outOfPlace(`epoch ${leaderEpoch} after epoch ${epoch}`)
      // A batch may begin below what was asked for, or was given by the body before: that is past.
      const from = Math.max(baseOffset, expected)
      const next = lastOffset + 1
      const highWatermark = answer.highWatermark ?? next
      const isHidden = filter.hides({ bytes, header })
      batches.push({ bytes, header, from, next, isHidden, highWatermark })
      expected = next
      epoch = leaderEpoch
      covered += bytes.length
    }
    if (covered !== body.length) throw outOfPlace('a batch is cut off')
  }
  return batches
}

function outOfPlace(what: string): SluiceError {
  return new SluiceError('CORRUPT_MESSAGE', `the answer does not hold together: ${what}`)
}

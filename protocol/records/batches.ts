/**
 * Batches: the whole batches in a run of bytes, as a fetch answer or a segment holds them.
 *
 * Always true: a batch that is cut off at the end of the bytes is not returned, and everything
 * before it is; the batches are views. Neither CRC nor records are checked here.
 * Called by the SDK's consumer and by tools.
 */
import { SluiceError } from '../errors.ts'
import {
  type BatchHeader,
  batchOverheadBytes,
  batchSizeAt,
  readBatchHeader,
} from './batch-header.ts'

export interface LocatedBatch {
  /** Of the batch's first byte in the run. */
  readonly position: number
  readonly batch: Uint8Array
  readonly header: BatchHeader
}

/**
 * Each whole batch in order; ends before a last one that is cut off.
 * @throws SluiceError CORRUPT_MESSAGE where the bytes are no batch, UNSUPPORTED_FOR_MESSAGE_FORMAT
 */
export function* eachBatch(bytes: Uint8Array): Generator<LocatedBatch, void, undefined> {
  let position = 0
  while (position + batchOverheadBytes <= bytes.length) {
    const sizeBytes = batchSizeAt(bytes, position)
    if (sizeBytes < 0) {
      throw new SluiceError('CORRUPT_MESSAGE', `At byte ${position} there is no record batch.`)
    }
    if (position + sizeBytes > bytes.length) return
    const batch = bytes.subarray(position, position + sizeBytes)
    yield { position, batch, header: readBatchHeader(batch) }
    position += sizeBytes
  }
}

/**
 * Send error: what sendAll() rejects with: the first failure, and the result of each record.
 *
 * Always true: `results` has one entry per record given, in order: its ack, or the error that it
 * met.
 * Thrown by topic-handle.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RecordAck } from '../types/producing.ts'

export class SendError extends SluiceError {
  /** In the order of the records. */
  readonly results: readonly (RecordAck | SluiceError)[]

  constructor(first: SluiceError, results: readonly (RecordAck | SluiceError)[]) {
    const failed = results.filter(result => SluiceError.is(result))
    const message = `${failed.length} of ${results.length} records failed: ${first.message}`
    super(first.code, message, {
      cause: first,
      maybeApplied: failed.some(error => error.maybeApplied),
      ...(first.hint !== undefined && { hint: first.hint }),
      ...(first.topic !== undefined && { topic: first.topic }),
    })
    this.results = results
  }
}

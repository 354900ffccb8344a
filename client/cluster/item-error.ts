/**
 * Item error: the error of one item of an answer (a partition, a topic) as a SluiceError.
 *
 * Always true: the broker's own words and `maybeApplied` are kept.
 * Called by everything in client/ that reads answers.
 */
import { SluiceError, type WireError } from '../../protocol/errors.ts'
import type { ResponseHeader } from './broker-session.ts'

export type ItemError = NonNullable<ResponseHeader<'produce'>['partitions'][number]['error']>

export function itemErrorOf(error: ItemError): SluiceError {
  // JSON holds no undefined, so the optional fields of both types say the same.
  return SluiceError.fromJSON(error as WireError)
}

/**
 * The same error, with another `maybeApplied` and, where they were missing, the partition's names.
 */
export function withOutcome(
  error: SluiceError,
  maybeApplied: boolean,
  place: { topic: string; partition?: number },
): SluiceError {
  return new SluiceError(error.code, error.message, {
    maybeApplied,
    cause: error.cause ?? error,
    topic: error.topic ?? place.topic,
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(place.partition !== undefined && { partition: place.partition }),
    ...(error.broker !== undefined && { broker: error.broker }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  })
}

/**
 * Answer errors: what a broker's answer says went wrong, and what to say of an answer that is none.
 *
 * Always true: a peer that breaks the protocol gives PROTOCOL_MISMATCH, whatever it sent.
 * Used by request-channel.ts.
 */
import { asSluiceError, SluiceError, type WireError } from '../errors.ts'
import { itemError } from '../messages/common.ts'
import type { Field } from '../messages/define.ts'

const errorField: Field<unknown> = itemError()

export function malformedAnswer(what: string, peer: string, cause?: unknown): SluiceError {
  const detail = cause === undefined ? '' : `: ${asSluiceError(cause).message}`
  return new SluiceError('PROTOCOL_MISMATCH', `malformed ${what} from ${peer}${detail}`, {
    hint: 'the peer is not a Sluice broker, or of a version that this client does not know',
    cause,
  })
}

/** The SluiceError in a response's `error`. */
export function answerError(error: unknown, peer: string): SluiceError {
  try {
    errorField.check(error, 'error')
  } catch (broken) {
    return malformedAnswer('error', peer, broken)
  }
  return SluiceError.fromJSON(error as WireError)
}

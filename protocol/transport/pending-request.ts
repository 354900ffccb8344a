/**
 * Pending request: one request from the moment it was made until it settled.
 *
 * Always true: it settles once; a failure whose outcome nobody knows says `maybeApplied` exactly
 * when the request may change something and had been sent.
 * Used by request-channel.ts.
 */
import { SluiceError } from '../errors.ts'
import { encodeFrame, type FrameHeader } from '../frame.ts'
import { type ApiName, apis } from '../messages/apis.ts'

/** Apis that change nothing: an unknown outcome of theirs is never `maybeApplied`. */
const readApis: ReadonlySet<ApiName> = new Set<ApiName>([
  'hello',
  'fetch',
  'list-offsets',
  'metadata',
  'describe-configs',
  'describe-log',
])

export const isReadApi = (api: ApiName): boolean => readApis.has(api)

export interface CheckedAnswer {
  readonly response: FrameHeader
  readonly bodies: Uint8Array[]
}

export interface Pending {
  readonly api: ApiName
  readonly isWrite: boolean
  readonly timeoutMs: number
  readonly deadlineMs: number
  header: FrameHeader
  /** Let go of once sent: an abandoned request must not hold megabytes. */
  bodies: readonly Uint8Array[]
  isSent: boolean
  isSettled: boolean
  resolve(answer: CheckedAnswer): void
  reject(error: SluiceError): void
  forgetSignal: (() => void) | null
}

/** False where it had settled before. */
function claim(pending: Pending): boolean {
  if (pending.isSettled) return false
  pending.isSettled = true
  pending.forgetSignal?.()
  return true
}

export function fulfil(pending: Pending, answer: CheckedAnswer): void {
  if (claim(pending)) pending.resolve(answer)
}

/** The broker refused: it knows the outcome, so its `maybeApplied` stands. */
export function refuse(pending: Pending, error: SluiceError): void {
  if (claim(pending)) pending.reject(error)
}

/** No answer will be believed or waited for: the outcome is open if the request was on its way. */
export function abandon(pending: Pending, error: SluiceError): void {
  if (!claim(pending)) return
  const maybeApplied = pending.isWrite && pending.isSent
  const { code, message, cause, hint } = error
  const own = new SluiceError(code, message, {
    maybeApplied,
    cause,
    ...(hint !== undefined && { hint }),
  })
  pending.reject(own)
}

export function requestFrame(
  id: number,
  api: ApiName,
  header: FrameHeader,
  bodies: readonly Uint8Array[],
): Uint8Array[] {
  return encodeFrame({ id, api, v: apis[api].versions[1], ...header }, bodies)
}

export const aborted = (signal: AbortSignal): SluiceError =>
  new SluiceError('ABORTED', 'the caller aborted the request', { cause: signal.reason })

export function timedOut({ api, timeoutMs, isSent }: Pending, peer: string): SluiceError {
  const what = isSent ? 'no answer' : 'not even sent'
  const message = `${api} to ${peer}: ${what} after ${timeoutMs} ms`
  return new SluiceError('REQUEST_TIMED_OUT', message)
}

/**
 * Dial errors: what to tell whoever could not connect. Pure: from a failed step to a SluiceError.
 *
 * Always true: the message names the URL and the step that failed (DNS, TCP, TLS, HTTP upgrade);
 * NETWORK_ERROR may pass by itself, PROTOCOL_MISMATCH means that something else than a Sluice
 * broker answers there.
 * Called by websocket.ts.
 */
import { SluiceError } from '../errors.ts'
import { isLoopbackName } from './upgrade-rules.ts'

export type DialStep = 'DNS lookup' | 'TCP connect' | 'TLS handshake' | 'HTTP upgrade'

export interface DialTarget {
  readonly url: string
  readonly isSecure: boolean
  /** Nobody between the two ends can be fooled by chosen bytes, so frames need no random mask. */
  readonly isTrustedPath: boolean
  readonly firstStep: DialStep
}

const isAddress = (hostname: string): boolean =>
  hostname.startsWith('[') || /^[\d.]+$/.test(hostname)

/** @throws SluiceError INVALID_ARGUMENT unless ws:// or wss://, without credentials or fragment. */
export function requireDialTarget(url: string): DialTarget {
  const parsed = URL.canParse(url) ? new URL(url) : null
  const isSecure = parsed?.protocol === 'wss:'
  if (parsed === null || (parsed.protocol !== 'ws:' && !isSecure)) throw badUrl(url)
  if (parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') throw badUrl(url)
  return {
    url,
    isSecure,
    isTrustedPath: isSecure || isLoopbackName(parsed.hostname),
    firstStep: isAddress(parsed.hostname) ? 'TCP connect' : 'DNS lookup',
  }
}

const badUrl = (url: string): SluiceError =>
  new SluiceError('INVALID_ARGUMENT', `"${url}" is not the URL of a broker`, {
    hint: 'write ws://host:port or wss://host:port',
  })

const startHint = 'is a broker running there? "sluice start" starts one'

export function dialTimeout(url: string, step: DialStep, timeoutMs: number): SluiceError {
  const message = `cannot connect to ${url}: ${step} not done after ${timeoutMs} ms`
  return new SluiceError('NETWORK_ERROR', message, { hint: startHint })
}

/** For an error event before the connection was open. */
export function dialError(url: string, step: DialStep, error: Error): SluiceError {
  const code = (error as { code?: unknown }).code
  // ws's own complaints about the handshake carry no code; HPE_ is "this is not HTTP".
  if (typeof code !== 'string' || code.startsWith('HPE_')) {
    return new SluiceError('PROTOCOL_MISMATCH', `${url} is not a Sluice broker: ${textOf(error)}`, {
      hint: 'something else answers there; check host and port',
      cause: error,
    })
  }
  const message = `cannot connect to ${url}: ${step} failed: ${textOf(error)}`
  return new SluiceError('NETWORK_ERROR', message, { hint: startHint, cause: error })
}

/** For an ordinary HTTP answer instead of an upgrade; 5xx may pass (a broker full or stopping). */
export function dialRefused(url: string, status: number, reason: string): SluiceError {
  const detail = reason === '' ? `HTTP status ${status}` : `HTTP status ${status}: ${reason}`
  if (status >= 500) {
    return new SluiceError('NETWORK_ERROR', `cannot connect to ${url}: ${detail}`, {
      hint: 'the broker, or a proxy before it, takes no connections at the moment',
    })
  }
  return new SluiceError('PROTOCOL_MISMATCH', `${url} is not a Sluice broker: ${detail}`, {
    hint: 'something else answers there, or it refuses this client; check host and port',
  })
}

/** A name with several addresses fails with one error per address and an empty message. */
function textOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(e => textOf(e as Error)).join('; ')
  return error.message
}

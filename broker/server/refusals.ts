/**
 * Refusals: which of a few kinds a refused connection is, from the line that the transport gives.
 *
 * Always true: the answer is one of a fixed list, so that no peer can make labels up.
 * Used by the listener, for a metric.
 */
import type { RefusalReason } from '../metrics/connection-counts.ts'

/** First match wins. */
const kinds: readonly (readonly [RegExp, RefusalReason])[] = [
  [/^limit of .* from one address/, 'address_limit'],
  [/^limit of |^too many |^cannot accept/, 'limit'],
  [/^the broker is /, 'not_ready'],
  [/^Origin /, 'origin'],
  [/^Host /, 'host'],
  [/^no complete request|in time$/, 'slow'],
  [/^HTTP method|^not HTTP|subprotocol|upgrade|websocket|headers too large/i, 'protocol'],
]

export function refusalKind(reason: string): RefusalReason {
  return kinds.find(([pattern]) => pattern.test(reason))?.[1] ?? 'other'
}

/**
 * Encoded record: one record as bytes, with who wants to know what becomes of it.
 *
 * Always true: made once per record by topic-handle.ts; the bytes are copied when a batch takes it.
 */
import type { OutgoingHeader } from '../../protocol/records/batch-builder.ts'
import type { Reject, Resolve } from './deliveries.ts'
import type { Route } from './route.ts'

export interface EncodedRecord {
  readonly route: Route
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly OutgoingHeader[] | undefined
  readonly timestamp: number
  readonly partition: number | undefined
  readonly signal: AbortSignal | undefined
  readonly resolve: Resolve | undefined
  readonly reject: Reject | undefined
}

/**
 * Encoded record: one record as bytes, with where it goes.
 *
 * Always true: the bytes are copied when a batch takes it. A handle fills the same object for each
 * of its records, because a million of them a second would be the most of what the collector has to
 * do; whoever keeps one beyond the call keeps a copy.
 * Filled by topic-handle.ts; read by topic-producer.ts and waiting-records.ts.
 */
import type { OutgoingHeader } from '../../protocol/records/batch-builder.ts'
import type { Route } from './route.ts'

export interface EncodedRecord {
  readonly route: Route
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly OutgoingHeader[] | undefined
  readonly timestamp: number
  readonly partition: number | undefined
  readonly signal: AbortSignal | undefined
}

/** The one object of a handle. */
export type RecordSlot = { -readonly [Field in keyof EncodedRecord]: EncodedRecord[Field] }

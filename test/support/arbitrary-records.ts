/**
 * Arbitrary records: any record that a batch can hold, for property tests.
 *
 * Always true: timestamps may go back from one record to the next; keys and values may be null or
 * empty; header names are any well-formed text, repeated or not.
 * Called by the tests of protocol/records and conformance.
 */
import fc from 'fast-check'
import type { RecordInput } from '../../protocol/records/batch-builder.ts'

const field = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null })
/** Text of every kind, the byte order mark included. */
const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 70 }), fc.constant('\ufeffmarked'))

export const timestamps = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(),
  fc.integer({ min: 1_700_000_000_000 - 5000, max: 1_700_000_000_000 + 5000 }),
  fc.constantFrom(0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
)

export const anyRecord: fc.Arbitrary<RecordInput> = fc.record({
  timestamp: timestamps,
  key: field,
  value: field,
  headers: fc.array(fc.record({ name, value: field }), { maxLength: 4 }),
})

export const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 12 })

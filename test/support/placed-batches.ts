/**
 * Placed batches: batches as an index sees them, for properties.
 *
 * Always true: offsets and positions grow; timestamps do as they like.
 * Called by the tests of the two indexes.
 */
import fc from 'fast-check'

export const base = 1000
export const gaps = fc.array(
  fc.record({
    records: fc.integer({ min: 1, max: 50 }),
    bytes: fc.integer({ min: 61, max: 9000 }),
    time: fc.integer({ min: -5, max: 40 }),
  }),
  { minLength: 1, maxLength: 60 },
)

export interface Placed {
  readonly lastOffset: number
  readonly position: number
  readonly maxTimestamp: number
}

export function placed(batches: { records: number; bytes: number; time: number }[]): Placed[] {
  let offset = base
  let position = 0
  return batches.map(({ records, bytes, time }) => {
    offset += records
    position += bytes
    return { lastOffset: offset - 1, position: position - bytes, maxTimestamp: 100 + time }
  })
}

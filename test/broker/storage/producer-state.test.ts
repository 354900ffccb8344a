/**
 * Producer state: sequences, duplicates, expiry, and the overlay that a full disk takes off again.
 */
import fc from 'fast-check'
import t from 'tap'
import {
  type ProducedBatch,
  ProducerState,
  sequenceAfter,
} from '../../../broker/storage/producer-state.ts'

const limits = { maxProducers: 3, minIdleMs: 0 }
const last = 2 ** 31 - 1

function batch(producerId: number, baseSequence: number, recordCount = 1, producerEpoch = 0) {
  return { producerId, producerEpoch, baseSequence, recordCount }
}

interface Logged extends ProducedBatch {
  readonly baseOffset: number
}

/** The fold done anew, one batch committed at a time. */
function rebuilt(log: readonly Logged[]): ProducerState {
  const state = new ProducerState(limits)
  for (const logged of log) {
    state.record(logged, { baseOffset: logged.baseOffset, nowMs: 0 })
    state.commit(logged.baseOffset + logged.recordCount)
  }
  return state
}

t.test('the committed part is what a rebuild from the log gives, whatever was dropped', t => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        id: fc.integer({ min: 0, max: 5 }),
        count: fc.integer({ min: 1, max: 3 }),
        bump: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.record({ commit: fc.integer({ min: 0, max: 4 }) }) },
    { weight: 1, arbitrary: fc.constant('drop' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const state = new ProducerState(limits)
      let log: Logged[] = []
      let committed = 0
      for (const action of steps) {
        if (action === 'drop') {
          log = log.slice(0, committed)
          state.dropFrom(endOf(log))
        } else if ('commit' in action) {
          committed = Math.min(log.length, committed + action.commit)
          state.commit(endOf(log.slice(0, committed)))
        } else {
          const sent = nextBatch(log, action)
          t.equal(state.check(sent, 1).duplicateOf === null, true)
          state.record(sent, { baseOffset: endOf(log), nowMs: 1 })
          log.push({ ...sent, baseOffset: endOf(log) })
        }
        const fresh = rebuilt(log.slice(0, committed))
        if (JSON.stringify(state.snapshot()) !== JSON.stringify(fresh.snapshot())) return false
        const ids = new Set(log.slice(committed).map(logged => logged.producerId))
        for (const [id] of fresh.snapshot()) ids.add(id)
        if (state.size !== ids.size) return false
      }
      return true
    }),
    { numRuns: 200 },
  )
  t.end()
})

function endOf(log: readonly Logged[]): number {
  const newest = log.at(-1)
  return newest === undefined ? 0 : newest.baseOffset + newest.recordCount
}

/**
 * What the producer may send next: its next sequence, or 0 where it is unknown or begins a new
 * epoch.
 */
function nextBatch(
  log: readonly Logged[],
  { id, count, bump }: { id: number; count: number; bump: boolean },
): ProducedBatch {
  const previous = log.findLast(logged => logged.producerId === id)
  const epoch = (previous?.producerEpoch ?? -1) + 1
  // A new epoch is right whether the producer has been forgotten or not.
  if (previous === undefined || bump || log.length > 3) return batch(id, 0, count, epoch)
  const { baseSequence, recordCount, producerEpoch } = previous
  return batch(id, sequenceAfter(baseSequence, recordCount), count, producerEpoch)
}

t.test('sequences wrap from 2^31 − 1 to 0, within a batch and between batches', async t => {
  const state = rebuilt([{ ...batch(1, 0, 1), baseOffset: 0 }])
  state.restore([
    [
      1,
      [{ epoch: 0, baseSequence: last - 1, lastSequence: last - 1, baseOffset: 0, lastOffset: 0 }],
    ],
  ])
  t.strictSame(state.check(batch(1, last, 3), 0), { duplicateOf: null })
  state.record(batch(1, last, 3), { baseOffset: 1, nowMs: 0 })
  t.match(state.check(batch(1, last, 3), 0), { duplicateOf: { baseOffset: 1, lastOffset: 3 } })
  t.strictSame(state.check(batch(1, 2, 1), 0), { duplicateOf: null })
  t.throws(() => state.check(batch(1, 3), 0), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
})

t.test(
  'of each producer the last five batches are known; older ones are said to be stored',
  async t => {
    const log = Array.from({ length: 7 }, (_, i) => ({ ...batch(1, i * 2, 2), baseOffset: i * 2 }))
    const state = rebuilt(log)
    for (let i = 2; i < 7; i++) {
      t.match(state.check(batch(1, i * 2, 2), 0), { duplicateOf: { baseOffset: i * 2 } })
    }
    t.throws(() => state.check(batch(1, 0, 2), 0), { code: 'DUPLICATE_SEQUENCE_NUMBER' })
    t.throws(() => state.check(batch(1, 13, 2), 0), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  },
)

t.test('epochs only grow, and a new one begins at sequence 0', async t => {
  const state = rebuilt([{ ...batch(1, 0, 2, 4), baseOffset: 0 }])
  t.throws(() => state.check(batch(1, 2, 1, 3), 0), { code: 'INVALID_PRODUCER_EPOCH' })
  t.throws(() => state.check(batch(1, 2, 1, 5), 0), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  t.strictSame(state.check(batch(1, 0, 1, 5), 0), { duplicateOf: null })
  t.throws(() => state.check(batch(2, 1), 0), { code: 'UNKNOWN_PRODUCER_ID' })
})

t.test('a new producer is refused while all that are known wrote a moment ago', async t => {
  const state = new ProducerState({ maxProducers: 2, minIdleMs: 100 })
  state.record(batch(1, 0), { baseOffset: 0, nowMs: 0 })
  state.record(batch(2, 0), { baseOffset: 1, nowMs: 50 })
  t.throws(() => state.check(batch(3, 0), 60), { code: 'PRODUCER_LIMIT_REACHED' }, 'pending ones')
  state.commit(2)
  t.throws(() => state.check(batch(3, 0), 99), { code: 'PRODUCER_LIMIT_REACHED' })
  t.strictSame(state.check(batch(3, 0), 100), { duplicateOf: null })
  state.record(batch(1, 1), { baseOffset: 2, nowMs: 100 })
  t.throws(() => state.check(batch(3, 0), 149), { code: 'PRODUCER_LIMIT_REACHED' }, 'a busy one')
})

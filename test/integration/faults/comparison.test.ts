/**
 * Tests of the comparison: it must see every kind of loss, or the loop proves nothing.
 */
import t from 'tap'
import type { RecordAck } from '../../../client/index.ts'
import { Comparison } from './comparison.ts'
import { bytesOfRecord } from './crash-plan.ts'
import { Ledger } from './ledger.ts'

const shape = { round: 3, valueBytes: 40 }
const ack = (offset: number): RecordAck => {
  return { topic: 't', partition: 0, offset, timestamp: 0, reached: 'fsynced' }
}

interface Found {
  readonly offset: number
  readonly n: number
  readonly value?: Uint8Array
}

/** Three records, the third without an ack, and what was found. */
function compare(found: readonly Found[], acked: readonly number[] = [0, 1]): void {
  const ledger = new Ledger()
  for (const offset of [0, 1, 2]) {
    const n = ledger.add(0)
    const at = acked[offset]
    if (at !== undefined) ledger.ack(n, ack(at))
  }
  const comparison = new Comparison(shape, ledger)
  for (const { offset, n, value = bytesOfRecord(3, n, 40) } of found) {
    const key = Buffer.from('k')
    const raw = { key, value }
    const place = { topic: 't', partition: 0, offset, timestamp: 0, headers: [] }
    comparison.record({ ...place, key, value, raw })
  }
  comparison.end()
}

const first = { offset: 0, n: 0 }
const second = { offset: 1, n: 1 }

t.test(
  'acked records at their offsets are fine, with and without the one that had no ack',
  async t => {
    compare([first, second])
    compare([first, second, { offset: 2, n: 2 }])
    t.pass('no difference')
  },
)

t.test('loss, repetition, wrong bytes, wrong places and wrong order are seen', async t => {
  const third = { offset: 2, n: 1 }
  t.throws(() => compare([first]), /record 1, acked at 0\/1, is lost/)
  t.throws(() => compare([first, second, third]), /twice/)
  t.throws(() => compare([first, { offset: 2, n: 1 }]), /offset 1 should come next/)
  t.throws(() => compare([{ offset: 0, n: 1 }]), /was acked at partition 0, offset 1/)
  t.throws(
    () =>
      compare([
        { offset: 0, n: 2 },
        { offset: 1, n: 1 },
      ]),
    /comes after/,
  )
  const value = bytesOfRecord(3, 0, 40)
  value[20] = (value[20] ?? 0) ^ 1
  t.throws(() => compare([{ ...first, value }]), /wrong bytes/)
  t.throws(() => compare([{ ...first, value: bytesOfRecord(2, 0, 40) }]), /wrong bytes/)
  t.throws(() => compare([{ ...first, value: Buffer.from('x') }]), /was not sent/)
})

t.test('a record that was acked without an offset must be there, in its partition', async t => {
  compare([first, second], [0, -1])
  t.throws(() => compare([first], [0, -1]), /record 1, acked at 0\/-1, is lost/)
})

/** The checker of histories sees each anomaly that it is there for, and accepts what is right. */
import t from 'tap'
import { checkHistory, type Outcome, type Sent } from './history.ts'

const sent = (value: string, outcome: Outcome | null, partition = 0): Sent => ({
  value,
  partition,
  outcome,
})
const ackedAt = (offset: number, partition = 0): Outcome => ({
  kind: 'acked',
  ack: { partition, offset },
})
const unknown: Outcome = { kind: 'unknown' }
const refused: Outcome = { kind: 'refused', code: 'DISK_FULL' }
const log = (...values: string[]) => new Map([[0, values]])

t.test('what was promised and kept is accepted, whatever became of unknown outcomes', async t => {
  const history = [sent('a', ackedAt(0)), sent('b', unknown), sent('c', refused)]
  t.doesNotThrow(() => checkHistory(history, log('a', 'b')))
  t.doesNotThrow(() => checkHistory(history, log('a')))
  t.doesNotThrow(() => checkHistory([sent('a', ackedAt(-1))], log('a')))
})

const anomalies: readonly [string, Sent[], ReadonlyMap<number, string[]>, RegExp][] = [
  ['an acked record that is gone', [sent('a', ackedAt(0))], log(), /^lost: "a"/],
  ['an acked record at another offset', [sent('a', ackedAt(0))], log('b', 'a'), /is at 0\/1/],
  ['a record that is there twice', [sent('a', unknown)], log('a', 'a'), /more than once/],
  ['a refused record that is there', [sent('a', refused)], log('a'), /was refused \(DISK_FULL\)/],
  ['a record in another partition', [sent('a', unknown, 1)], log('a'), /was sent to partition 1/],
  ['a record that nobody sent', [sent('a', unknown)], log('x'), /nobody sent "x"/],
  [
    'acked records out of order',
    [sent('a', ackedAt(1)), sent('b', ackedAt(0))],
    log('b', 'a'),
    /0 stands after 1/,
  ],
]
for (const [name, history, content, message] of anomalies) {
  t.test(`${name} is found`, async t => {
    const everything = history.some(s => s.value === 'b') ? history : [...history, sent('b', null)]
    t.throws(() => checkHistory(everything, content), { message })
  })
}

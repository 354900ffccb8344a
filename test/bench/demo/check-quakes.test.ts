/** Tests of the demo's comparison: every kind of difference is seen. */
import t from 'tap'
import { QuakeCheck } from '../../../bench/demo/check-quakes.ts'
import { AckLog } from '../../../bench/demo/produce-quakes.ts'
import { loadQuakes } from '../../../bench/demo/quakes.ts'
import type { ReceivedRecord } from '../../../client/index.ts'

const quakes = loadQuakes(1)
const few = { ...quakes, lines: quakes.lines.slice(0, 3), keys: ['a', 'b', 'a'], total: 3 }

type Change = Partial<{
  partition: number
  offset: number
  key: string
  value: string
  pass: string
}>

/** Three records as they were acked, changed as the test says, compared. */
function compare(changes: Readonly<Record<number, Change>>, order = [0, 1, 2]): QuakeCheck {
  const log = new AckLog(3)
  for (let n = 0; n < 3; n++) {
    const ack = {
      topic: 'quakes',
      partition: 0,
      offset: n,
      timestamp: 0,
      reached: 'fsynced' as const,
    }
    log.ack(n, ack, 0)
  }
  const check = new QuakeCheck(few, log)
  for (const [i, n] of order.entries()) {
    const { partition = 0, offset = i, key = few.keys[n] ?? '', ...rest } = changes[n] ?? {}
    const { value = few.lines[n] ?? '', pass = '0' } = rest
    const headers = [{ name: 'pass', value: Buffer.from(pass) }]
    const raw = { key: null, value: null }
    const record: ReceivedRecord<string, string> = {
      topic: 'quakes',
      partition,
      offset,
      timestamp: 0,
      key,
      value,
      headers,
      raw,
    }
    check.record(record)
  }
  check.end()
  return check
}

t.test('what was sent and acked is no difference', async t => {
  t.equal(compare({}).differences, 0)
  t.equal(quakes.lines.length, 1707)
  t.equal(new Set(quakes.keys).size, 12)
})

t.test('every kind of difference is counted and named', async t => {
  const cases: [string, QuakeCheck, RegExp][] = [
    ['missing', compare({}, [0, 1]), /1 records are missing/],
    ['twice', compare({}, [0, 1, 2, 2]), /twice/],
    ['content', compare({ 1: { value: '{}' } }), /nobody sent/],
    ['pass', compare({ 1: { pass: '5' } }), /nobody sent/],
    ['key', compare({ 1: { key: 'z' } }), /key z/],
    ['order', compare({}, [2, 1, 0]), /comes after record 2/],
    ['offset', compare({ 2: { offset: 7 } }), /offset 2 should come next/],
    [
      'partition',
      compare({ 2: { partition: 1, offset: 0 } }),
      /was acked at partition 0, offset 2/,
    ],
  ]
  for (const [name, check, says] of cases) {
    t.ok(check.differences > 0, name)
    t.match(check.examples.join('\n'), says, name)
  }
})

/** Tests of offset-range.ts: the grammar of -o, and what it means for a partition. */
import t from 'tap'
import {
  offsetForms,
  parseOffsetRange,
  parseOffsetRanges,
  resolveRange,
} from '../../../client/cli/offset-range.ts'

const now = Date.UTC(2026, 10, 1, 12)
const range = (text: string) => parseOffsetRange(text, now)

t.test('every documented form is understood', async t => {
  for (const [form] of offsetForms) t.ok(range(form), form)
})

t.test('edges and ranges mean what they say', async t => {
  t.strictSame(range('start'), { from: { at: 'start' }, to: null })
  t.strictSame(range('end'), { from: { at: 'end' }, to: null })
  t.strictSame(range(':end'), { from: { at: 'start' }, to: { at: 'end' } })
  t.strictSame(range('5'), { from: { at: 'offset', offset: 5 }, to: null })
  t.strictSame(range('5:9').to, { at: 'offset', offset: 9 })
  t.strictSame(range(':9').from, { at: 'start' })
  t.strictSame(range('+3').from, { at: 'afterStart', records: 3 })
  t.strictSame(range('-3:end'), { from: { at: 'last', records: 3 }, to: { at: 'end' } })
})

t.test('a time holds colons of its own, and the right one parts the sides', async t => {
  const time = (timestamp: number) => ({ at: 'time', timestamp })
  t.strictSame(range('@2026-11-01T08:30Z').from, time(now - 3.5 * 3_600_000))
  t.strictSame(range('@2026-11-01T08:30Z:2026-11-01T09:30:00Z'), {
    from: time(now - 3.5 * 3_600_000),
    to: time(now - 2.5 * 3_600_000),
  })
  t.strictSame(range('@2026-11-01:@2026-11-02').to, time(Date.UTC(2026, 10, 2)))
  t.strictSame(range('@-1h:end'), { from: time(now - 3_600_000), to: { at: 'end' } })
  t.strictSame(range('@-2h:-1h').to, time(now - 3_600_000))
  t.strictSame(range('s@1000').from, time(1000))
  t.throws(() => range('e@9999999999999999'), { code: 'INVALID_ARGUMENT' }, 'no safe integer')
  t.strictSame(parseOffsetRanges(['s@1000', 'e@2000'], now), { from: time(1000), to: time(2000) })
})

t.test('the words of Kafka, kcat and the SDK mean the same as ours', async t => {
  for (const word of ['earliest', 'beginning']) t.strictSame(range(word), range('start'), word)
  t.strictSame(range('latest'), range('end'))
  t.strictSame(range('@-1h:latest'), range('@-1h:end'))
})

t.test('a range that ends before it begins is refused', async t => {
  for (const text of ['5:2', '@2026-11-02:2026-11-01', '@-1h:@-2h']) {
    t.throws(() => range(text), { code: 'INVALID_ARGUMENT', message: `"${text}" ends before` })
  }
  t.strictSame(range('5:5').to, { at: 'offset', offset: 5 }, 'an empty one is allowed')
})

t.test('anything else is refused, with the value in the message', async t => {
  for (const text of ['', 'x', '5:x', '1.5', '@', '@x', ':', '99999999999999999', '@1:5:6']) {
    t.throws(() => range(text), { code: 'INVALID_ARGUMENT', message: `"${text}"` }, text)
  }
  t.throws(() => parseOffsetRanges(['5', '6'], now), { code: 'INVALID_ARGUMENT', hint: /n:m/ })
})

t.test('a range is resolved against the ends of a partition', async t => {
  const ends = { start: 100, end: 200 }
  const resolve = (text: string) => {
    const { from, to } = resolveRange(range(text), ends, () => 150)
    return [from, to]
  }
  t.strictSame(resolve('start'), [100, null])
  t.strictSame(resolve(':end'), [100, 200])
  t.strictSame(resolve('+7'), [107, null])
  t.strictSame(resolve('-7:end'), [193, 200])
  t.strictSame(resolve('-1000'), [100, null], 'never below the start')
  t.strictSame(resolve('@-1h:end'), [150, 200])
  const late = resolveRange(range('@-1h:end'), ends, () => null)
  t.strictSame(late, { from: 200, to: 200 }, 'no record is that late')
})

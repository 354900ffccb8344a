/** Tests of calendar.ts against JavaScript's own dates. */
import fc from 'fast-check'
import t from 'tap'
import { parseTime, showTime } from '../../../client/cli/calendar.ts'

const now = 1_790_000_000_000

t.test('times are shown as JavaScript shows them, over ten thousand years', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), ms => {
      const iso = new Date(ms).toISOString()
      return showTime(ms) === iso && parseTime(iso, now) === ms
    }),
    { numRuns: 2000 },
  )
  t.equal(showTime(-1), '-')
})

t.test('every form of a time is understood', async t => {
  const day = Date.UTC(2026, 10, 1)
  t.equal(parseTime('2026-11-01', now), day)
  t.equal(parseTime('2026-11-01T08:30Z', now), day + 8.5 * 3_600_000)
  t.equal(parseTime('2026-11-01 08:30:15', now), day + 30_615_000)
  t.equal(parseTime('2026-11-01T08:30:00.250+01:00', now), day + 7.5 * 3_600_000 + 250)
  t.equal(parseTime('1790000000', now), 1_790_000_000_000)
  t.equal(parseTime('1790000000123', now), 1_790_000_000_123)
  t.equal(parseTime('-1h', now), now - 3_600_000)
  t.equal(parseTime('now', now), now)
  t.equal(parseTime('1969-07-20', now), 0, 'no record is older than 1970')
})

t.test('what is no time is null', async t => {
  for (const text of ['', '12', '2026-13-01', '2026-02-30', '2026-11-01T25:00', '-1x', 'x']) {
    t.equal(parseTime(text, now), null, text)
  }
})

/**
 * A broker that stands still for a while, and one whose wall clock jumps: nobody loses anything,
 * and nothing is deleted before its time. `npm run faults` does it for longer.
 */
import t from 'tap'
import { jumpClock } from './clock-jumps.ts'
import { missing } from './needs.ts'
import { stopFor } from './stopped.ts'

t.test('a broker that is stopped and goes on is not noticed by its clients', async t => {
  const report = await stopFor(1500)
  t.ok(report.unansweredMeanwhile > 0, 'records waited for it')
  t.ok(report.readAfter > 0, 'the reader went on')
})

t.test('a wall clock that jumps by ten minutes deletes nothing and stops no timer', async t => {
  const reason = await missing(['faketime'])
  if (reason !== null) return t.pass('the clock jumps', { skip: reason })
  const report = await jumpClock(600)
  t.ok(report.alarms > 0, 'the alarm is in the log')
  t.ok(report.segmentsSealed > 0, 'there was something to delete')
})

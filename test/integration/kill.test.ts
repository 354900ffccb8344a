/**
 * A few rounds of the kill loop: real processes, SIGKILL, nothing lost, nothing twice, no wrong
 * byte.
 */
import t from 'tap'
import { killLoop } from './kill-loop.ts'

t.test('a broker that is killed under load keeps every acked record, once', async t => {
  const reports = await killLoop({ rounds: 4, seed: 20261124 })
  t.equal(reports.length, 4)
  t.ok(
    reports.every(report => report.acked > 0 && report.read >= report.acked),
    'each round acked records and read them back',
  )
  t.ok(
    reports.some(report => report.unanswered > 0),
    'a kill came while records were unanswered',
  )
})

/**
 * A few rounds of SIGKILL and of power cuts: real processes, real file systems, nothing lost,
 * nothing twice, no wrong byte. `npm run faults` does many.
 */
import t, { type Test } from 'tap'
import type { RoundReport } from './crash-loop.ts'
import { kills } from './kills.ts'
import { fileSystems } from './loop-disk.ts'
import { missing } from './needs.ts'
import { powerCuts } from './power-cuts.ts'

function checkReports(t: Test, reports: readonly RoundReport[], rounds: number): void {
  t.equal(reports.length, rounds)
  t.ok(
    reports.every(report => report.acked > 0 && report.read >= report.acked),
    'each round acked records and read them back',
  )
  t.ok(
    reports.some(report => report.unanswered > 0),
    'a crash came while records were unanswered',
  )
}

t.test('a broker that is killed under load keeps every acked record, once', async t => {
  checkReports(t, await kills({ rounds: 5, seed: 20261124 }), 5)
})

for (const fileSystem of fileSystems) {
  t.test(`a broker on ${fileSystem} that loses its power keeps every acked record`, async t => {
    const reason = await missing([fileSystem, 'strace'])
    if (reason !== null) return t.pass('the power is cut', { skip: reason })
    const reports = await powerCuts({ rounds: 3, seed: 20261124, fileSystem })
    checkReports(t, reports, 3)
    const crashes = reports.flatMap(report => report.crashes)
    t.ok(crashes.includes('power cut'), `the power was cut under load: ${crashes.join(', ')}`)
  })
}

/** The real log alone on a simulated machine keeps its promises on every seed. */
import t from 'tap'
import { runSeeds } from '../scenario.ts'
import { storageLog } from './storage-log.ts'

t.test('a log under crashes, power losses and bad disks keeps every acked record', async t => {
  const summary = await runSeeds({ scenarios: [storageLog], firstSeed: 1, seeds: 40 })
  t.same(summary.failures, [])
  t.equal(summary.passed, 40)
})

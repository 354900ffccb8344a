/**
 * One broker over seeds: the real one keeps its promises; one on a machine that lies about what is
 * on disk does not, and is caught, which shows that the scenario can fail.
 */
import t from 'tap'
import type { Disk } from '../../../broker/world/disk.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import { FaultDisk } from '../../support/fault-disk.ts'
import { runSeeds } from '../scenario.ts'
import { oneBroker } from './one-broker.ts'

t.test('what was acked is there once after every fault, on 150 seeds', async t => {
  const summary = await runSeeds({ scenarios: [oneBroker()], firstSeed: 1, seeds: 150 })
  t.strictSame(
    summary.failures.map(failure => failure.message),
    [],
  )
  t.equal(summary.passed, 150)
})

/** Says that it synced and does nothing. */
class LyingDisk extends FaultDisk {
  constructor(inner: Disk) {
    super(inner, { skipsSync: () => true })
  }
}

const lying = (world: BrokerWorld): BrokerWorld => ({ ...world, disk: new LyingDisk(world.disk) })

t.test('a disk whose fsync lies is caught within 100 seeds', async t => {
  const summary = await runSeeds({
    scenarios: [oneBroker(lying)],
    firstSeed: 1,
    seeds: 100,
    maxFailures: 1,
  })
  t.match(summary.failures[0]?.message, /npm run sim -- --scenario one-broker --seed \d+/)
})

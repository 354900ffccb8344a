/** What the commit loop must not do, shown at the one moment at which it could. */
import t from 'tap'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { type DiskHooks, FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  defaultSettings,
  FixtureWorld,
  openFixture,
  settle,
} from '../../support/storage-fixture.ts'
import { directory, gate } from '../../support/storage-rules.ts'

t.test('a round acks nothing in a segment whose name another sync is still writing', async t => {
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const settings = { segmentBytes: 100, flush: 'os' } as const
  const { log } = await openFixture({ fixture, settings })
  for (const value of ['a', 'b', 'c']) await commit(log, batchOf({ values: [value] }))
  await settle()
  // The segment of this one gets its name durable only with the next sync.
  await commit(log, batchOf({ values: ['d'] }))
  const held = gate()
  hooks.hold = (name, path) => {
    return name === 'syncDirectory' && path === directory ? held.wait : undefined
  }
  const altered = log.applySettings({ ...defaultSettings, segmentBytes: 10_000 })
  await settle()
  let isAcked = false
  const acked = commit(log, batchOf({ values: ['e'] })).then(() => {
    isAcked = true
  })
  await settle()
  t.notOk(isAcked, 'a power loss now could still take the whole segment')
  held.open()
  await Promise.all([altered, acked])
  t.equal(log.highWatermark, 5)
  t.equal(log.durableEndOffset, 5)
})

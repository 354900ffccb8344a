/**
 * Time lookups against a plain list of records: any order of timestamps, trims, and the uncommitted
 * tail.
 */
import fc from 'fast-check'
import t from 'tap'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { type DiskHooks, FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  FixtureWorld,
  openFixture,
  settle,
} from '../../support/storage-fixture.ts'

t.test('first record at or after a time and highest time are those of a plain search', async t => {
  const workload = fc.record({
    times: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 25 }),
    trimTo: fc.nat(100),
    pending: fc.integer({ min: 0, max: 90 }),
  })
  await fc.assert(
    fc.asyncProperty(workload, async ({ times, trimTo, pending }) => {
      const settings = { segmentBytes: 500, indexIntervalBytes: 90 }
      const hooks: DiskHooks = {}
      const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
      const { log } = await openFixture({ fixture, settings })
      const records: { offset: number; timestamp: number }[] = []
      for (const timestamp of times) {
        await commit(log, batchOf({ values: ['a', 'b', 'c'], timestamp }))
        for (let i = 0; i < 3; i++)
          records.push({ offset: records.length, timestamp: timestamp + i })
      }
      const start = trimTo % (records.length + 1)
      await log.trim(start)
      const committed = records.filter(record => record.offset >= start)
      // Written but never fsynced, so never committed.
      hooks.hold = name => (name === 'sync' ? new Promise(() => {}) : undefined)
      log.appendAsLeader(batchOf({ values: ['pending'], timestamp: pending }))
      await settle()
      for (const wanted of [0, 1, 20, 40, 61, 63]) {
        const expected = committed.find(record => record.timestamp >= wanted)
        const found = await log.offsetForTimestamp(wanted)
        if (found?.offset !== expected?.offset || found?.timestamp !== expected?.timestamp)
          return false
      }
      const top = committed.reduce((a, b) => Math.max(a, b.timestamp), -1)
      const highest = committed.find(record => record.timestamp === top)
      return (await log.maxTimestampOffset())?.offset === highest?.offset
    }),
    { numRuns: 60 },
  )
  t.pass()
})

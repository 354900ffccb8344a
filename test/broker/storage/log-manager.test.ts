/** What the manager of all logs promises beyond the single log. */
import t from 'tap'
import { DiskError } from '../../../broker/world/disk.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  FixtureWorld,
  openFixture,
  orders,
  settle,
} from '../../support/storage-fixture.ts'

t.test('an fsync that fails while a partition is deleted ends the process', async t => {
  let isFailing = false
  const disk = new FaultDisk(new MemoryDisk(), {
    syncDirectoryError: path => (isFailing ? new DiskError('io', path, 'EIO') : undefined),
  })
  const { log, logs, fixture } = await openFixture({ fixture: new FixtureWorld(disk) })
  await commit(log, batchOf({ values: ['a'] }))
  isFailing = true
  let isAnswered = false
  void logs.delete(orders.topicId, 0).finally(() => {
    isAnswered = true
  })
  await settle()
  t.match(fixture.deaths, [/an fsync in \/data failed/])
  t.notOk(isAnswered)
})

t.test('a partition of the longest topic name can be deleted and made anew', async t => {
  const { logs, log, fixture } = await openFixture()
  const long = { topic: 'x'.repeat(249), topicId: 'y'.repeat(22), partition: 9999 }
  await logs.open(long, log.settings)
  await logs.delete(long.topicId, long.partition)
  const names = await fixture.disk.list('/data')
  t.ok(names.every(name => name.length <= 255))
  t.notOk(names.includes(`${long.topic}-9999`))
  await logs.open({ ...long, topicId: 'z'.repeat(22) }, log.settings)
})

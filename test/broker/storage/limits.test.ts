/**
 * The constants of design/storage.md at work: at most eight syncs at once, a recovery point every
 * second or every 64 MiB, ten thousand producers of which none younger than 15 minutes expires.
 */
import t from 'tap'
import { readWholeFile } from '../../../broker/storage/checked-file.ts'
import { ProducerState } from '../../../broker/storage/producer-state.ts'
import { defaultStorageLimits } from '../../../broker/storage/shared.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { type DiskHooks, FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  defaultSettings,
  FixtureWorld,
  openFixture,
  orders,
  settle,
} from '../../support/storage-fixture.ts'
import { gate } from '../../support/storage-rules.ts'

t.test('at most eight logs sync at once, and all get their turn', async t => {
  let underWay = 0
  let most = 0
  let open: (() => void)[] = []
  let holding = false
  const hold = (name: 'read' | 'sync' | 'syncDirectory', path: string) => {
    if (!holding || name !== 'sync' || !path.endsWith('.log')) return undefined
    underWay++
    most = Math.max(most, underWay)
    return new Promise<void>(resolve => {
      open.push(() => {
        underWay--
        resolve()
      })
    })
  }
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), { hold }))
  const { logs, log } = await openFixture({ fixture })
  const all = [log]
  for (let partition = 1; partition < 20; partition++) {
    all.push(await logs.open({ ...orders, partition }, defaultSettings))
  }
  holding = true
  const done = all.map(one => commit(one, batchOf({ values: ['x'] })))
  await settle()
  t.equal(underWay, 8)
  for (let round = 0; round < 5; round++) {
    const now = open
    open = []
    for (const release of now) release()
    await settle()
  }
  t.same(await Promise.all(done), new Array(20).fill(0))
  t.equal(most, 8)
})

t.test('a full table keeps ten thousand producers, and the oldest for 15 minutes', async t => {
  const { maxProducers, minIdleMs } = defaultStorageLimits.producers
  t.same([maxProducers, minIdleMs], [10_000, 15 * 60_000])
  const state = new ProducerState(defaultStorageLimits.producers)
  const batch = (producerId: number) => ({
    producerId,
    producerEpoch: 0,
    baseSequence: 0,
    recordCount: 1,
  })
  for (let id = 0; id < 10_000; id++) {
    state.check(batch(id), 1000)
    state.record(batch(id), { baseOffset: id, nowMs: 1000 })
    state.commit(id + 1)
  }
  const late = { code: 'PRODUCER_LIMIT_REACHED' }
  t.throws(() => state.check(batch(10_000), 1000 + 15 * 60_000 - 1), late)
  t.same(state.check(batch(10_000), 1000 + 15 * 60_000), { duplicateOf: null })
  state.record(batch(10_000), { baseOffset: 10_000, nowMs: 1000 + 15 * 60_000 })
  state.commit(10_001)
  t.equal(state.size, 10_000)
  t.same(state.check(batch(0), 2_000_000), { duplicateOf: null }, 'the oldest is forgotten')
  t.not(state.check(batch(1), 2_000_000).duplicateOf, null, 'the next one is not')
})

t.test('the recovery point follows within a second, or after so many bytes', async t => {
  t.same(
    [defaultStorageLimits.checkpointIntervalMs, defaultStorageLimits.checkpointBytes],
    [1000, 64 * 1024 * 1024],
  )
  const { log, fixture } = await openFixture({ limits: { checkpointBytes: 500 } })
  const noted = async (): Promise<boolean> => {
    const bytes = await readWholeFile(fixture.disk, '/data/log-checkpoint')
    return new TextDecoder()
      .decode(bytes ?? new Uint8Array(0))
      .includes(`"offset":${log.durableEndOffset}`)
  }
  await commit(log, batchOf({ values: ['a'] }))
  t.notOk(await noted())
  await fixture.advance(1000)
  t.ok(await noted(), 'after a second')
  await commit(log, batchOf({ values: ['x'.repeat(600)] }))
  await fixture.advance(1)
  t.ok(await noted(), 'at once after many bytes')
})

t.test('S16: a log that is flooded does not keep the others from their turn', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const limits = { maxUncommittedBytes: 64_000 }
  const { log: flooded, logs } = await openFixture({ fixture, limits })
  const calm = await logs.open({ ...orders, partition: 1 }, flooded.settings)
  hooks.hold = (name, path) => (name === 'sync' && path.endsWith('.log') ? held.wait : undefined)
  const big = () => batchOf({ values: ['x'.repeat(5000)] })
  const taken: Promise<number>[] = []
  const flood = () => {
    for (;;) taken.push(commit(flooded, big()))
  }
  t.throws(flood, { code: 'THROTTLED' })
  t.ok(logs.uncommittedBytes > 50_000 && logs.uncommittedBytes <= 56_000)
  const small = () => batchOf({ values: ['x'.repeat(300)] })
  taken.push(commit(calm, small()), commit(calm, small()))
  t.throws(() => calm.appendAsLeader(big()), { code: 'THROTTLED' }, 'nor flood it too')
  held.open()
  await Promise.all(taken)
  t.equal(logs.uncommittedBytes, 0)
})

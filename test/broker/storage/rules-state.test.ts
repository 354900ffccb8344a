/**
 * The S-rules about state, S8 to S16, and what follows from them: one test each, named by what
 * breaks without the rule.
 */
import t from 'tap'
import { segmentFileName } from '../../../broker/storage/file-names.ts'
import { DiskError } from '../../../broker/world/disk.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import type { DiskImage } from '../../simulation/platter.ts'
import { keepEverything, loseEverything, type PowerLossPlan } from '../../simulation/power-loss.ts'
import { CrashDisk } from '../../support/crash-disk.ts'
import { CrashRun } from '../../support/crash-run.ts'
import { type DiskHooks, FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  defaultSettings,
  FixtureWorld,
  openFixture,
  orders,
  readAll,
  settle,
} from '../../support/storage-fixture.ts'
import { directory, fill, gate, logPath, settings } from '../../support/storage-rules.ts'

t.test('S8: flush=os: a snapshot stays that a power loss leaves of use', async t => {
  const run = new CrashRun({ settings: { ...settings, flush: 'os' } })
  await run.open()
  const roll = async () => {
    for (let i = 0; i < 6; i++) {
      run.append(3, { idempotent: true })
      await run.settle()
    }
  }
  const snapshots = async () =>
    (await run.disk.list(directory))
      .filter(name => name.endsWith('.producers'))
      .map(name => Number(name.slice(0, 20)))
  await roll()
  await run.tick()
  const durable = run.log.durableEndOffset
  t.ok(durable > 0)
  await roll()
  await roll()
  t.equal(run.log.durableEndOffset, durable)
  t.ok(Math.min(...(await snapshots())) <= durable, `${await snapshots()}`)
  await run.tick()
  await roll()
  t.equal((await snapshots()).length, 2, 'and goes when newer ones are durable')
})

t.test('S8: a producer snapshot newer than the log is gone before the first append', async t => {
  const run = new CrashRun({ settings: { ...settings, flush: 'os' } })
  await run.open()
  for (let i = 0; i < 6; i++) {
    run.append(3, { idempotent: true })
    await run.settle()
  }
  const plan: PowerLossPlan = {
    ...keepEverything,
    loseFile: file => ({
      keep: file.pieces.map((_, at) => !file.path.endsWith('.log') || at === 0),
      grown: false,
    }),
  }
  const image = run.disk.platter.imageAfterPowerLoss(plan)
  const newest = async (disk: CrashDisk) =>
    (await disk.list(directory)).filter(name => name.endsWith('.producers')).at(-1) ?? ''
  const left = new CrashDisk(image)
  t.not(await newest(left), '', 'a snapshot survived')
  const again = new CrashRun({ settings, image })
  await again.open()
  const end = again.log.highWatermark
  t.ok(Number((await newest(left)).slice(0, 20)) > end)
  t.ok(Number((await newest(again.disk)).slice(0, 20)) <= end, 'and is removed')
  const later = new CrashDisk(again.disk.platter.imageAfterPowerLoss(loseEverything))
  t.ok(Number((await newest(later)).slice(0, 20)) <= end, 'for good')
  const next = batchOf({ values: ['next'], producer: { id: 7, sequence: end } })
  t.match(again.log.appendAsLeader(next), { duplicate: false })
})

t.test('S9: a record from the future expires no producer', async t => {
  const limits = { producers: { maxProducers: 2, minIdleMs: 1000 } }
  const { log, fixture } = await openFixture({ limits })
  const from = (id: number, sequence: number, timestamp: number) =>
    batchOf({ values: ['x'], timestamp, producer: { id, sequence } })
  await commit(log, from(1, 0, 1000))
  await commit(log, from(2, 0, 9e15))
  t.throws(() => log.appendAsLeader(from(3, 0, 9e15)), { code: 'PRODUCER_LIMIT_REACHED' })
  await fixture.advance(2000)
  await commit(log, from(1, 1, 0))
  await commit(log, from(3, 0, 5))
  t.throws(() => log.appendAsLeader(from(2, 1, 9e15)), { code: 'UNKNOWN_PRODUCER_ID' })
  t.match(log.appendAsLeader(from(1, 1, 0)), { duplicate: true }, 'the latest by offset stay')
})

t.test(
  'S12: offsets that are used again after an unclean start are of a new durable epoch',
  async t => {
    const run = new CrashRun({ settings: { flush: 'os' } })
    await run.open()
    run.append(3)
    await run.settle()
    const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
    const again = new CrashRun({ settings, image })
    await again.open()
    t.equal(again.log.highWatermark, 0)
    t.equal(again.log.leaderEpoch, 1, 'the lost records were of epoch 0')
    again.append(1)
    await again.settle()
    t.equal(again.log.highWatermark, 1)
    const third = new CrashRun({
      image: again.disk.platter.imageAfterPowerLoss(loseEverything),
      settings,
    })
    await third.open()
    t.equal(third.log.leaderEpoch, 2)
    t.strictSame(third.log.endOffsetForEpoch(0), null, 'nothing of epoch 0 is left')
    t.strictSame(third.log.endOffsetForEpoch(1), { epoch: 1, endOffset: 1 })
  },
)

t.test('S12: the tail that is not written yet cannot be read with flush=os', async t => {
  const { log } = await openFixture({ settings: { flush: 'os' } })
  log.appendAsLeader(batchOf({ values: ['a'] }))
  t.equal(log.highWatermark, 0)
  t.match(log.read(0, 100, { isolation: 'committed' }), { bodies: [], sizeBytes: 0 })
  await settle()
  t.equal(log.highWatermark, 1)
})

t.test(
  'S13: a changed base offset, which no checksum covers, is found by every cold read',
  async t => {
    const { log, logs, fixture } = await openFixture()
    for (let i = 0; i < 4; i++) await commit(log, batchOf({ values: [`value ${i}`] }))
    const { sizeBytes } = log.describe()
    await logs.closeCleanly()
    const file = await fixture.disk.open(logPath(0), 'update')
    await file.write([new Uint8Array([3])], sizeBytes / 2 + 7)
    const again = await openFixture({ fixture })
    await t.rejects(readAll(again.log, 0, 10_000), { code: 'KAFKA_STORAGE_ERROR' })
  },
)

t.test('S14: records with old timestamps are kept for as long as was asked', async t => {
  const { log, fixture } = await openFixture({ settings: { ...settings, retentionMs: 3_600_000 } })
  for (let i = 0; i < 12; i++) await commit(log, batchOf({ values: ['x', 'y'], timestamp: 1 }))
  await fixture.advance(1_000_000)
  t.equal(log.logStartOffset, 0)
  await fixture.advance(3_600_000)
  t.ok(log.logStartOffset > 0)
})

t.test('S15: the recovery point does not pass a segment whose indexes are not on disk', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const { log } = await openFixture({ fixture, settings })
  hooks.hold = (name, path) => (name === 'sync' && path.endsWith('index') ? held.wait : undefined)
  for (let i = 0; i < 12; i++) await commit(log, batchOf({ values: [`value ${i}`, 'b', 'c'] }))
  await fixture.advance(2000)
  const point = async () => {
    const file = await fixture.disk.open('/data/log-checkpoint', 'read')
    const text = new TextDecoder().decode(await file.read(0, await file.size()))
    return JSON.parse(text.split('\n')[1] ?? '').logs[0].recovery.segmentBase
  }
  t.equal(await point(), 0)
  held.open()
  await settle()
  await fixture.advance(2000)
  t.ok((await point()) > 0)
})

t.test('S15: recovery believes no index', async t => {
  const run = new CrashRun({ settings })
  await run.open()
  await fill(run, 6)
  for (const name of await run.disk.list(directory)) {
    if (!name.endsWith('index')) continue
    const file = await run.disk.open(`${directory}/${name}`, 'update')
    await file.write([new Uint8Array(await file.size())], 0)
  }
  const again = new CrashRun({ settings, image: run.disk.platter.cachedImage() })
  await again.open()
  for (let offset = 0; offset < 18; offset++) {
    t.match(await again.log.offsetForTimestamp(1_000_000 + Math.floor(offset / 3) * 21), {})
  }
  const index = await again.disk.open(`${directory}/${segmentFileName(0, 'index')}`, 'read')
  t.ok(
    (await index.read(0, 100)).some(byte => byte !== 0),
    'the index was built anew',
  )
})

t.test('S16: what is not committed is bounded over all logs, and freed again', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const limits = { maxUncommittedBytes: 1000 }
  const { log, logs } = await openFixture({ fixture, limits })
  hooks.hold = (name, path) => (name === 'sync' && path.endsWith('.log') ? held.wait : undefined)
  const big = () => batchOf({ values: ['x'.repeat(300)] })
  const first = [commit(log, big()), commit(log, big())]
  t.throws(() => log.appendAsLeader(big()), { code: 'THROTTLED' })
  t.ok(logs.uncommittedBytes > 600)
  held.open()
  await Promise.all(first)
  t.equal(logs.uncommittedBytes, 0)
  await commit(log, big())
})

t.test('flush os to commit: nothing is acked above records that are not on disk', async t => {
  const run = new CrashRun({ settings: { ...settings, flush: 'os' } })
  await run.open()
  await fill(run, 6)
  t.equal(run.log.durableEndOffset, 0)
  const applied = run.log.applySettings({ ...run.log.settings, flush: 'commit' })
  run.append(3)
  await applied
  await run.settle()
  t.equal(run.log.durableEndOffset, 21)
  const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
  const again = new CrashRun({ settings, image })
  await again.open()
  t.equal(again.log.highWatermark, 21)
})

t.test('a log start beyond what a power loss left is where the log goes on', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const platter = new CrashDisk(new Map([['data', new Map()]]))
  const fixture = new FixtureWorld(new FaultDisk(platter, hooks))
  const flush = 'os' as const
  const { log, logs } = await openFixture({ fixture, settings: { flush } })
  const other = await logs.open({ ...orders, partition: 1 }, { ...defaultSettings, flush })
  await commit(log, batchOf({ values: ['a', 'b'] }))
  await commit(other, batchOf({ values: ['x'] }))
  hooks.hold = (name, path) =>
    name === 'sync' && path.includes('orders-1') ? held.wait : undefined
  const checkpoint = fixture.advance(1500)
  await settle()
  await commit(log, batchOf({ values: ['c', 'd'] }))
  void log.trim(4)
  let isWritten = false
  let image: DiskImage | undefined
  platter.before = ({ name, path }) => {
    if (name === 'rename' && path.includes('log-checkpoint')) isWritten = true
    // The first checkpoint has the new log start; the fsync for the second is only about to be
    // asked for.
    if (name !== 'sync' || path !== logPath(0) || !isWritten) return
    image ??= platter.platter.imageAfterPowerLoss(loseEverything)
    return undefined
  }
  held.open()
  await checkpoint
  await settle()
  if (image === undefined) throw new Error('no second fsync was seen')
  const again = new CrashRun({ settings: { flush }, image })
  await again.open()
  t.equal(again.log.logStartOffset, 4)
  t.equal(again.log.highWatermark, 4)
  again.append(1)
  await again.settle()
  t.strictSame((await readAll(again.log)).length, 1)
  const third = new CrashRun({ settings: { flush }, image: again.disk.platter.cachedImage() })
  await third.open()
  t.equal(third.log.highWatermark, 5)
})

t.test('a write error ends the process', async t => {
  const error = new DiskError('io', 'x', 'EIO')
  const disk = new FaultDisk(new MemoryDisk(), {
    takes: path => {
      if (path.endsWith('.log')) throw error
      return undefined
    },
  })
  const { log, fixture } = await openFixture({ fixture: new FixtureWorld(disk) })
  log.appendAsLeader(batchOf({ values: ['a'] }))
  await settle()
  t.equal(fixture.deaths.length, 1)
})

/** The S-rules about files, S1 to S7: one test each, named by what breaks without the rule. */
import t from 'tap'
import { segmentFileName } from '../../../broker/storage/file-names.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { keepEverything, loseEverything, type PowerLossPlan } from '../../simulation/power-loss.ts'
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
  valuesOf,
} from '../../support/storage-fixture.ts'
import { directory, fill, gate, logPath, settings } from '../../support/storage-rules.ts'

t.test('S1: what a failed fsync left in the page cache only is not served as durable', async t => {
  const run = new CrashRun({ settings })
  await run.open()
  run.append(1)
  await run.settle()
  run.disk.before = ({ name, path }) =>
    name === 'sync' && path.endsWith('.log') ? 'io' : undefined
  run.append(2)
  await run.settle()
  t.equal(run.fixture.deaths.length, 1)
  run.disk.before = undefined
  const again = new CrashRun({ settings, disk: run.disk })
  await again.open()
  t.equal(again.log.highWatermark, 3, 'the restart reads the batch from the page cache')
  const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
  const third = new CrashRun({ settings, image })
  await third.open()
  t.equal(third.log.highWatermark, 3, 'and it is still there after a power loss')
})

t.test('S1: what it left in blocks of its own is not written over itself', async t => {
  const run = new CrashRun({ settings: { segmentBytes: 1_000_000 } })
  await run.open()
  run.append(1)
  await run.settle()
  run.disk.before = ({ name, path }) =>
    name === 'sync' && path.endsWith('.log') ? 'io' : undefined
  run.append(200)
  await run.settle()
  run.disk.before = undefined
  const again = new CrashRun({ settings, disk: run.disk })
  await again.open()
  t.ok((await run.disk.stat(logPath(0)))?.size ?? 0 > 8192, 'it has blocks of its own')
  t.notOk((await run.disk.list(directory)).some(name => name.endsWith('.tail')))
  const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
  const third = new CrashRun({ settings, image })
  await third.open()
  t.equal(third.log.highWatermark, 201, 'ext4 would show zeros there')
  t.equal(third.log.describe().state, 'ok')
})

t.test('S1: an fsync that says ENOSPC is as fatal as any other', async t => {
  const run = new CrashRun({ settings })
  await run.open()
  run.disk.before = ({ name, path }) =>
    name === 'sync' && path.endsWith('.log') ? 'noSpace' : undefined
  run.append(1)
  await run.settle()
  t.equal(run.fixture.deaths.length, 1)
  t.strictSame(run.errors, [], 'and nobody is answered')
})

t.test('S2: a batch lost to a full disk is no duplicate, and nothing lands behind it', async t => {
  const run = new CrashRun({ settings: { segmentBytes: 4000 } })
  await run.open()
  run.append(2, { idempotent: true })
  await run.settle()
  let writes = 0
  run.disk.before = ({ name, path }) =>
    name === 'write' && path.endsWith('.log') && writes++ === 0 ? 'short' : undefined
  run.append(1, { idempotent: true })
  await Promise.resolve()
  await Promise.resolve()
  run.append(4, { idempotent: true })
  await run.settle()
  t.equal(run.log.logEndOffset, 2)
  t.ok(run.errors.length === 2 && run.errors.every(code => code === 'DISK_FULL'))
  t.equal((await run.disk.stat(logPath(0)))?.size, run.log.describe().sizeBytes)
  await run.tick()
  const retry = batchOf({ values: ['again'], producer: { id: 7, sequence: 2 } })
  t.match(run.log.appendAsLeader(retry), { baseOffset: 2, duplicate: false })
})

t.test('S4: segments that a power loss brings back below the log start are no gap', async t => {
  const run = new CrashRun({ settings })
  await run.open()
  await fill(run, 12)
  const bases = run.log.describe().segments.map(segment => segment.baseOffset)
  t.ok(bases.length > 3)
  let firstRemoval = true
  run.disk.before = ({ name, path }) => {
    if (name !== 'remove' || !path.endsWith('.log') || !firstRemoval) return
    firstRemoval = false
    const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
    checks.push(async () => {
      const before = new CrashRun({ settings, image })
      await before.open()
      t.equal(before.log.logStartOffset, 30, 'the log start is durable before the first unlink')
    })
    return undefined
  }
  const checks: (() => Promise<void>)[] = []
  await run.trim(30)
  t.equal(checks.length, 1)
  for (const check of checks) await check()
  for (const undone of bases.slice(0, 3)) {
    const plan: PowerLossPlan = {
      ...keepEverything,
      keepEntries: changes => changes.map(change => change.path !== logPath(undone)),
    }
    const image = run.disk.platter.imageAfterPowerLoss(plan)
    const again = new CrashRun({ settings, image })
    await again.open()
    t.equal(again.log.describe().state, 'ok')
    t.equal(again.log.logStartOffset, 30)
    t.equal(again.log.highWatermark, 36)
  }
})

t.test('S4: a trim removes only what its own checkpoint covers', async t => {
  const run = new CrashRun({ settings })
  await run.open()
  await fill(run, 12)
  let later: Promise<unknown> | undefined
  run.disk.before = ({ name, path }) => {
    if (name !== 'create' || !path.includes('log-checkpoint')) return
    if (later !== undefined) return 'noSpace'
    // This checkpoint has been collected, so it knows nothing of the second trim.
    later = t.rejects(run.log.trim(30), { code: 'DISK_FULL' })
    return undefined
  }
  await run.log.trim(10)
  await later
  const bases = run.log.describe().segments.map(({ baseOffset }) => baseOffset)
  t.ok((bases[0] ?? 0) <= 10, `the log goes from ${bases[0]}, on disk its start is 10`)
})

t.test('S4: a full disk that kept retention from its work does not stop it for good', async t => {
  const run = new CrashRun({ settings: { ...settings, retentionBytes: 500 } })
  await run.open()
  await fill(run, 12)
  const before = run.log.describe().segments.length
  run.disk.before = ({ path }) => (path.includes('log-checkpoint') ? 'noSpace' : undefined)
  await run.tick(400_000)
  t.equal(run.log.describe().segments.length, before)
  run.disk.before = undefined
  await run.tick(400_000)
  t.ok(run.log.describe().segments.length < before)
})

t.test('S5: a file is not closed under a read that is queued', async t => {
  const held = gate()
  const closed: string[] = []
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const { log } = await openFixture({ fixture, settings, limits: { tailCacheBytes: 0 } })
  for (let i = 0; i < 12; i++) await commit(log, batchOf({ values: [`value ${i}`, 'b', 'c'] }))
  hooks.hold = (name, path) => (name === 'read' && path === logPath(0) ? held.wait : undefined)
  hooks.closed = path => void closed.push(path)
  const read = Promise.resolve(log.read(0, 100, { isolation: 'committed' }))
  const trimmed = log.trim(20)
  await settle()
  t.notOk(closed.includes(logPath(0)))
  held.open()
  t.ok((await read).sizeBytes > 0)
  await trimmed
  t.ok(closed.includes(logPath(0)), 'but afterwards')
})

t.test('S5: a read that retention overtakes is out of range, and no reason to die', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const first = await openFixture({ fixture, settings })
  for (let i = 0; i < 12; i++) await commit(first.log, batchOf({ values: [`value ${i}`, 'b'] }))
  await first.logs.closeCleanly()
  const { log } = await openFixture({ fixture, settings })
  const index = `${directory}/${segmentFileName(0, 'index')}`
  hooks.hold = (name, path) => (name === 'read' && path === index ? held.wait : undefined)
  const read = Promise.resolve(log.read(0, 100, { isolation: 'committed' }))
  const lookup = log.offsetForTimestamp(0)
  const outcome = read.then(
    () => 'read',
    error => String(error.code),
  )
  const trimmed = log.trim(20)
  await settle()
  held.open()
  await trimmed
  t.ok(['read', 'OFFSET_OUT_OF_RANGE'].includes(await outcome))
  t.ok(await lookup)
  t.throws(() => log.read(0, 100, { isolation: 'committed' }), { code: 'OFFSET_OUT_OF_RANGE' })
  t.strictSame(fixture.deaths, [])
})

t.test('S6: nothing of a deleted topic works in the directory of its successor', async t => {
  const held = gate()
  const hooks: DiskHooks = {}
  const fixture = new FixtureWorld(new FaultDisk(new MemoryDisk(), hooks))
  const { log, logs } = await openFixture({ fixture, settings })
  for (let i = 0; i < 12; i++) await commit(log, batchOf({ values: [`value ${i}`, 'b', 'c'] }))
  hooks.hold = (name, path) =>
    name === 'sync' && path.includes('log-checkpoint') ? held.wait : undefined
  const trimmed = log.trim(20)
  let isFree = false
  const deleted = logs.delete(orders.topicId, 0).then(() => {
    isFree = true
  })
  await settle()
  t.notOk(isFree, 'the name is not free while a trim is at work there')
  held.open()
  await trimmed
  await deleted
  const successor = { ...orders, topicId: 'successorId00000000000' }
  const next = await logs.open(successor, { ...defaultSettings, ...settings, segmentMs: 1000 })
  await commit(next, batchOf({ values: ['mine'] }))
  await t.rejects(log.trim(21), { code: 'CLOSED' })
  t.throws(() => log.read(21, 100, { isolation: 'committed' }), { code: 'CLOSED' })
  t.throws(() => log.appendAsLeader(batchOf({ values: ['x'] })), { code: 'CLOSED' })
  await fixture.advance(400_000)
  t.strictSame(valuesOf(await readAll(next)), ['mine'])
  t.strictSame(await fixture.disk.list('/data'), ['log-checkpoint', 'orders-0', 'space-reserve'])
  const again = await openFixture({ fixture }).catch(error => error)
  t.match(again, { code: 'KAFKA_STORAGE_ERROR' }, 'the old topic does not get it back')
})

t.test('S7: a log that ends before its durable end is not taken for whole', async t => {
  const run = new CrashRun({ settings: { segmentBytes: 4000 } })
  await run.open()
  await fill(run, 4)
  const { sizeBytes } = run.log.describe()
  await fill(run, 4)
  await run.tick()
  const file = await run.disk.open(logPath(0), 'update')
  await file.truncate(sizeBytes)
  const image = run.disk.platter.cachedImage()
  const again = new CrashRun({ settings, image })
  await again.open()
  t.equal(again.log.describe().state, 'quarantined', 'cut at the border of a batch')
  t.equal(again.log.highWatermark, 12)
  await t.rejects(again.log.trim(3), { code: 'KAFKA_STORAGE_ERROR' })
})

t.test('S7: what recovery cuts off is said: why, where and how much', async t => {
  const { log, fixture } = await openFixture()
  await commit(log, batchOf({ values: ['a', 'b'] }))
  const file = await fixture.disk.open(logPath(0), 'update')
  const end = await file.size()
  await file.write([batchOf({ values: ['torn'] }).subarray(0, 40)], end)
  const said: { text: string }[] = []
  const warn = (values: object, text: string) => void said.push({ ...values, text })
  const logger = { info: () => {}, warn, error: () => {} }
  await openFixture({ fixture, logger })
  const reason = new RegExp(`position ${end}`)
  const text = 'an unfinished write was cut off'
  t.match(
    said.filter(one => one.text === text),
    [{ endOffset: 2, bytes: 40, reason }],
  )
})

t.test('S7: a damaged log is damaged for the next start too, whatever is noted', async t => {
  const run = new CrashRun({ settings: { segmentBytes: 4000 } })
  await run.open()
  await fill(run, 8)
  await run.tick()
  const { sizeBytes } = run.log.describe()
  const file = await run.disk.open(logPath(0), 'update')
  await file.truncate(sizeBytes / 2)
  for (const how of ['a crash', 'a clean stop']) {
    const again = new CrashRun({ settings, disk: run.disk })
    await again.open()
    t.equal(again.log.describe().state, 'quarantined', `after ${how}`)
    await again.tick(2000)
    if (how === 'a crash') await again.logs.closeCleanly()
  }
})

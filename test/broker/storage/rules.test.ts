/** The S-rules of the design, one test each, named by what breaks without the rule. */
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
  valuesOf,
} from '../../support/storage-fixture.ts'

const settings = { segmentBytes: 400, indexIntervalBytes: 100 }
const directory = '/data/orders-0'
const logPath = (base: number) => `${directory}/${segmentFileName(base, 'log')}`

/** A gate that a call can be held at. */
function gate(): { wait: Promise<void>; open: () => void } {
  let open = () => {}
  const wait = new Promise<void>(resolve => {
    open = resolve
  })
  return { wait, open }
}

async function fill(run: CrashRun, batches: number): Promise<void> {
  for (let i = 0; i < batches; i++) {
    run.append(3)
    await run.settle()
  }
}

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
  t.strictSame(await fixture.disk.list('/data'), ['log-checkpoint', 'orders-0'])
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
    // The first checkpoint has the new log start; the fsync for the second is only about to be asked for.
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

/** What a log promises: order, durability of acks, duplicates, trim, and what survives a crash. */
import t from 'tap'
import { DiskError } from '../../../broker/world/disk.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { FaultDisk } from '../../support/fault-disk.ts'
import {
  batchOf,
  commit,
  FixtureWorld,
  openFixture,
  readAll,
  settle,
  valuesOf,
} from '../../support/storage-fixture.ts'

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `value ${from + i}`)

t.test('batches get dense offsets in the order of the calls and read back the same', async t => {
  const { log } = await openFixture()
  const first = commit(log, batchOf({ values: ['a', 'b'] }))
  const second = commit(log, batchOf({ values: ['c'] }))
  t.equal(log.highWatermark, 0, 'nothing is readable before it is on disk')
  t.strictSame(await Promise.all([first, second]), [0, 2])
  t.equal(log.highWatermark, 3)
  t.strictSame(valuesOf(await readAll(log)), ['a', 'b', 'c'])
})

t.test('a crash keeps every acked record, in one order, over rolls', async t => {
  const settings = { segmentBytes: 600, indexIntervalBytes: 100 }
  const { log, fixture } = await openFixture({ settings })
  const values = numbered(0, 60)
  for (const value of values) await commit(log, batchOf({ values: [value] }))
  t.ok(log.describe().segments.length > 5, 'several segments')
  const again = await openFixture({ fixture, settings })
  t.strictSame(valuesOf(await readAll(again.log)), values)
  t.equal(again.log.leaderEpoch, 1, 'a start that was not clean opens a new epoch')
  t.equal(await commit(again.log, batchOf({ values: ['next'] })), 60)
  t.strictSame(fixture.deaths, [])
})

t.test('every offset can be read from a cold log, whatever the read size', async t => {
  const settings = { segmentBytes: 5000, indexIntervalBytes: 300 }
  const { log, fixture } = await openFixture({ settings })
  const values = numbered(0, 300)
  for (let i = 0; i < 300; i += 3) await commit(log, batchOf({ values: values.slice(i, i + 3) }))
  const cold = await openFixture({ fixture, settings })
  for (let offset = 0; offset <= 300; offset += 7) {
    for (const maxBytes of [1, 200, 100_000]) {
      const records = await readAll(cold.log, offset, maxBytes)
      t.strictSame(valuesOf(records), values.slice(offset), `from ${offset}`)
    }
  }
})

t.test('a clean shutdown is opened without reading a segment, in the same epoch', async t => {
  const settings = { segmentBytes: 600, indexIntervalBytes: 100 }
  const { log, logs, fixture } = await openFixture({ settings })
  for (const value of numbered(0, 30)) await commit(log, batchOf({ values: [value] }))
  await logs.closeCleanly()
  const opened: string[] = []
  const hooks = { opened: (path: string) => void opened.push(path) }
  const watched = new FixtureWorld(new FaultDisk(fixture.disk, hooks))
  const again = await openFixture({ fixture: watched, settings })
  t.strictSame(
    opened.filter(path => path.endsWith('.log')),
    [],
  )
  t.equal(again.log.leaderEpoch, 0)
  t.equal(again.log.logEndOffset, 30)
  t.strictSame(valuesOf(await readAll(again.log)), numbered(0, 30))
  t.equal(await commit(again.log, batchOf({ values: ['next'] })), 30)
})

t.test('a repeated batch is answered with the offset it has and stored once', async t => {
  const { log, fixture } = await openFixture()
  const batch = () => batchOf({ values: ['a', 'b'], producer: { id: 7, sequence: 0 } })
  t.equal(await commit(log, batch()), 0)
  t.strictSame(log.appendAsLeader(batch()), { baseOffset: 0, lastOffset: 1, duplicate: true })
  const gap = batchOf({ values: ['z'], producer: { id: 7, sequence: 5 } })
  t.throws(() => log.appendAsLeader(gap), { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  const again = await openFixture({ fixture })
  t.strictSame(
    again.log.appendAsLeader(batch()),
    { baseOffset: 0, lastOffset: 1, duplicate: true },
    'also after a crash: the state is a fold over the log',
  )
  const next = batchOf({ values: ['c'], producer: { id: 7, sequence: 2 } })
  t.equal(await commit(again.log, next), 2)
})

t.test('trim moves the log start for good and deletes whole segments below it', async t => {
  const settings = { segmentBytes: 600, indexIntervalBytes: 100 }
  const { log, fixture } = await openFixture({ settings })
  for (const value of numbered(0, 30)) await commit(log, batchOf({ values: [value] }))
  const before = log.describe().segments.length
  t.equal(await log.trim(17), 17)
  t.ok(log.describe().segments.length < before)
  t.throws(() => log.read(16, 100, { isolation: 'committed' }), { code: 'OFFSET_OUT_OF_RANGE' })
  t.strictSame(valuesOf(await readAll(log)), numbered(17, 13))
  await t.rejects(log.trim(31), { code: 'OFFSET_OUT_OF_RANGE' })
  const again = await openFixture({ fixture, settings })
  t.equal(again.log.logStartOffset, 17)
  t.strictSame(valuesOf(await readAll(again.log)), numbered(17, 13))
  t.equal(await again.log.trim(-1), 30)
  t.strictSame(await readAll(again.log), [])
})

t.test('lookup by time finds the exact record, in any segment and after a restart', async t => {
  const settings = { segmentBytes: 600, indexIntervalBytes: 100 }
  const { log, fixture } = await openFixture({ settings })
  for (let i = 0; i < 30; i++) {
    await commit(log, batchOf({ values: ['a', 'b', 'c'], timestamp: 10_000 + i * 100 }))
  }
  for (const open of [log, (await openFixture({ fixture, settings })).log]) {
    t.match(await open.offsetForTimestamp(0), { offset: 0, timestamp: 10_000 })
    t.match(await open.offsetForTimestamp(11_501), { offset: 46, timestamp: 11_501 })
    t.match(await open.offsetForTimestamp(11_503), { offset: 48, timestamp: 11_600 })
    t.match(await open.maxTimestampOffset(), { offset: 89, timestamp: 12_902 })
    t.equal(await open.offsetForTimestamp(12_903), null)
  }
})

t.test('an idle log rolls by time, and retention by time and size deletes on its own', async t => {
  const hour = 3_600_000
  const settings = { segmentMs: hour, retentionMs: 3 * hour }
  const { log, fixture } = await openFixture({ settings })
  await commit(log, batchOf({ values: ['old'] }))
  await fixture.advance(hour + 2000)
  t.equal(log.describe().segments.length, 2, 'rolled while idle')
  await commit(log, batchOf({ values: ['new'] }))
  t.strictSame(valuesOf(await readAll(log)), ['old', 'new'])
  await fixture.advance(3 * hour + 400_000)
  t.equal(log.logStartOffset, 1, 'the sealed segment was old enough')
  t.strictSame(fixture.deaths, [])
})

t.test('a wall clock that jumps a week deletes nothing', async t => {
  const hour = 3_600_000
  const settings = { segmentBytes: 300, retentionMs: 24 * hour }
  const { log, fixture } = await openFixture({ settings })
  for (const value of numbered(0, 10)) await commit(log, batchOf({ values: [value] }))
  fixture.wallMs += 8 * 24 * hour
  await fixture.advance(1_000_000)
  t.equal(log.logStartOffset, 0)
})

t.test('what was sealed while the wall clock was behind is not old when it is right', async t => {
  const hour = 3_600_000
  const settings = { segmentBytes: 300, retentionMs: hour }
  const { log, fixture } = await openFixture({ settings })
  fixture.wallMs -= 8 * 24 * hour
  for (const value of numbered(0, 10)) await commit(log, batchOf({ values: [value] }))
  fixture.wallMs += 8 * 24 * hour
  await fixture.advance(hour / 2)
  t.equal(log.logStartOffset, 0)
  await fixture.advance(hour)
  t.ok(log.logStartOffset > 0, 'and goes in its time')
})

t.test('retention by size keeps at least as much as was asked for', async t => {
  const settings = { segmentBytes: 300, retentionBytes: 1000 }
  const { log, fixture } = await openFixture({ settings })
  for (const value of numbered(0, 60)) await commit(log, batchOf({ values: [value] }))
  await fixture.advance(400_000)
  const { sizeBytes } = log.describe()
  t.ok(sizeBytes >= 1000 && sizeBytes < 1000 + 600, `${sizeBytes} bytes are left`)
  t.strictSame(valuesOf(await readAll(log)).at(-1), 'value 59')
})

t.test('what is damaged is never served, and the rest still is', async t => {
  const settings = { segmentBytes: 600 }
  const { log, logs, fixture } = await openFixture({ settings, limits: { tailCacheBytes: 0 } })
  for (const value of numbered(0, 30)) await commit(log, batchOf({ values: [value] }))
  await logs.closeCleanly()
  const path = '/data/orders-0/00000000000000000000.log'
  const file = await fixture.disk.open(path, 'update')
  const [byte] = await file.read(150, 1)
  await file.write([new Uint8Array([(byte ?? 0) ^ 1])], 150)
  const again = await openFixture({ fixture, settings })
  await t.rejects(readAll(again.log), { code: 'KAFKA_STORAGE_ERROR' })
  t.strictSame(valuesOf(await readAll(again.log, 20)), numbered(20, 10))
})

t.test('a torn tail is cut, kept and survives a second crash', async t => {
  const { log, fixture } = await openFixture()
  for (const value of numbered(0, 5)) await commit(log, batchOf({ values: [value] }))
  const path = '/data/orders-0/00000000000000000000.log'
  const file = await fixture.disk.open(path, 'update')
  const size = await file.size()
  await file.write([batchOf({ values: ['torn'] }).subarray(0, 40)], size)
  const again = await openFixture({ fixture })
  t.strictSame(valuesOf(await readAll(again.log)), numbered(0, 5))
  t.equal((await fixture.disk.stat(path))?.size, size)
  t.equal((await fixture.disk.stat(`${path}.${size}.cut`))?.size, 40)
  const third = await openFixture({ fixture })
  t.strictSame(valuesOf(await readAll(third.log)), numbered(0, 5))
})

t.test(
  'bad bytes far from the end are corruption: the prefix is served, writes refused',
  async t => {
    const limits = { maxRoundBytes: 200 }
    const settings = { maxMessageBytes: 200 }
    const { log, fixture } = await openFixture({ limits, settings })
    for (const value of numbered(0, 20)) await commit(log, batchOf({ values: [value] }))
    const path = '/data/orders-0/00000000000000000000.log'
    const file = await fixture.disk.open(path, 'update')
    await file.write([new Uint8Array([1, 2, 3])], 300)
    const again = await openFixture({ fixture, limits, settings })
    t.equal(again.log.describe().state, 'quarantined')
    t.equal(again.log.highWatermark, 4)
    t.strictSame(valuesOf(await readAll(again.log)), numbered(0, 4))
    t.throws(() => again.log.appendAsLeader(batchOf({ values: ['x'] })), {
      code: 'KAFKA_STORAGE_ERROR',
    })
    await again.logs.closeCleanly()
    const third = await openFixture({ fixture, limits, settings })
    t.equal(third.log.describe().state, 'quarantined', 'and stays so after a clean restart')
  },
)

t.test('a full disk refuses writes, loses nothing acked, and goes on by itself', async t => {
  let room = Infinity
  const disk = new FaultDisk(new MemoryDisk(), {
    freeBytes: () => room,
    takes: (path, bytes) => (path.endsWith('.log') && bytes > room ? 10 : bytes),
  })
  const { log, fixture } = await openFixture({ fixture: new FixtureWorld(disk) })
  const producer = (sequence: number) => ({ id: 9, sequence })
  await commit(log, batchOf({ values: ['a'], producer: producer(0) }))
  room = 0
  const lost = commit(log, batchOf({ values: ['b'], producer: producer(1) }))
  const queued = commit(log, batchOf({ values: ['c'], producer: producer(2) }))
  await t.rejects(lost, { code: 'DISK_FULL', maybeApplied: false })
  await t.rejects(queued, { code: 'DISK_FULL', maybeApplied: false })
  t.equal(log.logEndOffset, 1)
  t.throws(() => log.appendAsLeader(batchOf({ values: ['d'] })), { code: 'DISK_FULL' })
  t.strictSame(valuesOf(await readAll(log)), ['a'])
  room = Infinity
  await fixture.advance(2000)
  t.equal(await commit(log, batchOf({ values: ['b'], producer: producer(1) })), 1)
  const again = await openFixture({ fixture })
  t.strictSame(valuesOf(await readAll(again.log)), ['a', 'b'])
  t.strictSame(fixture.deaths, [])
})

t.test('a burst between two looks at the disk does not eat up what is kept free', async t => {
  let room = 3000
  const disk = new FaultDisk(new MemoryDisk(), { freeBytes: () => room })
  const limits = { minFreeBytes: 1000, reserveBytes: 0 }
  const { log, fixture } = await openFixture({ fixture: new FixtureWorld(disk), limits })
  const batch = () => batchOf({ values: ['x'.repeat(500)] })
  const fitting = Math.floor(2000 / batch().byteLength)
  for (let n = 0; n < fitting; n++) await commit(log, batch())
  t.throws(() => log.appendAsLeader(batch()), { code: 'DISK_FULL' })
  room = 2500
  await fixture.advance(1000)
  await commit(log, batch())
  t.strictSame(fixture.deaths, [])
})

t.test('a failed fsync ends the process and acks nothing', async t => {
  const disk = new FaultDisk(new MemoryDisk(), {
    syncError: path => (path.endsWith('.log') ? new DiskError('io', path, 'EIO') : undefined),
  })
  const { log, fixture } = await openFixture({ fixture: new FixtureWorld(disk) })
  let answered = false
  commit(log, batchOf({ values: ['a'] })).finally(() => {
    answered = true
  })
  await settle()
  t.equal(fixture.deaths.length, 1)
  t.notOk(answered)
  t.equal(log.highWatermark, 0)
})

t.test('an fsync that fails while a log is opened ends the process too', async t => {
  const { log, fixture } = await openFixture()
  await commit(log, batchOf({ values: ['a'] }))
  const disk = new FaultDisk(fixture.disk, {
    syncError: path => (path.endsWith('.log') ? new DiskError('io', path, 'EIO') : undefined),
  })
  const dying = new FixtureWorld(disk)
  let isOpen = false
  void openFixture({ fixture: dying }).then(() => {
    isOpen = true
  })
  await settle()
  t.match(dying.deaths, [/an fsync in \/data failed/])
  t.notOk(isOpen)
})

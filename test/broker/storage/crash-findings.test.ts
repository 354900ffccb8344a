/**
 * What the crash lane and the corruption sweep have found, each as the smallest test that shows it.
 */
import t from 'tap'
import { segmentFileName } from '../../../broker/storage/file-names.ts'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { batchSizeAt } from '../../../protocol/records/batch-header.ts'
import { loseEverything } from '../../simulation/power-loss.ts'
import { CrashRun } from '../../support/crash-run.ts'
import { batchOf, readAll } from '../../support/storage-fixture.ts'

t.test('S12: the epoch that a recovery opened outlives a clean stop without an append', async t => {
  const settings = { flush: 'os' } as const
  const run = new CrashRun({ settings })
  await run.open()
  run.append(3)
  await run.settle()
  const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
  const again = new CrashRun({ settings, image })
  await again.open()
  t.equal(again.log.leaderEpoch, 1, 'the lost records were of epoch 0')
  await again.restart()
  t.equal(again.log.leaderEpoch, 1, 'and epoch 0 is not given to others at their offsets')
  again.append(1)
  await again.settle()
  t.equal(again.log.epochBefore(1), 1)
})

t.test(
  'epochs that recovery found in the log and not in the file outlive a clean stop',
  async t => {
    const run = new CrashRun({ settings: {} })
    await run.open()
    run.append(3)
    await run.settle()
    await run.disk.removeFile('/data/orders-0/leader-epoch-checkpoint')
    const again = new CrashRun({ settings: {}, image: run.disk.platter.cachedImage() })
    await again.open()
    t.equal(again.log.epochBefore(3), 0, 'recovery reads them from the batches')
    await again.restart()
    t.equal(again.log.epochBefore(3), 0)
    t.strictSame(again.log.endOffsetForEpoch(0), { epoch: 0, endOffset: 3 })
    t.equal(again.log.leaderEpoch, 1)
    await again.logs.closeCleanly()
    await again.disk.removeFile('/data/orders-0/leader-epoch-checkpoint')
    await again.open()
    t.equal(again.log.epochBefore(3), 0, 'and where the file goes after the clean stop, too')
  },
)

t.test('a directory of a dead topic goes under a name that no topic has', async t => {
  const run = new CrashRun({ settings: {} })
  await run.open()
  run.append(3)
  await run.settle()
  run.disk.before = ({ name, path }) => {
    if (name === 'remove') t.match(path, /\.del(\/|$)/, 'the files go when nobody can adopt them')
    return undefined
  }
  const again = new CrashRun({ settings: {}, disk: run.disk })
  const logs = await openLogs({
    dataDir: '/data',
    world: again.fixture.world(),
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  })
  await logs.findUnknown(new Set())
  await logs.removeDirectory('/data/orders-0')
  await run.settle()
  t.strictSame(await run.disk.list('/data'), ['space-reserve'])
})

const small = { segmentBytes: 600, indexIntervalBytes: 100 }

/** A log of several segments that was closed cleanly, whose files a test may damage. */
async function closedLog(): Promise<CrashRun> {
  const run = new CrashRun({ settings: small })
  await run.open()
  for (let i = 0; i < 12; i++) {
    run.append(3, { idempotent: true })
    await run.settle()
  }
  await run.logs.closeCleanly()
  return run
}

async function change(
  { disk }: CrashRun,
  name: string,
  edit: (bytes: Uint8Array) => void,
): Promise<void> {
  const file = await disk.open(`/data/orders-0/${name}`, 'update')
  const bytes = await file.read(0, await file.size())
  edit(bytes)
  await file.write([bytes], 0)
  await file.close()
}

t.test('a bit that flips in a time index hides no record from a look-up', async t => {
  const run = await closedLog()
  // The first entry says then that everything up to it is very old.
  await change(run, segmentFileName(0, 'timeindex'), bytes => bytes.fill(0, 4, 8))
  await run.open()
  t.match(await run.log.offsetForTimestamp(1_000_000 + 3 * 7), { offset: 3 })
})

t.test('a missing index is made anew from the batches', async t => {
  const run = await closedLog()
  await run.disk.removeFile(`/data/orders-0/${segmentFileName(0, 'index')}`)
  await run.open()
  t.equal((await readAll(run.log)).length, 36)
})

t.test('a header that was damaged does not turn a look-up by time aside', async t => {
  const run = await closedLog()
  const maxTimestampAt = 35
  await change(run, segmentFileName(0, 'log'), bytes =>
    bytes.fill(0, maxTimestampAt, maxTimestampAt + 8),
  )
  await run.open()
  await t.rejects(run.log.offsetForTimestamp(1_000_000), { code: 'KAFKA_STORAGE_ERROR' })
})

t.test('S13: a changed base offset of the very batch that is read is found', async t => {
  const run = await closedLog()
  const sizeBytes = batchSizeAt(await fileOf(run, segmentFileName(0, 'log')), 0)
  for (const position of [0, sizeBytes]) {
    await change(run, segmentFileName(0, 'log'), bytes => {
      bytes[position + 7] = (bytes[position + 7] ?? 0) ^ 1
    })
    await run.open()
    const offset = position === 0 ? 1 : 3
    const read = async () => run.log.read(offset, 1, { isolation: 'uncommitted' })
    await t.rejects(read, { code: 'KAFKA_STORAGE_ERROR' })
    await run.logs.closeCleanly()
    await change(run, segmentFileName(0, 'log'), bytes => {
      bytes[position + 7] = (bytes[position + 7] ?? 0) ^ 1
    })
  }
})

t.test('S13: a changed epoch of a batch is found by every cold read', async t => {
  const run = await closedLog()
  await change(run, segmentFileName(0, 'log'), bytes => {
    bytes[15] = 1
  })
  await run.open()
  await t.rejects(readAll(run.log), { code: 'KAFKA_STORAGE_ERROR' })
})

t.test('a changed epoch file is not believed', async t => {
  const run = await closedLog()
  await change(run, 'epochs', bytes => {
    const digit = bytes.lastIndexOf(0x30)
    bytes[digit] = 0x31
  })
  await run.open()
  t.strictSame(run.log.endOffsetForEpoch(0), { epoch: 0, endOffset: 36 })
})

t.test('a producer snapshot that lies where another belongs is not believed', async t => {
  const run = await closedLog()
  const names = (await run.disk.list('/data/orders-0')).filter(name => name.endsWith('.producers'))
  t.equal(names.length, 2)
  const [older = '', newer = ''] = names
  await run.disk.rename(`/data/orders-0/${older}`, `/data/orders-0/${newer}`)
  await run.open()
  const again = batchOf({
    values: run.promised().values.slice(33),
    producer: { id: 7, sequence: 33 },
  })
  t.match(run.log.appendAsLeader(again), { baseOffset: 33, duplicate: true })
})

t.test('a producer snapshot that cannot be read does not count as one', async t => {
  const run = await closedLog()
  const names = (await run.disk.list('/data/orders-0')).filter(name => name.endsWith('.producers'))
  const newest = names.at(-1) ?? ''
  await change(run, newest, bytes => {
    bytes[bytes.length - 2] = 0
  })
  await run.open()
  t.match(run.log.describe(), { state: 'ok', producers: 1 })
  const read = await fileOf(run, newest)
  t.not(read.at(-2), 0, 'recovery wrote it anew')
})

t.test('a log file that lies in the place of another is not served', async t => {
  const run = await closedLog()
  const other = new CrashRun({ settings: { segmentBytes: 600, indexIntervalBytes: 100 } })
  await other.open()
  other.append(3, { valueBytes: 20 })
  await other.settle()
  const foreign = await fileOf(other, segmentFileName(0, 'log'))
  const file = await run.disk.open(`/data/orders-0/${segmentFileName(0, 'log')}`, 'update')
  await file.truncate(foreign.length)
  await file.write([foreign], 0)
  await run.open()
  t.match(run.log.describe().state, 'quarantined')
  t.equal(run.log.highWatermark, 0)
})

async function fileOf({ disk }: CrashRun, name: string): Promise<Uint8Array> {
  const file = await disk.open(`/data/orders-0/${name}`, 'read')
  return file.read(0, await file.size())
}

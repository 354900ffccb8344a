/**
 * What a failed fsync left behind is made durable, with whatever room there is; what a recovery
 * that was cut short left behind is finished by the next one, or kept aside.
 */
import t from 'tap'
import { loseEverything } from '../../simulation/power-loss.ts'
import type { CrashFault, CrashOperation } from '../../support/crash-disk.ts'
import { plansFor } from '../../support/crash-plans.ts'
import { CrashRun } from '../../support/crash-run.ts'
import { directory, fill, logPath } from '../../support/storage-rules.ts'

const settings = { segmentBytes: 1_000_000 }

/** A log of four batches, the last two of them in a tail file too, and the position of that. */
async function withTail() {
  const run = new CrashRun({ settings })
  await run.open()
  await fill(run, 2)
  const position = run.log.describe().sizeBytes
  await fill(run, 2)
  const log = await run.disk.open(logPath(0), 'update')
  const bytes = await log.read(position, (await log.size()) - position)
  const path = `${logPath(0)}.${position}.tail`
  const tail = await run.disk.open(path, 'create')
  await tail.write([bytes], 0)
  await tail.close()
  return { run, log, position, end: run.log.highWatermark, path }
}

async function reopened(run: CrashRun): Promise<CrashRun> {
  const again = new CrashRun({ settings, image: run.disk.platter.cachedImage() })
  await again.open()
  return again
}

t.test('a log that was cut and not written anew gets its tail back', async t => {
  const { run, log, position, end } = await withTail()
  await log.truncate(position)
  const again = await reopened(run)
  t.equal(again.log.highWatermark, end)
  t.equal(again.log.describe().state, 'ok')
  t.notOk((await again.disk.list(directory)).some(name => name.endsWith('.tail')))
})

t.test('a log that was written anew in part, or wholly, is as its tail says', async t => {
  for (const kept of [20, 100_000]) {
    const { run, log, position, end } = await withTail()
    if (kept < 100) await log.truncate(position + kept)
    const again = await reopened(run)
    t.equal(again.log.highWatermark, end)
  }
})

t.test('a tail of another log is kept, and never written to this one', async t => {
  const { run, log, position } = await withTail()
  await log.truncate(0)
  const again = await reopened(run)
  t.ok(await again.disk.stat(`${logPath(0)}.${position}.cut`))
  t.notOk((await again.disk.list(directory)).some(name => name.endsWith('.tail')))
})

const reservePath = '/data/space-reserve'
const reserveBytes = 100

/** A log with 91 records acked, and 30 more behind an fsync that failed; no checkpoint knows it. */
async function withFailedSync(): Promise<CrashRun> {
  const run = new CrashRun({ settings, limits: { reserveBytes } })
  await run.open()
  run.append(1)
  await run.settle()
  await run.tick()
  run.append(90)
  await run.settle()
  run.disk.before = ({ name, path }) =>
    name === 'sync' && path.endsWith('.log') ? 'io' : undefined
  run.append(30)
  await run.settle()
  run.disk.before = undefined
  return run
}

/** A file system on which a tail file may have so many bytes and no more. */
const roomFor =
  (most: number) =>
  ({ name, path, bytes = 0 }: CrashOperation): CrashFault =>
    name === 'write' && path.includes('.tail') && bytes > most ? 'noSpace' : undefined

t.test('where a copy of the whole tail finds no room it is saved in pieces', async t => {
  const run = await withFailedSync()
  const noRoom = roomFor(700)
  const images: { at: string; image: ReturnType<typeof run.disk.platter.cachedImage> }[] = []
  let pieces = 0
  run.disk.before = operation => {
    const at = `${operation.name} ${operation.path}`
    const { platter } = run.disk
    if (at.endsWith('.tail.tmp') && operation.name === 'rename') pieces++
    for (const plan of plansFor(platter, images.length)) {
      images.push({ at, image: platter.imageAfterPowerLoss(plan) })
    }
    images.push({ at, image: platter.cachedImage() })
    return noRoom(operation)
  }
  const again = new CrashRun({ settings, disk: run.disk, limits: { reserveBytes } })
  await again.open()
  run.disk.before = undefined
  t.ok(pieces > 2, `${pieces} pieces`)
  t.equal(again.log.highWatermark, 121, 'what the page cache holds is kept')
  t.notOk((await run.disk.list(directory)).some(name => name.includes('.tail')))
  images.push({ at: 'the end', image: run.disk.platter.imageAfterPowerLoss(loseEverything) })
  for (const { at, image } of images) {
    const third = new CrashRun({ settings, image, limits: { reserveBytes } })
    third.disk.before = noRoom
    await third.open()
    const { state } = third.log.describe()
    if (state === 'ok' && third.log.highWatermark >= (at === 'the end' ? 121 : 91)) continue
    t.fail(`power loss at ${at}: ${state}, ${third.log.highWatermark} records`)
  }
})

t.test('where not even one piece does, recovery has the room of the reserve', async t => {
  const run = await withFailedSync()
  t.equal((await run.disk.stat(reservePath))?.size, reserveBytes)
  let removals = 0
  run.disk.before = ({ name, path }) => {
    if (name === 'remove' && path === reservePath) removals++
    return name === 'create' && removals === 0 ? 'noSpace' : undefined
  }
  const again = new CrashRun({ settings, disk: run.disk, limits: { reserveBytes } })
  await again.open()
  t.equal(again.log.highWatermark, 121)
  t.equal(removals, 1)
  t.equal((await run.disk.stat(reservePath))?.size, reserveBytes, 'and it is made again')
})

t.test('a tail that finds no room at all keeps the log from opening, and is not lost', async t => {
  const run = await withFailedSync()
  for (const most of [0, 300]) {
    run.disk.before = roomFor(most)
    const again = new CrashRun({ settings, disk: run.disk, limits: { reserveBytes: 0 } })
    await t.rejects(again.open(), { code: 'DISK_FULL', message: /no space to open the log/ })
  }
  run.disk.before = undefined
  const third = new CrashRun({ settings, disk: run.disk })
  await third.open()
  t.equal(third.log.highWatermark, 121)
})

/** What a recovery that was cut short left behind is finished by the next one, or kept aside. */
import t from 'tap'
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

/** The checkpoint of all logs and the marker of a clean shutdown. */
import t from 'tap'
import { CheckpointStore } from '../../../broker/storage/checkpoint-store.ts'
import type { LogCheckpoint } from '../../../broker/storage/load-types.ts'
import { SimRandom } from '../../simulation/sim-random.ts'
import { CrashDisk } from '../../support/crash-disk.ts'
import { plansFor } from '../../support/crash-plans.ts'
import { FixtureWorld, settle } from '../../support/storage-fixture.ts'

const row = (logStartOffset: number): LogCheckpoint => ({
  topicId: 'a',
  partition: 0,
  logStartOffset,
  recovery: { offset: 5, segmentBase: 0, position: 100 },
  flush: 'commit',
  active: null,
  snapshotOffset: null,
})

let seed = 1

function storeOn(disk: CrashDisk, collect: () => Promise<LogCheckpoint[]>) {
  const fixture = new FixtureWorld(disk)
  const { process } = fixture.world()
  const random = new SimRandom(seed++)
  const store = new CheckpointStore({ disk, process, random, directory: '/', collect })
  return { store, fixture }
}

t.test('a write covers every change made before it was asked for', async t => {
  const disk = new CrashDisk()
  let start = 0
  let collected = 0
  const { store } = storeOn(disk, async () => {
    collected++
    const rows = [row(start)]
    await Promise.resolve()
    return rows
  })
  const first = store.writeNow()
  start = 1
  const second = store.writeNow()
  start = 2
  const third = store.writeNow()
  await Promise.all([first, second, third])
  t.equal(collected, 2, 'those that wait share one write')
  const { logs } = await storeOn(disk, async () => []).store.load()
  t.strictSame(logs, [row(2)])
})

t.test('a checkpoint that was loaded is still there after a power loss', async t => {
  const disk = new CrashDisk()
  let start = 1
  const { store } = storeOn(disk, async () => [row(start)])
  await store.writeNow()
  start = 2
  // The process dies between the rename and the sync of the directory.
  disk.before = ({ name }) => (name === 'syncDirectory' ? 'io' : undefined)
  store.writeNow().catch(() => {})
  await settle()
  disk.before = undefined
  const load = (on: CrashDisk) => storeOn(on, async () => []).store.load()
  t.match(await load(disk), { logs: [row(2)] })
  for (const plan of plansFor(disk.platter, 1)) {
    const after = new CrashDisk(disk.platter.imageAfterPowerLoss(plan))
    t.match(await load(after), { logs: [row(2)] })
  }
})

t.test('a marker counts once, and only with the checkpoint that it names', async t => {
  const disk = new CrashDisk()
  let start = 1
  const { store } = storeOn(disk, async () => [row(start)])
  await store.writeNow()
  await store.markClean()
  const cleanImage = disk.platter.cachedImage()
  const load = (on: CrashDisk) => storeOn(on, async () => []).store.load()
  t.match(await load(disk), { clean: true, logs: [row(1)], damaged: null })
  t.match(await load(disk), { clean: false, logs: [row(1)] })
  const back = new CrashDisk(cleanImage)
  start = 2
  await storeOn(back, async () => [row(start)]).store.writeNow()
  t.match(await load(back), { clean: false }, 'a marker that came back')
})

t.test('a full disk keeps the old checkpoint, any other failure ends the process', async t => {
  const disk = new CrashDisk()
  let start = 1
  const { store, fixture } = storeOn(disk, async () => [row(start)])
  await store.writeNow()
  start = 2
  disk.before = ({ name }) => (name === 'write' ? 'short' : undefined)
  await t.rejects(store.writeNow(), { code: 'DISK_FULL' })
  t.strictSame((await storeOn(disk, async () => []).store.load()).logs, [row(1)])
  disk.before = ({ name }) => (name === 'sync' ? 'noSpace' : undefined)
  void store.writeNow()
  for (let i = 0; i < 20; i++) await Promise.resolve()
  t.equal(fixture.deaths.length, 1)
})

t.test('a checkpoint of a newer version is refused, a damaged one counts as none', async t => {
  const disk = new CrashDisk()
  await storeOn(disk, async () => [row(1)]).store.writeNow()
  const file = await disk.open('/log-checkpoint', 'update')
  const text = new TextDecoder().decode(await file.read(0, 1000))
  await file.write([new TextEncoder().encode(text.replace('logs 1', 'logs 2'))], 0)
  await t.rejects(storeOn(disk, async () => []).store.load(), { code: 'NEWER_FORMAT' })
  await file.truncate(30)
  t.match(await storeOn(disk, async () => []).store.load(), { logs: [], damaged: /./ })
})

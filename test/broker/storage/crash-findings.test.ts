/**
 * What the crash lane and the corruption sweep have found, each as the smallest test that shows it.
 */
import t from 'tap'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { loseEverything } from '../../simulation/power-loss.ts'
import { CrashRun } from '../../support/crash-run.ts'

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
  t.strictSame(await run.disk.list('/data'), [])
})

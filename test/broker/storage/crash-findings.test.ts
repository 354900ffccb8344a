/**
 * What the crash lane and the corruption sweep have found, each as the smallest test that shows it.
 */
import t from 'tap'
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

/** A small workload with a full or failing disk at each of its calls that change something. */
import assert from 'node:assert/strict'
import t from 'tap'
import { DiskError } from '../../../broker/world/disk.ts'
import { loseEverything } from '../../simulation/power-loss.ts'
import { checkCrash } from '../../support/crash-check.ts'
import type { CrashFault, CrashOperation } from '../../support/crash-disk.ts'
import { CrashRun } from '../../support/crash-run.ts'

const settings = { segmentBytes: 400, indexIntervalBytes: 100, retentionBytes: 900 }

/** What is done whatever happens; a step that the full disk refuses is left out. */
const steps: ((run: CrashRun) => unknown)[] = [
  run => run.append(2, { idempotent: true }),
  run => run.append(3),
  run => run.settle(),
  run => run.append(5, { idempotent: true }),
  run => run.append(5),
  run => run.settle(),
  run => run.trim(Math.min(4, run.log.highWatermark)),
  run => run.tick(),
  run => run.append(6, { idempotent: true }),
  run => run.settle(),
  run => run.tick(400_000),
  run => run.append(6),
  run => run.settle(),
  run => run.restart(),
  run => run.append(6, { idempotent: true }),
  run => run.settle(),
]

async function work(run: CrashRun): Promise<void> {
  await tolerant(() => run.open())
  for (const step of steps) await tolerant(() => step(run))
}

/** A dead process hangs: nobody waits for it longer than it takes everything else to settle. */
async function tolerant(step: () => unknown): Promise<void> {
  const done = (async () => step())().catch(error => {
    // The broker does not start, or a trim is not answered with success.
    if (error instanceof DiskError) return
    const code = (error as { code?: string }).code ?? (error as Error).message
    if (!['DISK_FULL', 'the log is not open', 'the logs are not open', 'CLOSED'].includes(code)) {
      throw error
    }
  })
  let turns = 0
  const giveUp = (async () => {
    while (turns++ < 12) await new Promise(resolve => setImmediate(resolve))
  })()
  await Promise.race([done, giveUp])
}

async function countOperations(): Promise<CrashOperation[]> {
  const operations: CrashOperation[] = []
  const run = new CrashRun({ settings })
  run.disk.before = operation => {
    operations.push(operation)
    return undefined
  }
  await work(run)
  assert.deepEqual(run.fixture.deaths, [])
  return operations
}

/** Runs the workload with `fault` at the calls from `first` to `last`. */
async function runWith(fault: CrashFault, first: number, last: number): Promise<CrashRun> {
  const run = new CrashRun({ settings })
  let count = 0
  run.disk.before = () => {
    const at = count++
    return at >= first && at <= last && run.fixture.deaths.length === 0 ? fault : undefined
  }
  await work(run)
  return run
}

const isSync = (operation: CrashOperation | undefined) =>
  operation?.name === 'sync' || operation?.name === 'syncDirectory'

/** What a restart on the same machine finds, and what a power loss after that restart leaves. */
async function checkRestart(run: CrashRun): Promise<void> {
  const promised = run.promised()
  run.disk.before = undefined
  const again = new CrashRun({ settings, disk: run.disk })
  await again.open()
  const recovered = again.log.highWatermark
  assert.ok(recovered >= promised.acked, `${recovered} >= ${promised.acked} acked`)
  const image = run.disk.platter.imageAfterPowerLoss(loseEverything)
  const later = { ...promised, startMax: Math.max(promised.startMax, again.log.logStartOffset) }
  await checkCrash({ image, promised: later, required: recovered, options: { settings } })
}

t.test('a disk without room at any call loses nothing acked and is no reason to die', async t => {
  const operations = await countOperations()
  for (const [fault, length] of [
    ['noSpace', 1],
    ['noSpace', 25],
    ['short', 1],
  ] as const) {
    for (let first = 0; first < operations.length; first++) {
      if (fault === 'short' && operations[first]?.name !== 'write') continue
      const run = await runWith(fault, first, first + length - 1)
      const where = `${fault} × ${length} at call ${first}, ${JSON.stringify(operations[first])}`
      try {
        const hitSync = operations.slice(first, first + length).some(isSync) || length > 1
        if (!hitSync) assert.deepEqual(run.fixture.deaths, [])
        if (run.fixture.deaths.length === 0) await goesOn(run)
        await checkRestart(run)
      } catch (error) {
        t.fail(`${where}: ${error}`, { stack: (error as Error).stack ?? '' })
        return
      }
    }
  }
  t.ok(operations.length > 60, `${operations.length} calls`)
})

/**
 * The same process takes records again once there is room, and leaves no file open when it ends.
 */
async function goesOn(run: CrashRun): Promise<void> {
  run.disk.before = undefined
  await run.tick(2000)
  try {
    run.append(1)
  } catch (error) {
    // The fault hit the restart within the workload: nothing is open.
    if ((error as { code?: string }).code === 'CLOSED' || !(error as { code?: string }).code) return
    throw error
  }
  await run.settle()
  assert.equal(run.log.highWatermark, run.log.logEndOffset, 'it takes records again')
  await run.restart()
  assert.equal(run.log.leaderEpoch, run.log.epochBefore(run.log.highWatermark), 'it closed cleanly')
  await run.logs.closeCleanly()
  assert.equal(run.disk.openFiles, 0, 'no file is left open')
}

t.test(
  'an I/O error at any call acks nothing that a restart and a power loss take away',
  async t => {
    const operations = await countOperations()
    let deaths = 0
    for (let first = 0; first < operations.length; first++) {
      const operation = operations[first]
      try {
        const run = await runWith('io', first, first)
        deaths += run.fixture.deaths.length
        const isLogSync = operation?.name === 'sync' && operation.path.endsWith('.log')
        if (isLogSync && first > 10)
          assert.equal(run.fixture.deaths.length, 1, 'a failed fsync is fatal')
        await checkRestart(run)
      } catch (error) {
        t.fail(`io at call ${first}, ${JSON.stringify(operation)}: ${error}`, {
          stack: (error as Error).stack ?? '',
        })
        return
      }
    }
    t.ok(deaths > 10, `${deaths} deaths`)
  },
)

/**
 * Running seeds: failures with their replay command, re-runs that prove determinism, the command
 * line.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Scenario } from './scenario.ts'
import { neverStruck, requireSameDigest, runSeed, runSeeds } from './scenario.ts'
import { simulate } from './simulate.ts'
import { count } from './strikes.ts'

const sleepy: Scenario = { name: 'sleepy', run: world => world.sleep(world.random.below(1000)) }

t.test('all seeds pass, and 2 % of them are run twice', async t => {
  const summary = await runSeeds({ scenarios: [sleepy], firstSeed: 1, seeds: 100 })
  t.match(summary, { passed: 100, failures: [], rerun: 2, events: 100 })
  t.ok(summary.virtualMs > 10_000)
})

t.test(
  'a failing seed names itself and how to repeat it, and does not stop the others',
  async t => {
    const picky: Scenario = {
      name: 'picky',
      run: async world => {
        await world.sleep(5)
        if (world.seed % 10 === 7) throw new Error('seven')
      },
    }
    const summary = await runSeeds({ scenarios: [picky], firstSeed: 1, seeds: 30 })
    t.equal(summary.passed, 27)
    t.same(
      summary.failures.map(({ seed }) => seed),
      [7, 17, 27],
    )
    const [first] = summary.failures
    t.match(first?.message, /^picky, seed 7, at 5\.000 ms: Error: seven/)
    t.match(first?.message, /npm run sim -- --scenario picky --seed 7/)
  },
)

t.test('a fault that struck in none of many seeds is named', async t => {
  const tame: Scenario = {
    name: 'tame',
    faults: ['often', 'once', 'never'],
    run: async ({ seed, strikes }) => {
      count(strikes, 'often')
      if (seed === 77) count(strikes, 'once')
    },
  }
  const summary = await runSeeds({ scenarios: [tame], firstSeed: 1, seeds: 1000 })
  t.same(summary.strikes.get('tame'), new Map([...Object.entries({ often: 1000, once: 1 })]))
  t.same(neverStruck([tame], summary, 1000), ['tame: the fault never struck in none of 1000 seeds'])
  t.same(neverStruck([tame, sleepy], summary, 999), [], 'a few seeds prove nothing')
})

t.test('after some failures no further seed is begun', async t => {
  const broken: Scenario = { name: 'broken', run: () => Promise.reject(new Error('always')) }
  const options = { scenarios: [broken], firstSeed: 1, seeds: 100, maxFailures: 3 }
  t.equal((await runSeeds(options)).failures.length, 3)
})

t.test('a run that is not repeatable fails with the first event that differs', async t => {
  let runs = 0
  const fickle: Scenario = {
    name: 'fickle',
    run: async world => {
      await world.sleep(1)
      await world.sleep(++runs)
    },
  }
  const first = await runSeed(fickle, 1)
  const again = requireSameDigest(fickle, 1, first)
  await t.rejects(again, { message: /two runs differ.*event 1: 4 sleep against 5 sleep/s })
  await requireSameDigest(sleepy, 1, await runSeed(sleepy, 1))
})

t.test('a scenario has the virtual time that it asks for', async t => {
  const slow: Scenario = { name: 'slow', deadlineMs: 1000, run: world => world.sleep(2000) }
  await t.rejects(runSeed(slow, 1), { message: /beyond the virtual deadline of 1000 ms/ })
})

t.test('a story in a unit test runs on its seeds and names the one that failed', async t => {
  const seen: number[] = []
  await simulate(t, { seeds: 3, firstSeed: 5 }, async world => {
    seen.push(world.seed)
    await world.sleep(1)
  })
  t.same(seen, [5, 6, 7])
  const failing = simulate(t, { seeds: 3 }, async world => {
    if (world.seed === 2) throw new Error('two')
  })
  await t.rejects(failing, { message: /seed 2,.*simulate with \{ firstSeed: 2, seeds: 1 \}/s })
})

t.test('the command line runs seeds, replays one, and names what is wrong', async t => {
  const replay = run('--seed', '3', '--scenario', 'durable-journal')
  t.equal(replay.status, 0)
  t.match(replay.stdout.trim().split('\n').at(-1), /^1 runs passed, 0 failed; .* virtual minutes/)
  const two = run('--seeds', '2', '--scenario', 'durable-journal').stdout
  t.match(two, /^durable-journal was struck by .*power \d+.*\n2 runs passed/)
  t.match(run('--scenario', 'nope'), { status: 2, stderr: /no scenario is named nope; there are/ })
  t.match(run('--seed', 'x'), { status: 2, stderr: /--seed x: give a whole number/ })
  t.match(run('--sed', '1'), { status: 2, stderr: /--sed/ })
})

function run(...args: string[]) {
  const program = fileURLToPath(new URL('./run.js', import.meta.url))
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
}

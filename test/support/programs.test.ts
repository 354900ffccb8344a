/**
 * The runner is the judge of all other tests, so each way in which a test program can go wrong is
 * tried here on a small program of its own, and must end as a failure that names it.
 */
import t, { type Test } from 'tap'
import { programsOf, runPrograms } from './programs.ts'
import { renderFailures, renderTotals } from './report.ts'
import type { Totals } from './tap-tree.ts'

interface Ran {
  readonly totals: Totals
  readonly lines: readonly string[]
}

/** Runs the given programs (file name → body) with little patience. */
async function run(t: Test, programs: Readonly<Record<string, string>>): Promise<Ran> {
  const bodies = Object.entries(programs).map(([name, body]) => [
    name,
    `import t from 'tap'\n${body}`,
  ])
  const folder = t.testdir({ 'package.json': '{"type":"module"}', ...Object.fromEntries(bodies) })
  const lines: string[] = []
  const totals = await runPrograms(
    Object.keys(programs).map(file => ({ file, testTimeoutMs: 1000 })),
    { folder, graceMs: 2000, printLine: line => lines.push(line) },
  )
  return { totals, lines }
}

const failureOf = (ran: Ran, file: string): string =>
  renderFailures(ran.totals.failures.filter(failure => failure.path[0] === file))

t.test('a leaf counts once, whatever it asserts; containers do not count', async t => {
  const ran = await run(t, {
    'a.js': `
      t.test('one', async t => { t.ok(1); t.ok(2); t.ok(3) })
      t.test('container', async t => {
        t.test('inner', async t => t.ok(1))
        t.test('other', async t => t.ok(1))
        t.ok('an assertion beside them')
      })
      t.test('not today', { skip: true }, async t => t.ok(1))`,
    'b.js': `t.test('only', async t => t.ok(1))`,
  })
  t.equal(renderTotals(ran.totals), '4 passed, 0 failed, 1 skipped')
  t.match(ran.lines.join('\n'), /ok +a +4 tests/)
})

const good = `t.test('good', async t => t.ok(1))\n`

t.test('a failed test is shown with its place and its difference', async t => {
  const ran = await run(t, {
    'asserts.js': `${good}t.test('bad', async t => { t.equal(1, 2, 'sums'); t.equal(3, 4) })`,
    'throws.js': `${good}t.test('bad', async () => { throw new Error('thrown inside') })`,
    'nested.js': `t.test('bad', async t => { t.test('in', async t => t.ok(1)); t.ok(0, 'mine') })`,
  })
  t.equal(renderTotals(ran.totals), '3 passed, 3 failed, 0 skipped')
  const asserts = failureOf(ran, 'asserts.js')
  t.match(asserts, /✖ asserts\.js › bad › sums: failed\n +at .*asserts\.js:3:\d+/)
  t.match(asserts, /-2\n +\+1/)
  t.match(asserts, /bad › should be equal/, 'the second assertion is shown too')
  t.match(failureOf(ran, 'throws.js'), /bad › thrown inside/)
  t.match(failureOf(ran, 'nested.js'), /nested\.js › bad › mine/)
})

t.test('a program that goes wrong as a whole is a failure that names it', async t => {
  const programs = {
    'crash.js': `${good}t.test('bad', async () => { process.kill(process.pid, 'SIGKILL') })`,
    'exit.js': `${good}t.test('bad', async () => { process.exit(0) })
      t.test('next', async t => t.ok(1))
      t.test('last', async t => t.ok(1))`,
    'late.js': `${good}process.on('exit', () => { process.exitCode = 3 })`,
    'hangs.js': `${good}t.test('bad', t => { setInterval(() => undefined, 1e6) })`,
    'spins.js': `${good}t.test('bad', async t => { await 1; for (;;); })`,
    'empty.js': `export const nothing = t`,
    'load.js': `${good}await import('./nowhere.js')`,
    'float.js': `${good}t.test('bad', async t => { t.ok(1); Promise.reject(Error('floating')) })`,
  }
  const ran = await run(t, programs)
  for (const name of Object.keys(programs)) t.not(failureOf(ran, name), '', `${name} failed`)
  t.equal(ran.totals.passed >= 6, true, 'what was good before still counts')
  t.match(failureOf(ran, 'empty.js'), /empty\.js: ran no test/)
  t.match(failureOf(ran, 'crash.js'), /crash\.js: was ended by SIGKILL/)
  t.match(failureOf(ran, 'hangs.js'), /hangs\.js › bad[\s\S]*timeout/)
  t.match(failureOf(ran, 'spins.js'), /spins\.js: said nothing for 3 s/)
  t.match(failureOf(ran, 'float.js'), /floating/)
  t.match(failureOf(ran, 'exit.js'), /exit\.js › bad[\s\S]*✖ not run after that: .*last/)
})

t.test('files of a suite share a program, files of test/integration have their own', async t => {
  const files = ['test/client/a.test.ts', 'test/client/b.test.ts', 'test/integration/c.test.ts']
  t.same(
    programsOf(files).map(({ file }) => file),
    ['dist/test/client.suite.js', 'dist/test/integration/c.test.js'],
  )
})

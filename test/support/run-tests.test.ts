/**
 * The command behind `npm test`, run as a command, because its exit code and its last line are what
 * others rely on.
 */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { exitCodeOf } from './report.ts'
import { compiledPath } from './repository.ts'
import { newTotals } from './tap-tree.ts'

function command(...filters: string[]): { status: number | null; lastLine: string } {
  const program = compiledPath('test/support/run-tests.ts')
  const { status, stdout } = spawnSync(process.execPath, [program, ...filters], {
    encoding: 'utf8',
  })
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

t.test('it runs the files that were asked for, and the last line counts them', async t => {
  t.same(command('test/tidy/suites'), { status: 0, lastLine: '4 passed, 0 failed, 0 skipped' })
})

t.test('asking for what is not there is a failure', async t => {
  t.same(command('no/such/file'), { status: 1, lastLine: '0 passed, 0 failed, 0 skipped' })
})

t.test('a failed test fails the run, and in CI a skipped one too', async t => {
  const totals = { ...newTotals(), passed: 3 }
  t.equal(exitCodeOf(totals, true), 0)
  t.equal(exitCodeOf({ ...totals, failed: 1 }, false), 1)
  t.equal(exitCodeOf({ ...totals, skipped: 1 }, false), 0)
  t.equal(exitCodeOf({ ...totals, skipped: 1 }, true), 1)
  t.equal(exitCodeOf({ ...totals, passed: 0 }, false), 1)
})

/**
 * RunTests: `npm test`. Runs the test programs and says what came of it.
 *
 *   npm test                      everything
 *   npm test -- storage/segment   only test files whose path contains one of the arguments
 *
 * Always true: the last line counts leaf tests; the exit code is 0 only when none failed and at
 * least one passed. A crash, a timeout and a program without a test are failures; with CI=true so
 * is a skipped test.
 */
import { programsOf, runPrograms } from './programs.ts'
import { exitCodeOf, renderFailures, renderTotals } from './report.ts'
import { root } from './repository.ts'
import { filterVariable, testFiles } from './suites.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const filters = process.argv.slice(2)
const files = testFiles(filters)
const totals = await runPrograms(programsOf(files), {
  folder: root,
  variables: { [filterVariable]: JSON.stringify(filters) },
  printLine: print,
})
print('')
if (totals.failed > 0) print(renderFailures(totals.failures))
if (files.length === 0) print(`no test file has ${filters.join(' or ')} in its path`)
const isSkipForbidden = process.env['CI'] === 'true'
if (isSkipForbidden && totals.skipped > 0) print('with CI=true no test may be skipped')
print(renderTotals(totals))
process.exitCode = exitCodeOf(totals, isSkipForbidden)

/**
 * Test files: runs test files of a workspace as `npm test` does, up to the first failure.
 *
 * Always true: it ends; a program that hangs or crashes is a failure, and says so.
 * Called by layers.ts.
 */
import { programsOf } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { filterVariable } from '../support/suites.ts'
import { addProgram, type Failure, newTotals } from '../support/tap-tree.ts'

const testTimeoutMs = 20_000
const silenceMs = 45_000

/** The first test of `files` that fails, as a sentence; null where all pass. */
export async function firstFailure(
  folder: string,
  files: readonly string[],
): Promise<string | null> {
  const variables = {
    [filterVariable]: JSON.stringify(files),
    // tap ends at the first failure.
    TAP_BAIL: '1',
    // A plant that takes memory without end must not take the machine's.
    NODE_OPTIONS: '--max-old-space-size=1024',
  }
  for (const { file } of programsOf(files)) {
    const options = { folder, variables, testTimeoutMs, silenceMs }
    const { tree, problem } = await runProgram(file, options)
    const totals = newTotals()
    addProgram(totals, tree, problem)
    const [failure] = totals.failures
    if (failure !== undefined) return sentenceOf(failure)
  }
  return null
}

/** The test's own words; what went wrong with its program where no test was to blame. */
function sentenceOf({ path, reason, diagnostics }: Failure): string {
  const [program = '', test, detail] = path
  if (test === undefined) return `${program} ${reason}`
  const isTimeout = String(diagnostics['failureType'] ?? '') !== '' || /timeout/.test(detail ?? '')
  return isTimeout ? `${test} (${detail ?? reason})` : test
}

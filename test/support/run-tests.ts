/**
 * RunTests: `npm test`. Runs the test programs, two at a time, and says what came of it.
 *
 *   npm test                      everything
 *   npm test -- storage/segment   only test files whose path contains one of the arguments
 *
 * Always true: the last line counts leaf tests; the exit code is 0 only when none failed and at
 * least one passed. A crash, a timeout and a program without a test are failures; with CI=true so
 * is a skipped test.
 */
import { renderFailures, renderProgram, renderTotals } from './report.ts'
import { root } from './repository.ts'
import { type RunOptions, runProgram } from './run-program.ts'
import { filterVariable, suiteOf, testFiles, testTimeoutMs } from './suite.ts'
import { addProgram, newTotals, type Totals } from './tap-tree.ts'

const jobs = 2

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** The compiled programs that together run `files`: suites once, lonely files as they are. */
export function programsOf(files: readonly string[]): string[] {
  const programs = files.map(path => {
    const suite = suiteOf(path)
    const source = suite === 'alone' || suite === null ? path : `test/${suite}.suite.ts`
    return `dist/${source.replace(/\.ts$/, '.js')}`
  })
  return [...new Set(programs)]
}

/** Runs all programs, `jobs` at a time in the order given, and counts; prints a line for each. */
export async function runPrograms(
  programs: readonly string[],
  options: RunOptions,
  printLine: (line: string) => void,
): Promise<Totals> {
  const totals = newTotals()
  const waiting = [...programs]
  const worker = async (): Promise<void> => {
    for (let program = waiting.shift(); program !== undefined; program = waiting.shift()) {
      const result = await runProgram(program, options)
      const failedBefore = totals.failed
      addProgram(totals, result.tree, result.problem)
      printLine(renderProgram(result, totals.failed > failedBefore))
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return totals
}

async function main(filters: readonly string[]): Promise<void> {
  const files = testFiles(filters)
  const options: RunOptions = {
    folder: root,
    variables: { [filterVariable]: JSON.stringify(filters) },
    testTimeoutMs,
    silenceMs: testTimeoutMs + 30_000,
  }
  const totals = await runPrograms(programsOf(files), options, print)
  print('')
  if (totals.failed > 0) print(renderFailures(totals.failures))
  if (files.length === 0) print(`no test file has ${filters.join(' or ')} in its path`)
  print(renderTotals(totals))
  const skippedInCi = process.env['CI'] === 'true' && totals.skipped > 0
  process.exitCode = totals.failed > 0 || totals.passed === 0 || skippedInCi ? 1 : 0
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2))

/**
 * Programs: which compiled programs hold the chosen test files, and running them two at a time.
 *
 * Always true: each program runs once, and its tests and its own end are counted, whatever
 * happened.
 * Called by run-tests.ts.
 */
import { renderProgram } from './report.ts'
import { type RunOptions, runProgram } from './run-program.ts'
import { aloneTimeoutMs, suiteOf, testTimeoutMs } from './suites.ts'
import { addProgram, newTotals, type Totals } from './tap-tree.ts'

const jobs = 2
/** A program says something at least when a test ends, or is cut off. */
const graceMs = 30_000

export interface Program {
  /** Compiled, relative to the root. */
  readonly file: string
  readonly testTimeoutMs: number
}

/** The programs that together run `files`: suites once, lonely files as they are. */
export function programsOf(files: readonly string[]): Program[] {
  const programs = new Map<string, Program>()
  for (const path of files) {
    const suite = suiteOf(path)
    const isAlone = suite === 'alone' || suite === null
    const source = isAlone ? path : `test/${suite}.suite.ts`
    const file = `dist/${source.replace(/\.ts$/, '.js')}`
    programs.set(file, { file, testTimeoutMs: isAlone ? aloneTimeoutMs : testTimeoutMs })
  }
  return [...programs.values()]
}

export interface ProgramsOptions extends Pick<RunOptions, 'folder' | 'variables'> {
  readonly graceMs?: number
  /** Gets one line for each program that ended. */
  printLine(line: string): void
}

/** Runs all programs, `jobs` at a time in the order given, and counts. */
export async function runPrograms(
  programs: readonly Program[],
  options: ProgramsOptions,
): Promise<Totals> {
  const totals = newTotals()
  const waiting = [...programs]
  const worker = async (): Promise<void> => {
    for (let program = waiting.shift(); program !== undefined; program = waiting.shift()) {
      const { file, testTimeoutMs } = program
      const silenceMs = testTimeoutMs + (options.graceMs ?? graceMs)
      const result = await runProgram(file, { ...options, testTimeoutMs, silenceMs })
      const failedBefore = totals.failed
      addProgram(totals, result.tree, result.problem)
      options.printLine(renderProgram(result, totals.failed > failedBefore))
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return totals
}

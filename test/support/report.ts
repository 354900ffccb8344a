/**
 * Report: what `npm test` prints, as text: a line per program, each failure with its place and
 * difference, and the closing line, which other tools read.
 *
 * Always true: the closing line is `N passed, N failed, N skipped` and nothing else.
 * Called by run-tests.ts.
 */
import type { ProgramResult } from './run-program.ts'
import { countLeaves, type Failure, type Totals } from './tap-tree.ts'

export function renderProgram(result: ProgramResult, failed: boolean): string {
  const name = result.tree.name.replace(/^dist\//, '').replace(/\.js$/, '')
  const tests = String(countLeaves(result.tree)).padStart(5)
  const seconds = result.seconds.toFixed(1).padStart(6)
  return `${failed ? 'FAILED' : 'ok    '} ${name.padEnd(44)} ${tests} tests ${seconds} s`
}

const indent = (text: string): string => text.replace(/^/gm, '    ').trimEnd()

/** `{ fileName, lineNumber, columnNumber }` as tap writes it. */
function renderPlace(at: unknown): string[] {
  if (typeof at !== 'object' || at === null) return []
  const { fileName, lineNumber, columnNumber } = at as Record<string, unknown>
  return [`at ${String(fileName)}:${String(lineNumber)}:${String(columnNumber)}`]
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2)

/** The place first, then the difference, then whatever else tap knows. */
function renderDiagnostics(diagnostics: Readonly<Record<string, unknown>>): string[] {
  const { at, diff, source, stack, compare: _known, stderr, ...others } = diagnostics
  const lines = renderPlace(at)
  for (const [name, value] of Object.entries(others)) lines.push(`${name}: ${asText(value)}`)
  for (const block of [diff, source, stack, stderr]) {
    if (typeof block === 'string' && block !== '') lines.push(block)
  }
  return lines
}

export function renderFailure(failure: Failure): string {
  const head = `✖ ${failure.path.join(' › ')}: ${failure.reason}`
  return [head, ...renderDiagnostics(failure.diagnostics).map(indent), ''].join('\n')
}

/** How tap names a test that was waiting when its program broke off. */
const neverRun = 'child test left in queue: '

/** All failures; tests that never ran because an earlier one broke off are listed in one line. */
export function renderFailures(failures: readonly Failure[]): string {
  const isWaiting = ({ path }: Failure): boolean => path.at(-1)?.startsWith(neverRun) === true
  const waiting = failures.filter(isWaiting).map(({ path }) => path.at(-1)?.slice(neverRun.length))
  const blocks = failures.filter(failure => !isWaiting(failure)).map(renderFailure)
  if (waiting.length > 0) blocks.push(`✖ not run after that: ${waiting.join(' · ')}\n`)
  return blocks.join('\n')
}

export const renderTotals = (totals: Totals): string =>
  `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`

/**
 * 0 only when something passed, nothing failed and, where skipping is forbidden, nothing was
 * skipped.
 */
export function exitCodeOf(totals: Totals, isSkipForbidden: boolean): number {
  const isGood = totals.failed === 0 && totals.passed > 0
  return isGood && !(isSkipForbidden && totals.skipped > 0) ? 0 : 1
}

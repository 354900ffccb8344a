/**
 * TapTree: what a TAP stream says, as a tree of tests, and the counts that the runner prints.
 *
 *   file ─┬─ container ─┬─ leaf     A leaf is a test without tests inside; assertions do not count.
 *         │             └─ leaf
 *         └─ leaf
 *
 * Always true: passed + failed + skipped counts each leaf once; whatever went wrong outside the
 * leaves (a crash, a timeout, an assertion of a container, an empty test) adds to `failed`, never
 * to nothing. Called by programs.ts; knows nothing of processes.
 */
import type { Parser, Result } from 'tap-parser'

export interface TestNode {
  readonly name: string
  readonly children: TestNode[]
  /** Assertions made in this test itself, and tests skipped in it. */
  readonly points: Result[]
  /** The line with which the parent closed this test; none where the stream was cut. */
  closing: Result | undefined
}

export interface Failure {
  /** The tests from the file down, and the assertion last. */
  readonly path: readonly string[]
  readonly reason: string
  readonly diagnostics: Readonly<Record<string, unknown>>
}

/** What went wrong with a program as a whole. */
export interface Problem {
  readonly reason: string
  /** The end of what it wrote there. */
  readonly stderr: string
  /** Whether it counts beside failed tests, which otherwise explain a bad exit code. */
  readonly always: boolean
}

export interface Totals {
  passed: number
  failed: number
  skipped: number
  readonly failures: Failure[]
}

export const newTotals = (): Totals => ({ passed: 0, failed: 0, skipped: 0, failures: [] })

/** Builds the tree of one program while its output runs through `parser`. */
export function watchTap(parser: Parser, name: string): TestNode {
  const node: TestNode = { name, children: [], points: [], closing: undefined }
  parser.on('child', (child: Parser) => {
    node.children.push(watchTap(child, child.name))
  })
  parser.on('assert', (result: Result) => {
    const last = node.children.at(-1)
    if (last !== undefined && last.closing === undefined) last.closing = result
    else node.points.push(result)
  })
  return node
}

const isSkipped = (result: Result | undefined): boolean =>
  result !== undefined && (result.skip !== false || result.todo !== false)

/** `problem` is what went wrong with the program as a whole, null where it ended well. */
export function addProgram(totals: Totals, program: TestNode, problem: Problem | null): void {
  const failedBefore = totals.failed
  addInside(totals, program, [program.name])
  if (problem !== null && (totals.failed === failedBefore || problem.always)) {
    addFailure(totals, [program.name], problem.reason, { stderr: problem.stderr })
  } else if (countLeaves(program) === 0 && totals.failed === failedBefore) {
    addFailure(totals, [program.name], 'ran no test', {})
  }
}

/** Tests inside count for themselves; assertions beside them count only where they fail. */
function addInside(totals: Totals, node: TestNode, path: readonly string[]): void {
  for (const child of node.children) addTest(totals, child, [...path, child.name])
  for (const point of node.points) {
    if (isSkipped(point)) totals.skipped++
    else if (!point.ok) addFailure(totals, [...path, point.name], 'failed', diagnosticsOf(point))
  }
}

function addTest(totals: Totals, node: TestNode, path: readonly string[]): void {
  const bad = node.points.filter(point => !point.ok && !isSkipped(point))
  if (node.children.length > 0) addContainer(totals, node, path)
  else if (bad.length > 0) {
    totals.failed++
    for (const point of bad) {
      const where = [...path, point.name]
      totals.failures.push({ path: where, reason: 'failed', diagnostics: diagnosticsOf(point) })
    }
  } else if (isSkipped(node.closing) || node.points.some(isSkipped)) totals.skipped++
  else if (node.closing?.ok === true) totals.passed++
  else addUnfinished(totals, node, path)
}

function addContainer(totals: Totals, node: TestNode, path: readonly string[]): void {
  const failedBefore = totals.failed
  addInside(totals, node, path)
  if (totals.failed === failedBefore && node.closing?.ok !== true) addUnfinished(totals, node, path)
}

function addUnfinished(totals: Totals, node: TestNode, path: readonly string[]): void {
  const reason = node.closing === undefined ? 'was cut off while it ran' : 'failed'
  addFailure(totals, path, reason, diagnosticsOf(node.closing))
}

function addFailure(
  totals: Totals,
  path: readonly string[],
  reason: string,
  diagnostics: Readonly<Record<string, unknown>>,
): void {
  totals.failed++
  totals.failures.push({ path, reason, diagnostics })
}

function diagnosticsOf(result: Result | undefined): Readonly<Record<string, unknown>> {
  const diagnostics: unknown = result?.diag
  return typeof diagnostics === 'object' && diagnostics !== null
    ? (diagnostics as Record<string, unknown>)
    : {}
}

/** Tests below a node that have none below them; those skipped at their call included. */
export function countLeaves(node: TestNode): number {
  const skipped = node.points.filter(isSkipped).length
  return node.children.reduce(
    (sum, child) => sum + (child.children.length === 0 ? 1 : countLeaves(child)),
    skipped,
  )
}

/**
 * Results in: the bench results that a document holds: one, several, or those of a suite.
 *
 * Always true: what is no bench result is refused by name; figures that are missing are not made
 * up.
 * Used by bench run and bench compare.
 */
import { usageError } from '../failure.ts'
import type { BenchReport } from './report.ts'

const isReport = (value: unknown): value is BenchReport =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as BenchReport).bench === 'string' &&
  typeof (value as BenchReport).recordsPerSecond === 'number' &&
  typeof (value as BenchReport).latencyMs?.p99 === 'number'

/** `where` is named in the error. @throws SluiceError INVALID_ARGUMENT */
export function resultsIn(text: string, where: string): BenchReport[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(`"${where}" is not JSON: ${reason}`)
  }
  const { results } = (json ?? {}) as { results?: unknown }
  const list = Array.isArray(results) ? results : [json]
  if (list.length > 0 && list.every(isReport)) return list
  throw usageError(`"${where}" holds no bench result`, 'sluice bench … --json-file makes one')
}

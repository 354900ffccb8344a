/**
 * CSV: the intervals of benches, one line each, for a spreadsheet.
 *
 * Always true: the columns are API; a name with a comma or quote is quoted as RFC 4180 says.
 * Used by result-files.ts.
 */
import type { BenchReport } from './report.ts'

export const csvColumns = [
  'name',
  'bench',
  'rate',
  'seconds',
  'records_per_second',
  'megabytes_per_second',
  'p50_ms',
  'p99_ms',
  'max_ms',
  'warmup',
] as const

const quoted = (text: string): string =>
  /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

export function csvOf(reports: readonly BenchReport[]): string {
  const rows = reports.flatMap(({ name, bench, rate, series }) =>
    series.map(sample => [
      quoted(name ?? bench),
      bench,
      rate ?? '',
      sample.atSeconds,
      sample.recordsPerSecond,
      sample.megabytesPerSecond,
      sample.p50,
      sample.p99,
      sample.max,
      sample.isWarmup ? 1 : 0,
    ]),
  )
  return [csvColumns, ...rows].map(row => `${row.join(',')}\n`).join('')
}

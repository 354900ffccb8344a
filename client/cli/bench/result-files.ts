/**
 * Result files: the answer of benches on stdout, and in the files that were asked for.
 *
 * Always true: files are written before anything is judged, so that a failed verification leaves
 * its figures behind; several results are one object with `results`, one result is the object
 * itself.
 * Used by frame.ts and bench run.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { LocalContext } from '../command.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import { csvOf } from './csv.ts'
import { pageOf } from './page.ts'
import { type BenchReport, reportText } from './report.ts'

export interface ResultFiles {
  readonly csv: string | undefined
  readonly json: string | undefined
  readonly html: string | undefined
}

/** The document of one or several results, as -j and --json-file give it. */
export function documentOf(reports: readonly BenchReport[], suite?: string): object {
  const [only] = reports
  if (suite === undefined && reports.length === 1 && only !== undefined) return only
  return suite === undefined ? { results: reports } : { suite, results: reports }
}

async function save(
  context: LocalContext,
  files: ResultFiles,
  given: { reports: readonly BenchReport[]; document: object; title: string },
): Promise<void> {
  const { terminal } = context
  const { reports, document, title } = given
  if (files.csv !== undefined) await terminal.writeFile(files.csv, csvOf(reports))
  if (files.json !== undefined) {
    await terminal.writeFile(files.json, `${JSON.stringify(document, null, 2)}\n`)
  }
  if (files.html !== undefined) await terminal.writeFile(files.html, pageOf(title, reports))
}

/** @throws CommandFailure (exit code 1) where a record was lost, repeated, moved or changed */
export function requireSound(reports: readonly BenchReport[]): void {
  const broken = reports.find(report => report.verified?.isSound === false)
  if (broken?.verified === undefined || broken.verified === null) return
  const { missing, repeated, outOfOrder, corrupt, firstFault } = broken.verified
  const lost = `${missing} records are missing, ${repeated} came twice`
  const changed = `${outOfOrder} out of order, ${corrupt} are not what was sent`
  const message = `${lost}, ${changed}; first: ${firstFault}`
  throw new CommandFailure(
    new SluiceError('UNKNOWN_SERVER_ERROR', message, { hint: 'sluice segment verify' }),
    exitCodes.unexpected,
  )
}

/** Shows and saves results, then judges them. @throws CommandFailure */
export async function publish(
  context: LocalContext,
  files: ResultFiles,
  given: { reports: readonly BenchReport[]; suite?: string },
): Promise<void> {
  const { reports, suite } = given
  const document = documentOf(reports, suite)
  const title = suite ?? `sluice bench ${reports[0]?.bench ?? ''}`
  await save(context, files, { reports, document, title })
  const text = reports.map(reportText).join('\n')
  const rates = reports.map(report => report.recordsPerSecond).join('\n')
  context.output.item(document, text, rates)
  requireSound(reports)
}

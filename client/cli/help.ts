/**
 * help: the reference pages that need no broker: errors, exit codes, offsets, formats, environment.
 *
 * Always true: each page is printed from the table that the code works by, so it cannot be out of
 * date.
 */
import { type ErrorCode, errorTable, SluiceError } from '../../protocol/errors.ts'
import { nearestName } from '../config/check-options.ts'
import { defineLocalCommand } from './command.ts'
import { errorAdvice } from './error-advice.ts'
import { exitCodeMeanings, exitCodeOf } from './failure.ts'
import { offsetForms } from './offset-range.ts'
import { formatVerbs } from './print-format.ts'

const environment: readonly (readonly [string, string])[] = [
  ['SLUICE_SERVERS', 'broker URLs where no --server is given, separated by commas'],
  ['SLUICE_<OPTION>', 'an option of sluice start: SLUICE_DATA_DIR, SLUICE_TOPIC_FLUSH, …'],
  ['NO_COLOR, FORCE_COLOR', 'colour off or on'],
  ['CI', 'no progress lines'],
]

function errorRows(code: string | undefined) {
  const all = Object.entries(errorTable).map(([name, row]) => ({
    code: name,
    kafkaCode: row.kafkaCode,
    retriable: row.retriable,
    exitCode: exitCodeOf(name as ErrorCode),
    meaning: row.meaning,
    advice: errorAdvice[name as ErrorCode],
  }))
  if (code === undefined) return all
  const wanted = code.toUpperCase().replaceAll('-', '_')
  const found = all.filter(row => row.code === wanted || String(row.kafkaCode) === code)
  if (found.length > 0) return found
  const nearest = nearestName(
    wanted,
    all.map(row => row.code),
  )
  throw new SluiceError('INVALID_ARGUMENT', `there is no error "${code}"`, {
    hint: nearest === undefined ? 'sluice help errors lists them' : `nearest: ${nearest}`,
  })
}

function errorPage(row: ReturnType<typeof errorRows>[number]): string {
  const kafka = row.kafkaCode === null ? '' : `, ${row.kafkaCode} in Kafka`
  const retry = row.retriable
    ? 'yes: the same request may succeed later; the SDK tries again'
    : 'no: the same request would fail again'
  return [
    `${row.code} (exit code ${row.exitCode}${kafka})`,
    `  meaning     ${row.meaning}`,
    `  retriable   ${retry}`,
    `  what to do  ${row.advice}`,
  ].join('\n')
}

export const helpErrorsCommand = defineLocalCommand({
  usage: 'errors [code]',
  about: 'Show the error table, or one row of it',
  examples: [
    ['$0 help errors UNKNOWN_TOPIC_OR_PARTITION', 'what it means, whether to retry, what to do'],
    ['$0 help errors 3', "by Kafka's number"],
  ],
  positionals: { code: { type: 'string', describe: "Name of an error, or Kafka's number" } },
  options: {},
  run: async ({ output }, args) => {
    const rows = errorRows(args.code)
    const [only] = rows
    // one row is read, many are looked through
    if (only !== undefined && args.code !== undefined && output.form === 'table') {
      output.item(only, errorPage(only), only.code)
      return undefined
    }
    output.list(rows, {
      columns: [
        { title: 'CODE', cell: row => row.code },
        { title: 'RETRIABLE', cell: row => (row.retriable ? 'yes' : 'no') },
        { title: 'EXIT', cell: row => row.exitCode },
        { title: 'KAFKA', cell: row => row.kafkaCode ?? '-', wide: true },
        { title: 'MEANING', cell: row => row.meaning },
        { title: 'WHAT TO DO', cell: row => row.advice, wide: true },
      ],
      name: row => row.code,
    })
    return undefined
  },
})

type Rows = readonly (readonly [string | number, string])[]

/** A page of two columns. */
const page = (usage: string, about: string, title: string, rows: Rows) =>
  defineLocalCommand({
    usage,
    about,
    examples: [[`$0 help ${usage}`, about.toLowerCase()]],
    positionals: {},
    options: {},
    run: async ({ output }) => {
      const items = rows.map(([form, meaning]) => ({ form, meaning }))
      output.list(items, {
        columns: [
          { title, cell: row => row.form },
          { title: 'MEANING', cell: row => row.meaning },
        ],
        name: row => String(row.form),
      })
      return undefined
    },
  })

export const helpExitCodesCommand = page(
  'exit-codes',
  'Show what each exit code means',
  'EXIT',
  exitCodeMeanings,
)
export const helpOffsetsCommand = page(
  'offsets',
  'Show how to say where consume begins and ends',
  'OFFSET',
  offsetForms,
)
export const helpFormatsCommand = page(
  'formats',
  'Show the verbs of -f in produce and consume',
  'VERB',
  formatVerbs,
)
export const helpEnvCommand = page('env', 'Show the environment variables', 'NAME', environment)

/**
 * help: the reference pages that need no broker: errors, exit codes, offsets, formats, environment.
 *
 * Always true: each page is printed from the table that the code works by, so it cannot be out of
 * date.
 */
import { type ErrorCode, errorTable, SluiceError } from '../../protocol/errors.ts'
import { defineLocalCommand } from './command.ts'
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
  }))
  if (code === undefined) return all
  const found = all.filter(row => row.code === code.toUpperCase())
  if (found.length === 0) {
    throw new SluiceError('INVALID_ARGUMENT', `there is no error "${code}"`, {
      hint: 'sluice help errors lists them',
    })
  }
  return found
}

export const helpErrorsCommand = defineLocalCommand({
  usage: 'errors [code]',
  about: 'Show the error table, or one row of it',
  examples: [['$0 help errors UNKNOWN_TOPIC_OR_PARTITION', 'what it means, whether to retry']],
  positionals: { code: { type: 'string', describe: 'Name of an error' } },
  options: {},
  run: async ({ output }, args) => {
    output.list(errorRows(args.code), {
      columns: [
        { title: 'CODE', cell: row => row.code },
        { title: 'RETRIABLE', cell: row => (row.retriable ? 'yes' : 'no') },
        { title: 'EXIT', cell: row => row.exitCode },
        { title: 'KAFKA', cell: row => row.kafkaCode ?? '-', wide: true },
        { title: 'MEANING', cell: row => row.meaning },
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

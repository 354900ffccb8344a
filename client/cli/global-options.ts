/**
 * Global options: what every command takes besides its own.
 *
 * Always true: `-o` stays offset and `-p` partition, as in kcat and rpk, so none of these uses
 * them.
 * Used by cli.ts and completion.
 */
import type { InferredOptionTypes } from 'yargs'
import type { OptionTable } from './command.ts'
import { outputForms } from './output.ts'
import { parseDuration } from './units.ts'

export const globalOptions = {
  server: {
    alias: 's',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'Broker URL, repeatable [env SLUICE_SERVERS, default ws://127.0.0.1:9290]',
  },
  output: { choices: outputForms, type: 'string', describe: 'Form of the answer' },
  json: { alias: 'j', type: 'boolean', describe: 'Short for --output json' },
  timeout: {
    type: 'string',
    coerce: parseDuration,
    default: '10s',
    describe: 'Deadline of connecting and of each call',
  },
  quiet: { alias: 'q', type: 'boolean', describe: 'No remarks and no progress' },
  verbose: { alias: 'v', type: 'boolean', describe: 'Say more on stderr' },
  color: { type: 'boolean', describe: 'Colour on stderr [default: on a terminal]' },
  yes: { alias: 'y', type: 'boolean', describe: 'Answer yes to every question' },
  'dry-run': { type: 'boolean', describe: 'Check and show, change nothing' },
} as const satisfies OptionTable
export type GlobalArgs = InferredOptionTypes<typeof globalOptions>

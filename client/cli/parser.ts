/**
 * Parser: every word that the command line may hold, by yargs.
 *
 * Always true: a wrong line is an error and never reaches a handler (yargs would go on unless
 * `fail` throws); numbers stay text, dots stay dots; the command's file is loaded only when it is
 * named.
 * Loaded by cli.ts unless plain-words.ts understood the line: yargs costs more than most commands.
 */
import yargs, { type Argv, type Options } from 'yargs'
import {
  type Chosen,
  type Command,
  type CommandEntry,
  type CommandTree,
  withoutCoerce,
} from './command.ts'
import { usageError } from './failure.ts'
import { globalOptions } from './global-options.ts'
import type { Terminal } from './terminal.ts'
import { splitShortValues } from './words.ts'

/** Below the options of the command, so it comes last. */
const groupGlobals = (parser: Argv): Argv =>
  parser.group([...Object.keys(globalOptions), 'help'], 'Global options:')

function addCommand(parser: Argv, entry: CommandEntry, choose: (chosen: Chosen) => void): void {
  let command: Command
  parser.command(
    entry.usage,
    entry.about,
    async inner => {
      command = await entry.load()
      return groupGlobals(command.build(inner))
    },
    args => choose({ command, args }),
  )
}

function addCommands(parser: Argv, tree: CommandTree, choose: (chosen: Chosen) => void): Argv {
  for (const node of tree) {
    if ('load' in node) addCommand(parser, node, choose)
    else {
      parser.command(node.name, node.about, inner => {
        for (const verb of node.verbs) addCommand(inner, verb, choose)
        return groupGlobals(inner)
          .demandCommand(1, `sluice ${node.name} needs a verb`)
          .strictCommands()
      })
    }
  }
  return parser
}

function newParser(terminal: Terminal): Argv {
  return yargs()
    .scriptName('sluice')
    .usage('$0 <command>\n\nA log broker: topics, partitions, records. Acked means on disk.')
    .detectLocale(false)
    .exitProcess(false)
    .parserConfiguration({
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
      'camel-case-expansion': false,
    })
    .fail((message, error) => {
      // yargs goes on to the handler unless this throws
      throw (
        error ??
        usageError(message.replace(/\s+/g, ' '), 'add --help to see what the command takes')
      )
    })
    .options(withoutCoerce<Options>(globalOptions))
    .help('help')
    .alias('help', 'h')
    .version(false)
    .strict()
    .strictCommands()
    .recommendCommands()
    .demandCommand(1, 'name a command')
    .epilogue('More: sluice help errors | exit-codes | offsets | formats | env')
    .wrap(Math.min(100, terminal.columns()))
}

/**
 * The command and its arguments, or null where help was printed. @throws SluiceError
 * INVALID_ARGUMENT
 */
export async function parseWords(
  words: readonly string[],
  terminal: Terminal,
  tree: CommandTree,
): Promise<Chosen | null> {
  const choices: Chosen[] = []
  const parser = addCommands(newParser(terminal), tree, chosen => choices.push(chosen))
  groupGlobals(parser)
  await parser.parseAsync(splitShortValues(words), {}, (_error, _args, text) => {
    if (text !== '') terminal.write(`${text}\n`)
  })
  return choices[0] ?? null
}

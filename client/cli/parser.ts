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
import { globalOptions } from './global-options.ts'
import type { Terminal } from './terminal.ts'
import { splitShortValues } from './words.ts'
import { wrongWords } from './wrong-words.ts'

/** What is known of the line while yargs goes through it. */
interface Reached {
  command: Command | undefined
  chosen: Chosen | null
}

/** Below the options of the command, so it comes last. */
const groupGlobals = (parser: Argv): Argv =>
  parser.group([...Object.keys(globalOptions), 'help'], 'Global options:')

function addCommand(parser: Argv, entry: CommandEntry, reached: Reached): void {
  parser.command(
    entry.usage,
    entry.about,
    async inner => {
      const command = await entry.load()
      reached.command = command
      return groupGlobals(command.build(inner))
    },
    args => {
      const { command } = reached
      if (command !== undefined) reached.chosen ??= { command, args }
    },
  )
}

function addCommands(parser: Argv, tree: CommandTree, reached: Reached): Argv {
  for (const node of tree) {
    if ('load' in node) addCommand(parser, node, reached)
    else {
      parser.command(node.name, node.about, inner => {
        for (const verb of node.verbs) addCommand(inner, verb, reached)
        return groupGlobals(inner)
          .demandCommand(1, `sluice ${node.name} needs a verb`)
          .strictCommands()
      })
    }
  }
  return parser
}

const isAboutWords = (error: Error): boolean =>
  error.name === 'YError' || error.message.startsWith('Not enough arguments following')

function newParser(terminal: Terminal, refuse: (message: string) => Error): Argv {
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
      // yargs goes on to the handler unless this throws; what it refuses is no error of the program
      if (error !== undefined && !isAboutWords(error)) throw error
      throw refuse(error?.message ?? message)
    })
    .options(withoutCoerce<Options>(globalOptions))
    .help('help')
    .alias('help', 'h')
    .version(false)
    .strict()
    .strictCommands()
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
  const reached: Reached = { command: undefined, chosen: null }
  const refuse = (message: string): Error =>
    wrongWords(message, { words, tree, command: reached.command })
  const parser = addCommands(newParser(terminal, refuse), tree, reached)
  groupGlobals(parser)
  try {
    await parser.parseAsync(splitShortValues(words), {}, (_error, _args, text) => {
      if (text !== '') terminal.write(`${text}\n`)
    })
  } catch (error) {
    // one that yargs does not give to fail()
    throw error instanceof Error && isAboutWords(error) ? refuse(error.message) : error
  }
  return reached.chosen
}

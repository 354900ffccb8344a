/**
 * Plain words: the command lines that need no parser: a verb and nothing but `--name value`,
 * `--flag` or `-j`.
 *
 *   sluice version -j · sluice start --data-dir /tmp/a --listen 127.0.0.1:0
 *
 * Always true: a line that is understood here means the same to yargs; whatever is unusual, wrong
 * or asks for help is left to it (null). It saves the 60 ms that loading yargs takes.
 * Used by cli.ts; a test compares both.
 */
import type { Chosen, CommandEntry, CommandTree, OptionTable } from './command.ts'
import { globalOptions } from './global-options.ts'

/** The entry that the first words name, if it takes no words without a name. */
function entryOf(
  words: readonly string[],
  tree: CommandTree,
): { entry: CommandEntry; rest: readonly string[] } | null {
  for (const node of tree) {
    if ('load' in node) {
      if (node.usage === words[0]) return { entry: node, rest: words.slice(1) }
    } else if (node.name === words[0]) {
      const entry = node.verbs.find(verb => verb.usage === words[1])
      return entry === undefined ? null : { entry, rest: words.slice(2) }
    }
  }
  return null
}

/** Values by name, or null where anything is not plain. */
function plainValues(
  words: readonly string[],
  options: OptionTable,
): Record<string, unknown> | null {
  const values: Record<string, unknown> = {}
  for (let i = 0; i < words.length; i++) {
    const [, name = '', attached] = /^--([a-z][a-z0-9.-]*)(?:=(.*))?$/s.exec(words[i] ?? '') ?? []
    const option = words[i] === '-j' ? options.json : options[name]
    const key = words[i] === '-j' ? 'json' : name
    if (option === undefined || option.array === true || Object.hasOwn(values, key)) return null
    if (option.type === 'boolean') {
      if (attached !== undefined) return null
      values[key] = true
      continue
    }
    const value = attached ?? words[++i]
    if (value === undefined || value === '' || value.startsWith('-')) return null
    if (option.choices !== undefined && !option.choices.includes(value)) return null
    values[key] = value
  }
  return values
}

/** The command and its arguments, or null where the line is for the parser. */
export async function parsePlainWords(
  words: readonly string[],
  tree: CommandTree,
): Promise<Chosen | null> {
  const found = entryOf(words, tree)
  if (found === null) return null
  const command = await found.entry.load()
  const options: OptionTable = { ...globalOptions, ...command.options }
  const values = plainValues(found.rest, options)
  if (values === null) return null
  for (const [name, option] of Object.entries(options)) {
    if (option.demandOption === true && values[name] === undefined) return null
    if (option.default !== undefined) values[name] ??= option.default
  }
  return { command, args: values }
}

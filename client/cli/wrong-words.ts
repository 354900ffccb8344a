/**
 * Wrong words: what yargs says about a wrong command line, in our words and with the nearest right
 * one.
 *
 *   Unknown argument: lisen  ──>  unknown option --lisen (INVALID_ARGUMENT)   hint: nearest: --listen
 *
 * Always true: the word that is wrong is named; a suggestion is a word that this place takes; a
 * message that is not known here is passed on as it is.
 * Used by parser.ts.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import { nearestName } from '../config/check-options.ts'
import type { Command, CommandTree } from './command.ts'
import { usageError } from './failure.ts'
import { globalOptions } from './global-options.ts'

export interface Place {
  readonly words: readonly string[]
  readonly tree: CommandTree
  /** The command that was reached; undefined = none yet. */
  readonly command: Command | undefined
}

const helpHint = 'add --help to see what the command takes'
const firstWord = (usage: string): string => usage.split(' ')[0] ?? usage

/** What could stand where the first unknown word stands: nouns, the verbs of a noun, or nothing. */
function commandsAt({ words, tree, command }: Place): string[] {
  if (command !== undefined) return []
  const node = tree.find(entry => !('load' in entry) && words.includes(entry.name))
  if (node !== undefined && !('load' in node)) return node.verbs.map(verb => firstWord(verb.usage))
  return tree.map(entry => ('load' in entry ? firstWord(entry.usage) : entry.name))
}

function unknownCommand(typed: string, place: Place): SluiceError {
  const known = commandsAt(place)
  if (known.length === 0) return usageError(`one word too many: "${typed}"`, helpHint)
  const nearest = nearestName(typed, known)
  const list = `commands: ${known.join(', ')}`
  return usageError(
    `unknown command "${typed}"`,
    nearest === undefined ? list : `nearest: ${nearest}`,
  )
}

function unknownOption(typed: string, { command }: Place): SluiceError {
  if (typed.length === 1) return usageError(`unknown option -${typed}`, helpHint)
  const known = [...Object.keys(command?.options ?? {}), ...Object.keys(globalOptions), 'help']
  const longer = known.find(name => name.endsWith(`-${typed}`))
  const nearest = longer ?? nearestName(typed, known)
  return usageError(
    `unknown option --${typed}`,
    nearest === undefined ? helpHint : `nearest: --${nearest}`,
  )
}

/** The usage of the command shows in <> what it cannot do without. */
function missingWords({ command }: Place): SluiceError {
  const needed = command?.usage.match(/<[^>]+>/g)?.join(' ') ?? 'a command'
  return usageError(`${firstWord(command?.usage ?? 'sluice')} needs ${needed}`, helpHint)
}

const asOption = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

function badChoice(text: string): SluiceError | null {
  const match = /Argument: ([^,]+), Given: (.+), Choices: (.+)$/.exec(text)
  if (match === null) return null
  const [, name = '', given = '', choices = ''] = match
  return usageError(`${name} cannot be ${given}`, `one of: ${choices.replaceAll('"', '')}`)
}

const complaint =
  /^(Unknown command|Unknown argument|Missing required argument|Not enough arguments following)s?: (.+)$/

/** @param message what yargs says, in English. */
export function wrongWords(message: string, place: Place): SluiceError {
  const text = message.replace(/\s+/g, ' ').trim()
  const [, what = '', names = ''] = complaint.exec(text) ?? []
  const first = names.split(', ')[0] ?? names
  switch (what) {
    case 'Unknown command':
      return unknownCommand(first, place)
    case 'Unknown argument':
      return place.words.includes(first)
        ? unknownCommand(first, place)
        : unknownOption(first, place)
    case 'Missing required argument':
      return usageError(`${asOption(first)} is missing`, helpHint)
    case 'Not enough arguments following':
      return usageError(`${asOption(first)} needs a value`, helpHint)
  }
  if (text.startsWith('Not enough non-option arguments')) return missingWords(place)
  return badChoice(text) ?? usageError(text, helpHint)
}

/**
 * completion: a script that lets bash, zsh or fish complete nouns, verbs and flags.
 *
 * Always true: made from the tree and the option tables of the commands, so it knows what this
 * version knows; the script itself starts no process. Used as `source <(sluice completion bash)`.
 */
import { type Command, type CommandTree, defineLocalCommand, type OptionTable } from './command.ts'
import { globalOptions } from './global-options.ts'

interface Line {
  /** `topic create`, or `` for the nouns. */
  readonly path: string
  readonly words: readonly string[]
}

const firstWord = (usage: string): string => usage.split(' ')[0] ?? usage
const flagsOf = (options: OptionTable): string[] => Object.keys(options).map(name => `--${name}`)

/** What may follow each path. */
export async function completionLines(tree: CommandTree): Promise<Line[]> {
  const shared = [...flagsOf(globalOptions), '--help']
  const lines: Line[] = [
    { path: '', words: tree.map(node => ('load' in node ? firstWord(node.usage) : node.name)) },
  ]
  for (const node of tree) {
    if ('load' in node) {
      const command: Command = await node.load()
      lines.push({ path: firstWord(node.usage), words: [...flagsOf(command.options), ...shared] })
      continue
    }
    lines.push({ path: node.name, words: node.verbs.map(verb => firstWord(verb.usage)) })
    for (const verb of node.verbs) {
      const { options } = await verb.load()
      const path = `${node.name} ${firstWord(verb.usage)}`
      lines.push({ path, words: [...flagsOf(options), ...shared] })
    }
  }
  return lines
}

function bashScript(lines: readonly Line[]): string {
  const cases = lines.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  return `_sluice() {
  local path='' word words='' i
  for ((i = 1; i < COMP_CWORD && i <= 2; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && break
    case "$path" in ''|${nouns(lines)}) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice
`
}

/** Words that want a second one. */
const nouns = (lines: readonly Line[]): string => {
  const parents = lines.map(line => line.path.split(' ')).filter(path => path.length === 2)
  return [...new Set(parents.map(([noun]) => noun))].join('|')
}

function fishScript(lines: readonly Line[]): string {
  const rules = lines.flatMap(({ path, words }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map(word => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    return words.map(word =>
      word.startsWith('--')
        ? `complete -c sluice -n '${condition}' -l ${word.slice(2)}`
        : `complete -c sluice -n '${condition}' -a ${word}`,
    )
  })
  return `${rules.join('\n')}\n`
}

const scripts: Readonly<Record<string, (lines: readonly Line[]) => string>> = {
  bash: bashScript,
  zsh: lines => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(lines)}`,
  fish: fishScript,
}

/** The command; it needs the whole tree, itself included. */
export const completionCommandOf = (tree: () => CommandTree) =>
  defineLocalCommand({
    usage: 'completion <shell>',
    about: 'Print a completion script for bash, zsh or fish',
    examples: [['source <($0 completion bash)', 'in ~/.bashrc']],
    positionals: {
      shell: {
        type: 'string',
        choices: Object.keys(scripts),
        demandOption: true,
        describe: 'Which shell',
      },
    },
    options: {},
    run: async ({ terminal }, args) => {
      const make = scripts[args.shell]
      terminal.write(make === undefined ? '' : make(await completionLines(tree())))
      return undefined
    },
  })

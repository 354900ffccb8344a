/**
 * completion: a script that lets bash, zsh or fish complete nouns, verbs, flags, values of flags
 * that take one of a few, and names of topics.
 *
 * Always true: made from the tree and the option tables of the commands, so it knows what this
 * version knows; the script starts a process only for names of topics, which come from the broker
 * of SLUICE_SERVERS within a second or not at all. Used as `source <(sluice completion bash)`.
 */
import { type Command, type CommandTree, defineLocalCommand, type OptionTable } from './command.ts'
import { globalOptions } from './global-options.ts'

interface Line {
  /** `topic create`, or `` for the nouns. */
  readonly path: string
  readonly words: readonly string[]
  /** What follows a flag that takes one of a few values, by flag. */
  readonly choices?: ReadonlyMap<string, readonly string[]>
  /** Flags that take a value, with their short forms. */
  readonly valued?: readonly string[]
  /** Its words without a flag are names of topics that exist. */
  readonly takesTopics?: boolean
}

const firstWord = (usage: string): string => usage.split(' ')[0] ?? usage
const flagsOf = (options: OptionTable): string[] => Object.keys(options).map(name => `--${name}`)

/** A topic that is to be created has no name to choose from. */
const takesTopics = (path: string, usage: string): boolean =>
  /[<[]topic\b/.test(usage) && path !== 'topic create'

function valuedFlags(options: OptionTable): string[] {
  return Object.entries(options).flatMap(([name, { type, alias }]) => {
    if (type === 'boolean') return []
    const short = [alias ?? []].flat().map(letter => `-${letter}`)
    return [`--${name}`, ...short]
  })
}

function choicesOf(options: OptionTable): Map<string, readonly string[]> {
  const all = Object.entries(options).map(([name, { choices }]) => {
    return [`--${name}`, (choices ?? []).map(String)] as const
  })
  return new Map(all.filter(([, words]) => words.length > 0))
}

function lineOf(path: string, { usage, options, positionals }: Command): Line {
  const all: OptionTable = { ...options, ...globalOptions }
  const values = Object.values(positionals).flatMap(({ choices = [] }) => choices.map(String))
  return {
    path,
    words: [...values, ...flagsOf(all), '--help'],
    choices: choicesOf(all),
    valued: valuedFlags(all),
    takesTopics: takesTopics(path, usage),
  }
}

/** What may follow each path. */
export async function completionLines(tree: CommandTree): Promise<Line[]> {
  const lines: Line[] = [
    { path: '', words: tree.map(node => ('load' in node ? firstWord(node.usage) : node.name)) },
  ]
  for (const node of tree) {
    if ('load' in node) {
      lines.push(lineOf(firstWord(node.usage), await node.load()))
      continue
    }
    lines.push({ path: node.name, words: node.verbs.map(verb => firstWord(verb.usage)) })
    for (const verb of node.verbs) {
      lines.push(lineOf(`${node.name} ${firstWord(verb.usage)}`, await verb.load()))
    }
  }
  return lines
}

const topicNames = 'sluice topic list --output name --timeout 1s 2>/dev/null'

/** `case` lines that set the words for a flag's value, flag by flag. */
function valueCases(lines: readonly Line[]): string[] {
  const merged = new Map<string, Set<string>>()
  for (const { choices } of lines) {
    for (const [flag, words] of choices ?? []) {
      merged.set(flag, new Set([...(merged.get(flag) ?? []), ...words]))
    }
  }
  return [...merged].map(([flag, words]) => `    ${flag}) words='${[...words].join(' ')}' ;;`)
}

const valuedOf = (lines: readonly Line[]): string =>
  [...new Set(lines.flatMap(line => line.valued ?? []))].join('|')

/** Bash splits words at `:` and `=` too, so `-s ws://host:9290` comes as six of them. */
function bashScript(lines: readonly Line[]): string {
  const cases = lines.map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`)
  const withTopics = lines.filter(line => line.takesTopics === true)
  return `_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in
      :|=) ((i++)); continue ;;
      ${valuedOf(lines)}) [[ \${COMP_WORDS[i+1]} == '=' ]] || ((i++)); continue ;;
      -*) continue ;;
    esac
    case "$path" in ''|${nouns(lines)}) path="\${path:+$path }$word" ;; esac
  done
  if [[ $cur == '=' ]]; then cur=''
  elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  case "$prev" in
${valueCases(lines).join('\n')}
    ${valuedOf(lines)}) COMPREPLY=(); return ;;
    *) case "$path" in
${cases.join('\n')}
    esac
    case "$path" in ${withTopics.map(({ path }) => `'${path}'`).join('|')})
      [[ $cur == -* ]] || words="$(${topicNames})" ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _sluice sluice
`
}

/** Words that want a second one. */
const nouns = (lines: readonly Line[]): string => {
  const parents = lines.map(line => line.path.split(' ')).filter(path => path.length === 2)
  return [...new Set(parents.map(([noun]) => noun))].join('|')
}

function fishRules({ path, words, choices, takesTopics: hasTopics }: Line): string[] {
  const condition =
    path === ''
      ? '__fish_use_subcommand'
      : path
          .split(' ')
          .map(word => `__fish_seen_subcommand_from ${word}`)
          .join('; and ')
  const rule = `complete -c sluice -n '${condition}'`
  const plain = words.map(word => {
    if (!word.startsWith('--')) return `${rule} -a ${word}`
    const values = choices?.get(word)
    const suffix = values === undefined ? '' : ` -x -a '${values.join(' ')}'`
    return `${rule} -l ${word.slice(2)}${suffix}`
  })
  return hasTopics === true ? [...plain, `${rule} -a '(${topicNames})'`] : plain
}

const scripts: Readonly<Record<string, (lines: readonly Line[]) => string>> = {
  bash: bashScript,
  zsh: lines => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(lines)}`,
  fish: lines => `${lines.flatMap(fishRules).join('\n')}\n`,
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

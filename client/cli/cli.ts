/**
 * Cli: one run of the command line, from its words to its exit code.
 *
 *   words ── plain words, or yargs ──> command + arguments ── run ──> stdout, stderr ──> exit code
 *
 * Always true: parsing and running are two steps, so no handler ever runs on arguments that were
 * refused; every failure becomes one report on stderr; the first signal aborts, the second ends the
 * process at once.
 * Called by broker/cli/main.ts with the commands of both rooms, and by tests with a fake terminal.
 */

import type {
  Chosen,
  CliContext,
  CommandTree,
  LocalContext,
  OptionTable,
  PositionalTable,
} from './command.ts'
import { exitCodes, reportFailure, usageError } from './failure.ts'
import { type GlobalArgs, globalOptions } from './global-options.ts'
import { Output, type OutputForm, red, wantsColour } from './output.ts'
import { parsePlainWords } from './plain-words.ts'
import type { SignalName, Terminal } from './terminal.ts'

const defaultPort = 9290

/** The values of `table`'s options; a scalar given twice is refused instead of becoming a list. */
function checkedValues(
  table: OptionTable | PositionalTable,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const values = Object.entries(table).map(([name, option]) => {
    const value = args[name]
    if (Array.isArray(value) && option.array !== true) {
      throw usageError(`--${name} was given more than once`)
    }
    const coerce = option.coerce as ((given: unknown) => unknown) | undefined
    return [name, value === undefined || coerce === undefined ? value : coerce(value)]
  })
  return Object.fromEntries(values)
}

async function choose(
  words: readonly string[],
  terminal: Terminal,
  tree: CommandTree,
): Promise<Chosen | null> {
  const [first, ...rest] = words
  const regular = first === '--version' || first === '-V' ? ['version', ...rest] : words
  const plain = await parsePlainWords(regular, tree)
  if (plain !== null) return plain
  const { parseWords } = await import('./parser.ts')
  return parseWords(regular, terminal, tree)
}

/** The command and its checked arguments, or null where help was printed. */
async function parse(
  words: readonly string[],
  terminal: Terminal,
  tree: CommandTree,
): Promise<Chosen | null> {
  const chosen = await choose(words, terminal, tree)
  if (chosen === null) return null
  const { command, args } = chosen
  const tables = [globalOptions, command.options, command.positionals]
  const values = tables.map(table => checkedValues(table, args))
  return { command, args: Object.assign({}, ...values) as Chosen['args'] }
}

function asksForJson(words: readonly string[]): boolean {
  const after = words[words.indexOf('--output') + 1]
  const forms = ['json', 'jsonl']
  return words.some(
    (word, i) =>
      /^-[a-zA-Z]*j[a-zA-Z]*$/.test(word) ||
      word === '--json' ||
      word === '--output=json' ||
      word === '--output=jsonl' ||
      (i > 0 && words[i - 1] === '--output' && forms.includes(after ?? '')),
  )
}

function outputOf(terminal: Terminal, args: GlobalArgs): Output {
  if (args.json === true && args.output !== undefined && !args.output.startsWith('json')) {
    throw usageError(`-j and --output ${args.output} contradict each other`)
  }
  const form: OutputForm = args.output ?? (args.json === true ? 'json' : 'table')
  const colour = wantsColour(terminal, args.color)
  return new Output(terminal, { form, quiet: args.quiet === true, colour })
}

function serversOf(terminal: Terminal, args: GlobalArgs): string[] {
  const fromEnv = (terminal.env.SLUICE_SERVERS ?? '').split(/[\s,]+/).filter(s => s !== '')
  const given = (args.server ?? []).flatMap(text => text.split(',')).filter(s => s !== '')
  const named = given.length > 0 ? given : fromEnv
  if (named.length === 0) return [`ws://127.0.0.1:${defaultPort}`]
  return named.map(urlOf)
}

/** A host without a scheme is a broker as `sluice start` makes it: port 9290 unless one is named. */
function urlOf(server: string): string {
  if (server.includes('://')) return server
  return /:\d+$/.test(server) ? `ws://${server}` : `ws://${server}:${defaultPort}`
}

function localContext(terminal: Terminal, rawArgs: unknown, signals: Signals): LocalContext {
  const args = rawArgs as GlobalArgs
  return {
    terminal,
    output: outputOf(terminal, args),
    signal: signals.signal,
    stop: signals.stop,
    servers: serversOf(terminal, args),
    timeoutMs: args.timeout,
    yes: args.yes === true,
    dryRun: args['dry-run'] === true,
    verbose: args.verbose === true,
  }
}

interface Signals {
  readonly stop: AbortSignal
  readonly signal: AbortSignal
  /** Exit code of the signal that came, or null. */
  code(): number | null
  unlisten(): void
}

function listenToSignals(terminal: Terminal): Signals {
  const stop = new AbortController()
  const closed = terminal.outputClosed
  let code: number | null = null
  const unlisten = terminal.onSignal((name: SignalName) => {
    const its = name === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
    if (code !== null) terminal.exitNow(its)
    code = its
    stop.abort()
  })
  const signal = AbortSignal.any([stop.signal, closed])
  return { stop: stop.signal, signal, code: () => code, unlisten }
}

/**
 * Runs one command line; `words` are what follows `sluice`. Resolves with the exit code, never
 * rejects.
 */
export async function runCli(
  words: readonly string[],
  context: CliContext,
  tree: CommandTree,
): Promise<number> {
  const { terminal } = context
  const signals = listenToSignals(terminal)
  try {
    const chosen = await parse(words, terminal, tree)
    if (chosen === null) return exitCodes.ok
    const local = localContext(terminal, chosen.args, signals)
    const code = await chosen.command.run(local, context.open, chosen.args)
    await terminal.drained()
    if (code !== undefined) return code
    return terminal.outputClosed.aborted ? exitCodes.ok : (signals.code() ?? exitCodes.ok)
  } catch (thrown) {
    if (terminal.outputClosed.aborted) return exitCodes.ok
    const signalCode = signals.code()
    if (signalCode !== null) return signalCode
    const colour = wantsColour(terminal, words.includes('--no-color') ? false : undefined)
    const json = asksForJson(words)
    const report = reportFailure(thrown, {
      json,
      verbose: words.some(word => /^-[a-zA-Z]*v/.test(word) || word === '--verbose'),
      red: word => red(word, colour),
    })
    terminal.writeError(report.text)
    if (words[0] !== 'check') return report.exitCode
    const { refusedCheck } = await import('./check.ts')
    return refusedCheck(terminal, thrown, json)
  } finally {
    signals.unlisten()
  }
}

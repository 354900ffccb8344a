/**
 * Command: what one verb of the command line is: its arguments as a table, its text, and what it
 * does.
 *
 * Always true: every option has a type (an untyped one would turn `1e3` into 1000); a command is
 * loaded only when it is named; `run` gets arguments that the table's checks have passed.
 * Declared in the files beside this one and in broker/cli/; run by cli.ts.
 */
import type { Argv, InferredOptionTypes, Options, PositionalOptions } from 'yargs'
import type { World } from '../../protocol/world.ts'
import type { Client, ConnectOptions } from '../types/client.ts'
import { usageError } from './failure.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** The SDK and the world under it, opened only for commands that need them. */
export interface Opened {
  readonly world: World
  readonly connect: (options: ConnectOptions) => Promise<Client>
}

/** What a run of the command line is given by its composition root. */
export interface CliContext {
  readonly terminal: Terminal
  readonly open: () => Promise<Opened>
}

/** What a command sees that needs neither world nor broker. */
export interface LocalContext {
  readonly terminal: Terminal
  readonly output: Output
  /** Aborted by the first SIGINT or SIGTERM, and when the reader of stdout is gone. */
  readonly signal: AbortSignal
  /** Aborted by the first SIGINT or SIGTERM only. */
  readonly stop: AbortSignal
  readonly servers: readonly string[]
  /** Deadline of one call. */
  readonly timeoutMs: number
  readonly yes: boolean
  readonly dryRun: boolean
  readonly verbose: boolean
}

/** What every other command sees. */
export interface CommandContext extends LocalContext, Opened {}

export type OptionTable = Readonly<Record<string, Options>>
export type PositionalTable = Readonly<Record<string, PositionalOptions>>

export interface CommandSpec<Context, P extends PositionalTable, O extends OptionTable> {
  /** `consume <topic..>`, in yargs' form. */
  readonly usage: string
  readonly about: string
  /** Command lines with what they do; at least one. */
  readonly examples: readonly (readonly [string, string])[]
  readonly positionals: P
  readonly options: O
  /** Answers the exit code; undefined = 0, or the signal's if one came. */
  run(
    context: Context,
    args: InferredOptionTypes<P> & InferredOptionTypes<O>,
  ): Promise<number | undefined>
}

/** A command whose argument types are hidden. */
export interface Command {
  readonly usage: string
  readonly about: string
  readonly options: OptionTable
  readonly positionals: PositionalTable
  /** Declares the arguments, without their `coerce`: cli.ts applies it. */
  build(parser: Argv): Argv
  run(context: LocalContext, open: CliContext['open'], args: unknown): Promise<number | undefined>
}

/**
 * What yargs is told of an option: all but `coerce`, whose errors it would replace by ones of its
 * own.
 */
export function withoutCoerce<T extends { coerce?: unknown }>(
  options: Readonly<Record<string, T>>,
): Record<string, T> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { coerce: _later, ...option }]) => [name, option as T]),
  )
}

/** What a command line named. */
export interface Chosen {
  readonly command: Command
  readonly args: Readonly<Record<string, unknown>>
}

function buildCommand<Context, P extends PositionalTable, O extends OptionTable>(
  spec: CommandSpec<Context, P, O>,
  run: Command['run'],
): Command {
  const { usage, about, options, positionals, examples } = spec
  return {
    usage,
    about,
    options,
    positionals,
    build(parser) {
      for (const [name, positional] of Object.entries(withoutCoerce(positionals))) {
        parser.positional(name, positional)
      }
      parser.options(withoutCoerce<Options>(options))
      const ungrouped = Object.keys(options).filter(name => options[name]?.group === undefined)
      parser.group(ungrouped, 'Options:')
      for (const [line, what] of examples) parser.example(line, what)
      return parser
    },
    run,
  }
}

/** A command that works on a broker, or needs the world. */
export function defineCommand<const P extends PositionalTable, const O extends OptionTable>(
  spec: CommandSpec<CommandContext, P, O>,
): Command {
  return buildCommand(spec, async (context, open, args) =>
    spec.run({ ...context, ...(await open()) }, args as Parameters<typeof spec.run>[1]),
  )
}

/** A command that needs neither; it starts faster. */
export function defineLocalCommand<const P extends PositionalTable, const O extends OptionTable>(
  spec: CommandSpec<LocalContext, P, O>,
): Command {
  return buildCommand(spec, (context, _open, args) =>
    spec.run(context, args as Parameters<typeof spec.run>[1]),
  )
}

/** A command that is not loaded yet. */
export interface CommandEntry {
  readonly usage: string
  readonly about: string
  readonly load: () => Promise<Command>
}

/** A noun with its verbs. */
export interface CommandGroup {
  readonly name: string
  readonly about: string
  readonly verbs: readonly CommandEntry[]
}

export type CommandTree = readonly (CommandEntry | CommandGroup)[]

/** For commands that write as they go: --dry-run must never be taken for a promise. */
export function refuseDryRun({ dryRun }: LocalContext, name: string): void {
  if (dryRun) throw usageError(`${name} has no --dry-run`, 'nothing was written; leave it out')
}

/** A client with the deadlines of the command line. The caller closes it. */
export async function openClient(
  context: CommandContext,
  options: Partial<ConnectOptions> = {},
): Promise<Client> {
  const { noteOutages, noteSlowConnect } = await import('./connection-notes.ts')
  const slow = noteSlowConnect(context)
  try {
    const client = await context.connect({
      servers: context.servers,
      clientId: 'sluice-cli',
      connectTimeoutMs: context.timeoutMs,
      requestTimeoutMs: context.timeoutMs,
      closeTimeoutMs: context.timeoutMs,
      signal: context.signal,
      ...options,
    })
    void noteOutages(client, context)
    return client
  } finally {
    slow.cancel()
  }
}

/** Connects, gives the client to `use`, closes it in every case. */
export async function withClient<T>(
  context: CommandContext,
  use: (client: Client) => Promise<T>,
  options: Partial<ConnectOptions> = {},
): Promise<T> {
  const client = await openClient(context, options)
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/**
 * Failure: what a command says and with which code it ends when something went wrong.
 *
 *   error: topic "orders" not found (UNKNOWN_TOPIC_OR_PARTITION)      under -j: {"error":{code,message,…}}
 *   hint: …
 *
 * Always true: every error of the table has an exit code; the text goes to stderr, never to stdout.
 * Used by cli.ts, once per run; `sluice help exit-codes` prints the table.
 */
import { asSluiceError, type ErrorCode, SluiceError } from '../../protocol/errors.ts'

export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  unreachable: 5,
  conflict: 6,
  partlyDone: 7,
  unhealthy: 10,
  interrupted: 130,
  terminated: 143,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [exitCodes.ok, 'done; also when the reader of the output went away'],
  [exitCodes.unexpected, 'an unexpected error, or what was checked is broken'],
  [exitCodes.usage, 'the command line is wrong'],
  [exitCodes.notFound, 'no such topic, partition, offset or file'],
  [exitCodes.notAllowed, 'not allowed'],
  [exitCodes.unreachable, 'no broker reached, or no answer in time'],
  [exitCodes.conflict, 'it exists already, or is in the wrong state'],
  [exitCodes.partlyDone, 'some of it was done; the items are listed'],
  [exitCodes.unhealthy, 'unhealthy'],
  [exitCodes.interrupted, 'interrupted (SIGINT)'],
  [exitCodes.terminated, 'terminated (SIGTERM)'],
]

const codesOfExit: Readonly<Record<number, readonly ErrorCode[]>> = {
  [exitCodes.usage]: [
    'INVALID_ARGUMENT',
    'INVALID_TOPIC',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_CONFIG',
    'KEY_NOT_CANONICAL',
    'BAD_LISTEN_ADDRESS',
  ],
  [exitCodes.notFound]: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'OFFSET_OUT_OF_RANGE'],
  [exitCodes.notAllowed]: ['POLICY_VIOLATION', 'DATA_DIR_UNUSABLE'],
  [exitCodes.unreachable]: [
    'NETWORK_ERROR',
    'BROKER_NOT_AVAILABLE',
    'REQUEST_TIMED_OUT',
    'DELIVERY_TIMEOUT',
    'LEADER_NOT_AVAILABLE',
    'BUFFER_FULL',
    'PROTOCOL_MISMATCH',
  ],
  [exitCodes.conflict]: ['TOPIC_ALREADY_EXISTS', 'DATA_DIR_IN_USE', 'PORT_TAKEN', 'NEWER_FORMAT'],
}

/** The exit code that belongs to a row of the error table. */
export function exitCodeOf(code: ErrorCode): number {
  for (const [exit, codes] of Object.entries(codesOfExit)) {
    if (codes.includes(code)) return Number(exit)
  }
  return exitCodes.unexpected
}

/** One of several things that a command was asked to do, and why it was not done. */
export interface FailedItem {
  readonly name: string
  readonly error: SluiceError
}

/** An error that ends the command with an exit code of its own, for work that was done in part. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly error: SluiceError
  readonly exitCode: number
  /** Where there were several: each that failed. Shown under -j as `failed`. */
  readonly items: readonly FailedItem[]

  constructor(error: SluiceError, exitCode: number, items: readonly FailedItem[] = []) {
    super(error.message)
    this.error = error
    this.exitCode = exitCode
    this.items = items
  }
}

/** A wrong command line. */
export function usageError(message: string, hint?: string): SluiceError {
  return new SluiceError('INVALID_ARGUMENT', message, hint === undefined ? {} : { hint })
}

/** A file that the command line names and that is not there. */
export function noSuchFile(path: string, hint?: string): CommandFailure {
  return new CommandFailure(usageError(`"${path}" does not exist`, hint), exitCodes.notFound)
}

export interface Report {
  readonly text: string
  readonly exitCode: number
}

export interface ReportOptions {
  /** As one JSON object. */
  readonly json: boolean
  /** With the stack of what is not an error of the table. */
  readonly verbose: boolean
  /** Puts colour around a word, or not. */
  readonly red: (word: string) => string
}

/** What to write on stderr for `thrown`, and the exit code. */
export function reportFailure(thrown: unknown, options: ReportOptions): Report {
  const failure = thrown instanceof CommandFailure ? thrown : null
  const error = asSluiceError(failure?.error ?? thrown)
  const exitCode = failure?.exitCode ?? exitCodeOf(error.code)
  const hint = hintOf(error)
  if (options.json) {
    const { code, message, retriable, maybeApplied } = error
    const failed = failure?.items.map(({ name, error: { code, message } }) => ({
      name,
      code,
      message,
    }))
    const body = {
      code,
      message,
      retriable,
      maybeApplied,
      ...(hint !== null && { hint }),
      ...(failed !== undefined && failed.length > 0 && { failed }),
    }
    return { text: `${JSON.stringify({ error: body })}\n`, exitCode }
  }
  const lines = [`${options.red('error:')} ${error.message} (${error.code})`]
  if (hint !== null) lines.push(`hint: ${hint}`)
  if (options.verbose) lines.push(...detailLines(thrown, error))
  return { text: `${lines.join('\n')}\n`, exitCode }
}

function detailLines(thrown: unknown, error: SluiceError): string[] {
  const cause = error.cause ?? (thrown === error ? undefined : thrown)
  const shown = cause instanceof Error ? cause.stack : cause
  return shown === undefined ? [] : [String(shown)]
}

const startHint = 'is a broker running there? start one with: sluice start'

function hintOf(error: SluiceError): string | null {
  switch (error.code) {
    case 'BROKER_NOT_AVAILABLE':
    case 'NETWORK_ERROR':
      return error.hint === undefined ? startHint : `${error.hint}; ${startHint}`
    case 'UNKNOWN_TOPIC_OR_PARTITION':
      return error.hint ?? 'sluice topic list shows the topics there are'
    case 'OFFSET_OUT_OF_RANGE':
      return 'sluice topic describe shows where each partition begins and ends'
    case 'UNKNOWN_SERVER_ERROR':
      return error.hint ?? 'run it again with -v to see where it happened'
    case 'INVALID_ARGUMENT':
      return error.hint ?? null
    default:
      return error.hint ?? `sluice help errors ${error.code}`
  }
}

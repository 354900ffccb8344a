/**
 * Check: what the commands under `check` share: one line for a monitoring system, with figures
 * behind a bar, and the exit codes of Nagios.
 *
 *   CRITICAL disk 127.0.0.1:9290: 812.0 MiB free (3 %) | free=851443712B;;;0;27917287424 …
 *   0 OK · 1 WARNING · 2 CRITICAL · 3 UNKNOWN
 *
 * Always true: stdout holds one line (or one JSON object under -j), also when the broker is away;
 * what could not be checked is UNKNOWN, never OK; a broker that does not answer is CRITICAL.
 * Used by the check-….ts commands, and by cli.ts for command lines that are wrong.
 */
import { asSluiceError, type ErrorCode } from '../../protocol/errors.ts'
import type { Client } from '../types/client.ts'
import { type CommandContext, withClient } from './command.ts'
import { usageError } from './failure.ts'
import type { Terminal } from './terminal.ts'

export const checkExitCodes = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const
export type CheckStatus = keyof typeof checkExitCodes

/** From least to worst. */
const order: readonly CheckStatus[] = ['OK', 'UNKNOWN', 'WARNING', 'CRITICAL']

export interface Finding {
  readonly status: CheckStatus
  readonly text: string
}

/** A figure, with where it becomes a warning and critical. */
export interface Figure {
  readonly name: string
  /** null = not known. */
  readonly value: number | null
  readonly unit: '' | 'B' | 'ms' | 's'
  readonly warn?: number | undefined
  readonly critical?: number | undefined
  readonly max?: number | undefined
}

export interface Checked {
  /** What was checked, such as `topic orders`. */
  readonly subject: string
  /** Said where nothing is wrong. */
  readonly summary: string
  readonly findings: readonly Finding[]
  readonly figures: readonly Figure[]
}

/** The worst of the findings; OK where there are none. */
export function worstOf(findings: readonly Finding[]): CheckStatus {
  return findings.reduce<CheckStatus>(
    (worst, { status }) => (order.indexOf(status) > order.indexOf(worst) ? status : worst),
    'OK',
  )
}

const number = (value: number | undefined): string => {
  if (value === undefined) return ''
  return String(Number(value.toFixed(3)))
}

/** `name=value[unit];warn;critical;min;max`, as monitoring systems read it; U = unknown. */
function figureText({ name, value, unit, warn, critical, max }: Figure): string {
  const shown = value === null ? 'U' : `${number(value)}${unit}`
  const fields = [number(warn), number(critical), '0', number(max)].join(';')
  return `${name}=${shown};${fields}`.replace(/;+$/, '')
}

/** What is wrong, worst first, or that nothing is. A bar would begin the figures. */
function textOf({ findings, summary }: Checked): string {
  const wrong = findings.filter(({ status }) => status !== 'OK')
  wrong.sort((a, b) => order.indexOf(b.status) - order.indexOf(a.status))
  const text = wrong.length === 0 ? summary : wrong.map(finding => finding.text).join('; ')
  return text.replace(/[|\r\n]+/g, ' ')
}

/** Prints the result and answers the exit code. */
export function report({ output }: Pick<CommandContext, 'output'>, checked: Checked): number {
  const status = worstOf(checked.findings)
  const { subject, findings, figures } = checked
  const text = textOf(checked)
  const exitCode = checkExitCodes[status]
  const item = { status, exitCode, subject, text, findings, figures }
  const behind = figures.length === 0 ? '' : ` | ${figures.map(figureText).join(' ')}`
  output.item(item, `${status} ${subject}: ${text}${behind}`, status)
  return exitCode
}

/** Of these the thing that is checked is to blame; whatever else goes wrong leaves it unknown. */
const criticalCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NETWORK_ERROR',
  'BROKER_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'LEADER_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** Connects, checks, reports; an error is a finding too. */
export async function runCheck(
  context: CommandContext,
  subject: string,
  work: (client: Client) => Promise<Checked>,
): Promise<number> {
  try {
    return report(context, await withClient(context, work))
  } catch (thrown) {
    if (context.signal.aborted) throw thrown
    const { code, message } = asSluiceError(thrown)
    const status = criticalCodes.has(code) ? 'CRITICAL' : 'UNKNOWN'
    const findings: Finding[] = [{ status, text: `${message} (${code})` }]
    return report(context, { subject, summary: '', findings, figures: [] })
  }
}

/**
 * A finding where `value` is beyond a threshold that was given. `worse: 'above'` is for times,
 * `'below'` for what must not run out.
 */
export function compare(
  value: number,
  limits: { readonly warn?: number | undefined; readonly critical?: number | undefined },
  worse: 'above' | 'below',
  text: string,
): Finding[] {
  const isBeyond = (limit: number | undefined): boolean =>
    limit !== undefined && (worse === 'above' ? value > limit : value < limit)
  if (isBeyond(limits.critical)) return [{ status: 'CRITICAL', text }]
  return isBeyond(limits.warn) ? [{ status: 'WARNING', text }] : []
}

/** @throws SluiceError INVALID_ARGUMENT where a warning would come only after it is critical */
export function requireOrder(
  name: string,
  limits: { readonly warn?: number | undefined; readonly critical?: number | undefined },
  worse: 'above' | 'below',
): void {
  const { warn, critical } = limits
  if (warn === undefined || critical === undefined || warn === critical) return
  if (worse === 'above' ? warn < critical : warn > critical) return
  throw usageError(`${name}: the warning would come after it is critical already`)
}

/** The command line was wrong: that is UNKNOWN for the monitoring system, not critical. */
export function refusedCheck(terminal: Terminal, thrown: unknown, isJson: boolean): number {
  const { message, code } = asSluiceError(thrown)
  const text = `${message} (${code})`
  const exitCode = checkExitCodes.UNKNOWN
  const findings: Finding[] = [{ status: 'UNKNOWN', text }]
  const item = { status: 'UNKNOWN', exitCode, subject: 'check', text, findings, figures: [] }
  // there is no output yet: its form is among the words that were refused
  terminal.write(isJson ? `${JSON.stringify(item)}\n` : `UNKNOWN ${text}\n`)
  return exitCode
}

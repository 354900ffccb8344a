/**
 * Option: one row of a config table: name, kind, default, range, and one sentence. Flags,
 * environment, config file, the wire's config maps and the README's table all come from the same
 * row.
 *
 * Always true: every value that leaves here was checked against its row; a default passes its own
 * check.
 * Used by topic-config.ts and broker-config.ts.
 */
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './units.ts'

/** A good value, or what is wrong with it as the end of a sentence: "must be …". */
export type Read<T> = { readonly value: T } | { readonly problem: string }

export interface Option<T> {
  readonly name: string
  /** What the table calls the kind, with the range. */
  readonly type: string
  readonly default: T
  /** Whether a change works without a restart. */
  readonly live: boolean
  readonly about: string
  /** From text: a flag, an environment variable, a config map. */
  parse(text: string): Read<T>
  /** Of a value that code handed in. */
  check(value: unknown): Read<T>
  format(value: T): string
}
export type Options = { readonly [field: string]: Option<unknown> }
export type ValuesOf<T extends Options> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never
}

interface Common<T> {
  readonly default: T
  readonly about: string
  readonly live?: boolean
}
interface Ranged extends Common<number> {
  readonly min: number
  readonly max?: number
  /** `-1` is allowed besides the range and means this. */
  readonly minusOne?: string
}

interface NumberKind {
  readonly noun: string
  parse(text: string): number | null
  format(value: number): string
}

function ranged(name: string, options: Ranged, kind: NumberKind): Option<number> {
  const { min, max = Number.MAX_SAFE_INTEGER, minusOne } = options
  const upper = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${kind.format(max)}`
  const range = upper === '' ? `at least ${kind.format(min)}` : `${kind.format(min)}${upper}`
  const type = `${kind.noun}, ${range}${minusOne === undefined ? '' : `; -1 = ${minusOne}`}`
  const check = (value: unknown): Read<number> => {
    const whole = typeof value === 'number' && Number.isSafeInteger(value)
    if (!whole) return { problem: `must be ${type}` }
    if (value === -1 && minusOne !== undefined) return { value }
    return value >= min && value <= max ? { value } : { problem: `must be ${type}` }
  }
  return {
    name,
    type,
    default: options.default,
    live: options.live ?? false,
    about: options.about,
    parse: text => check(kind.parse(text)),
    check,
    format: kind.format,
  }
}

export const bytes = (name: string, options: Ranged): Option<number> =>
  ranged(name, options, { noun: 'bytes', parse: parseBytes, format: formatBytes })

export const duration = (name: string, options: Ranged): Option<number> =>
  ranged(name, options, { noun: 'duration', parse: parseDurationMs, format: formatDurationMs })

export const integer = (name: string, options: Ranged): Option<number> =>
  ranged(name, options, {
    noun: 'integer',
    parse: text => (/^-?\d+$/.test(text.trim()) ? Number(text) : null),
    format: String,
  })

function plain<T>(
  name: string,
  options: Common<T>,
  kind: Pick<Option<T>, 'type' | 'parse' | 'check' | 'format'>,
): Option<T> {
  return {
    name,
    default: options.default,
    live: options.live ?? false,
    about: options.about,
    ...kind,
  }
}

/** `refused` are values that Kafka has and Sluice does not (yet), with the reason. */
export function choice<const C extends readonly string[]>(
  name: string,
  choices: C,
  options: Common<C[number]> & { readonly refused?: Readonly<Record<string, string>> },
): Option<C[number]> {
  const check = (value: unknown): Read<C[number]> => {
    if (typeof value === 'string' && choices.includes(value)) return { value }
    const refused = typeof value === 'string' ? options.refused?.[value] : undefined
    if (refused !== undefined) return { problem: `cannot be ${String(value)}: ${refused}` }
    return { problem: `must be one of ${choices.join(', ')}` }
  }
  const type = choices.join(' or ')
  return plain(name, options, { type, parse: check, check, format: String })
}

export function flag(name: string, options: Common<boolean>): Option<boolean> {
  const check = (value: unknown): Read<boolean> =>
    typeof value === 'boolean' ? { value } : { problem: 'must be true or false' }
  const parse = (text: string) => check(text === 'true' ? true : text === 'false' ? false : text)
  return plain(name, options, { type: 'true or false', parse, check, format: String })
}

/** `test` answers what is wrong with a text, or null. */
export function text(
  name: string,
  options: Common<string> & { readonly type?: string; test?(value: string): string | null },
): Option<string> {
  const check = (value: unknown): Read<string> => {
    if (typeof value !== 'string') return { problem: 'must be text' }
    const problem = options.test?.(value) ?? null
    return problem === null ? { value } : { problem }
  }
  const type = options.type ?? 'text'
  return plain(name, options, { type, parse: check, check, format: value => value })
}

/** Comma-separated in text. */
export function textList(
  name: string,
  options: Common<readonly string[]>,
): Option<readonly string[]> {
  const check = (value: unknown): Read<readonly string[]> => {
    const good = Array.isArray(value) && value.every(item => typeof item === 'string')
    return good ? { value: value as string[] } : { problem: 'must be a list of texts' }
  }
  const parse = (list: string) => ({
    value: list
      .split(',')
      .map(item => item.trim())
      .filter(item => item !== ''),
  })
  const format = (value: readonly string[]) => value.join(',')
  return plain(name, options, { type: 'list, comma-separated', parse, check, format })
}

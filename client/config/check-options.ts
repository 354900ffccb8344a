/**
 * Check options: objects that users give are checked against a table of their fields before
 * anything uses them, so that a misspelt or impossible option is an error at the call and not a
 * surprise later.
 *
 * Always true: an unknown option is refused with the nearest known name; `undefined` counts as
 * absent.
 * Called by options.ts and by the calls of topics and consumers that take an object.
 */
import { SluiceError } from '../../protocol/errors.ts'

/** Says what was expected, or nothing when the value is right. */
export type Check = (value: unknown) => string | undefined
export type OptionTable = Readonly<Record<string, Check>>

export const integerFrom =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Check =>
  value =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? undefined
      : `an integer from ${min} to ${max}`

export const oneOf =
  (...choices: readonly string[]): Check =>
  value =>
    typeof value === 'string' && choices.includes(value)
      ? undefined
      : `one of ${choices.join(', ')}`

export const isFlag: Check = value => (typeof value === 'boolean' ? undefined : 'true or false')
export const isText: Check = value =>
  typeof value === 'string' && value.length <= 200 ? undefined : 'text of at most 200 characters'
export const isFunction: Check = value => (typeof value === 'function' ? undefined : 'a function')

/** An object that has these methods. */
export const hasMethods =
  (...names: readonly string[]): Check =>
  value => {
    const object = value as Record<string, unknown> | null
    const fits = typeof object === 'object' && object !== null
    return fits && names.every(name => typeof object[name] === 'function')
      ? undefined
      : `an object with ${names.join(', ')}`
  }
export const isSignal: Check = value =>
  hasMethods('addEventListener', 'removeEventListener')(value) === undefined
    ? undefined
    : 'an AbortSignal'

/** Edits that turn one name into the other, for suggesting what was meant. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}

/** Longer names come from nobody who mistyped one, and the distance costs their length. */
const longestTyped = 100

/** The known name nearest to `name`, or nothing when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestTyped) return undefined
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function refuse(message: string, hint?: string): never {
  throw new SluiceError('INVALID_ARGUMENT', message, hint === undefined ? {} : { hint })
}

function show(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? String(value).slice(0, 80)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/** @throws SluiceError INVALID_ARGUMENT naming the option and the nearest one that exists */
export function checkOptions(options: unknown, table: OptionTable, where: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    refuse(`${where} takes an object of options, got ${show(options)}`)
  }
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(table, name) ? table[name] : undefined
    if (check === undefined) {
      const known = Object.keys(table)
      const nearest = nearestName(name, known)
      const hint =
        nearest === undefined ? `known: ${known.join(', ')}` : `did you mean "${nearest}"?`
      refuse(`${where}: unknown option "${name}"`, hint)
    }
    if (value === undefined) continue
    const expected = check(value)
    if (expected !== undefined) {
      refuse(`${where}: option "${name}" must be ${expected}, got ${show(value)}`)
    }
  }
}

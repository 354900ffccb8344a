/**
 * Canonical JSON: one text per value, whatever the order of its properties, so that equal objects
 * are equal keys. The only user of fast-json-stable-stringify.
 *
 * Always true: two values that differ never give the same text: what the library would drop, change
 * or choke on (see `requireCanonical`) is refused with its path. Texts differ by Unicode
 * normalisation (NFC and NFD are two keys), −0 is 0. The same text comes out of every client that
 * follows the rule.
 * Called by client/codecs and by the checks of keys in broker and command line.
 */
import stableStringify from 'fast-json-stable-stringify'
import { SluiceError } from '../errors.ts'
import { isWellFormed } from './utf8.ts'

/** Deeper nesting is refused: the library recurses. */
export const maxCanonicalDepth = 32

/**
 * The canonical text of null, a boolean, a finite number, text, or lists and plain objects of
 * those.
 * @throws SluiceError KEY_NOT_CANONICAL, naming the offending member
 */
export function canonicalJson(value: unknown): string {
  requireCanonical(value, '$', 0)
  return stableStringify(value)
}

/** True where `text` is exactly what canonicalJson would give for the value that it holds. */
export function isCanonicalJson(text: string): boolean {
  try {
    return canonicalJson(JSON.parse(text)) === text
  } catch {
    return false
  }
}

function requireCanonical(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'boolean':
      return
    case 'string':
      if (!isWellFormed(value)) refuse(path, 'text with half of a surrogate pair')
      return
    case 'number':
      if (!Number.isFinite(value)) refuse(path, String(value))
      return
    case 'object':
      if (value !== null) requireCanonicalMembers(value, path, depth)
      return
    default:
      refuse(path, typeof value === 'bigint' ? 'a BigInt' : `a value of type ${typeof value}`)
  }
}

function requireCanonicalMembers(value: object, path: string, depth: number): void {
  // A cycle has no end, so it is found here too.
  if (depth >= maxCanonicalDepth)
    refuse(path, `nesting deeper than ${maxCanonicalDepth}, or a cycle`)
  const names = Object.keys(value)
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, 'a member named by a symbol')
  if (Array.isArray(value)) {
    if (names.length !== value.length) refuse(path, 'a list with holes or extra members')
    for (let i = 0; i < value.length; i++) requireCanonical(value[i], `${path}[${i}]`, depth + 1)
    return
  }
  if (!isPlainObject(value)) refuse(path, `an instance of ${className(value)}`)
  for (const name of names) {
    const member = `${path}.${name}`
    if (!isWellFormed(name)) refuse(member, 'a name with half of a surrogate pair')
    requireCanonical((value as Record<string, unknown>)[name], member, depth + 1)
  }
}

/** An object literal, of this or another realm, or one without prototype. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
  )
}

function className(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== '' ? name : 'a class'
}

function refuse(path: string, what: string): never {
  throw new SluiceError('KEY_NOT_CANONICAL', `The key has no canonical form: ${path} is ${what}.`, {
    hint: 'A key may hold null, booleans, finite numbers, text, lists and plain objects of those.',
  })
}

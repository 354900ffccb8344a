/**
 * Define: a message is data. Each api declares its request and response once, field by field; from
 * that come the TypeScript types, the check of every header that arrives, and the protocol page of
 * the docs.
 *
 * Always true: unknown fields are ignored, missing or wrong-typed ones refused with their path.
 * Used by the files beside this one; checked by client/ (responses) and broker/server/ (requests).
 */
import { type ErrorCode, SluiceError } from '../errors.ts'

export interface Field<T> {
  /** How the docs name the type: `integer 0…2^31-1`. */
  readonly type: string
  readonly about: string
  readonly optional: boolean
  /** Nested fields, for the docs. */
  readonly fields?: Shape
  /** Throws INVALID_REQUEST with `path` unless `value` is a T. */
  check(value: unknown, path: string): asserts value is T
  /** Carries the type only; never set. */
  readonly infer?: T
}

export type Shape = { readonly [name: string]: Field<unknown> }
type OptionalNames<S extends Shape> = {
  [K in keyof S]: undefined extends InferField<S[K]> ? K : never
}[keyof S]
type InferField<F> = F extends { readonly infer?: infer T } ? T : never
type Flatten<T> = { [K in keyof T]: T[K] }
/** The TypeScript type of a shape. */
export type Infer<S extends Shape> = Flatten<
  { -readonly [K in Exclude<keyof S, OptionalNames<S>>]: Exclude<InferField<S[K]>, undefined> } & {
    -readonly [K in OptionalNames<S>]?: InferField<S[K]>
  }
>

export interface Api<Request extends Shape, Response extends Shape> {
  readonly name: string
  readonly about: string
  /** Versions that this code speaks, both ends included. */
  readonly versions: readonly [number, number]
  readonly request: Request
  readonly response: Response
  /** What may go wrong besides what every request may meet (`commonErrors`), for the docs. */
  readonly errors: readonly ErrorCode[]
  /** What the bodies of request and response are; absent = there are none. */
  readonly bodies?: { readonly request?: string; readonly response?: string }
}

/** Any request may meet these, as a whole or for one of its items. */
export const commonErrors: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'UNKNOWN_API',
  'TOO_MANY_REQUESTS',
  'BROKER_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_SERVER_ERROR',
]

export type RequestOf<A> = A extends Api<infer R, Shape> ? Infer<R> : never
export type ResponseOf<A> = A extends Api<Shape, infer R> ? Infer<R> : never

export function defineApi<Req extends Shape, Res extends Shape>(api: Api<Req, Res>): Api<Req, Res> {
  return api
}

function refuse(path: string, expected: string, value: unknown): never {
  const got = value === undefined ? 'nothing' : JSON.stringify(value)?.slice(0, 80)
  throw new SluiceError('INVALID_REQUEST', `field "${path}" must be ${expected}, got ${got}`, {
    hint: 'see the message tables in protocol/messages/',
  })
}

function field<T>(
  type: string,
  about: string,
  is: (value: unknown, path: string) => boolean,
  fields?: Shape,
): Field<T> {
  return {
    type,
    about,
    optional: false,
    ...(fields !== undefined && { fields }),
    check(value, path): asserts value is T {
      if (!is(value, path)) refuse(path, type, value)
    },
  }
}

export const text = (about: string, maxLength = 1024): Field<string> =>
  field(`text of at most ${maxLength} characters`, about, v => {
    return typeof v === 'string' && v.length <= maxLength
  })

export const integer = (
  about: string,
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): Field<number> =>
  field(`an integer from ${min} to ${max}`, about, v => {
    return typeof v === 'number' && Number.isSafeInteger(v) && v >= min && v <= max
  })

export const number = (about: string): Field<number> =>
  field('a finite number', about, v => typeof v === 'number' && Number.isFinite(v))

export const flag = (about: string): Field<boolean> =>
  field('true or false', about, v => typeof v === 'boolean')

export const choice = <const C extends readonly string[]>(
  choices: C,
  about: string,
): Field<C[number]> =>
  field(`one of ${choices.join(', ')}`, about, v => typeof v === 'string' && choices.includes(v))

export function list<T>(of: Field<T>, about: string, maxLength = 100_000): Field<T[]> {
  const type = `a list of at most ${maxLength}: ${of.type}`
  return field<T[]>(
    type,
    about,
    (v, path) => {
      if (!Array.isArray(v) || v.length > maxLength) return false
      for (let i = 0; i < v.length; i++) of.check(v[i], `${path}[${i}]`)
      return true
    },
    of.fields,
  )
}

export function group<S extends Shape>(fields: S, about: string): Field<Infer<S>> {
  return field('an object', about, (v, path) => checkShape(fields, v, path), fields)
}

/** Text keys to text values; `null` means "unset" where the api says so. */
export const textMap = (about: string, maxEntries = 256): Field<Record<string, string | null>> =>
  field(`an object of at most ${maxEntries} text values`, about, v => {
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return false
    const values = Object.values(v)
    return values.length <= maxEntries && values.every(x => typeof x === 'string' || x === null)
  })

/** May be absent; `null` counts as absent nowhere. */
export function optional<T>(of: Field<T>): Field<T | undefined> {
  return {
    type: of.type,
    about: of.about,
    optional: true,
    ...(of.fields !== undefined && { fields: of.fields }),
    check(value, path): asserts value is T | undefined {
      if (value !== undefined) of.check(value, path)
    },
  }
}

function checkShape(shape: Shape, value: unknown, path: string): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const object = value as Record<string, unknown>
  for (const name in shape) {
    // own properties only: a field named like something on Object.prototype must be sent
    const own = Object.hasOwn(object, name) ? object[name] : undefined
    const checked: Field<unknown> | undefined = shape[name]
    checked?.check(own, path === '' ? name : `${path}.${name}`)
  }
  return true
}

/**
 * Takes everything out of a checked message that its shape does not know, so that nothing is kept
 * with a request that nobody will look at. `besides` are names at the top that somebody else knows.
 */
export function dropUnknown(shape: Shape, message: object, besides: readonly string[] = []): void {
  const object = message as Record<string, unknown>
  for (const name in object) {
    const known = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (known === undefined) {
      if (!besides.includes(name)) delete object[name]
    } else if (known.fields !== undefined) dropFromNested(known.fields, object[name])
  }
}

function dropFromNested(shape: Shape, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) dropUnknown(shape, item)
  else if (typeof value === 'object' && value !== null) dropUnknown(shape, value)
}

/** @throws SluiceError INVALID_REQUEST naming the first field that is missing or wrong. */
export function checkMessage<S extends Shape>(shape: S, value: unknown): Infer<S> {
  if (!checkShape(shape, value, '')) refuse('(header)', 'an object', value)
  return value as Infer<S>
}

/**
 * Stored shape: what a value read from a small file must look like before anything uses it. A
 * checksum says that the bytes are those that were written, not that they were written for this.
 *
 * Always true: pure; fields that are not named are allowed, those that are must be there.
 * Used by the readers of checked files, here and in metadata/.
 */
export type StoredShape = (value: unknown) => boolean

/** A safe integer of either sign. */
export const integer: StoredShape = value => Number.isSafeInteger(value)
/** A safe integer from 0: an offset, a size, a count. */
export const whole: StoredShape = value => Number.isSafeInteger(value) && Number(value) >= 0
/** A point in time. */
export const time: StoredShape = value => Number.isFinite(value)
export const text: StoredShape = value => typeof value === 'string'

export const oneOf =
  (...choices: readonly string[]): StoredShape =>
  value =>
    choices.some(choice => choice === value)

export const orNull =
  (shape: StoredShape): StoredShape =>
  value =>
    value === null || shape(value)

/** For a field that files of earlier versions do not have. */
export const orMissing =
  (shape: StoredShape): StoredShape =>
  value =>
    value === undefined || shape(value)

export const listOf =
  (shape: StoredShape): StoredShape =>
  value =>
    Array.isArray(value) && value.every(shape)

/** A list of exactly these. */
export const tupleOf =
  (...shapes: readonly StoredShape[]): StoredShape =>
  value =>
    Array.isArray(value) &&
    value.length === shapes.length &&
    shapes.every((shape, at) => shape(value[at]))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const objectOf =
  (fields: Readonly<Record<string, StoredShape>>): StoredShape =>
  value =>
    isObject(value) && Object.entries(fields).every(([name, shape]) => shape(value[name]))

/** An object with any names. */
export const mapOf =
  (shape: StoredShape): StoredShape =>
  value =>
    isObject(value) && Object.values(value).every(shape)

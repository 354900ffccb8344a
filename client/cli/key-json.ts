/**
 * Key JSON: a key typed as JSON becomes the canonical bytes that the SDK's jsonKey() gives the same
 * value.
 *
 * Always true: equal objects are equal keys whatever the order of their properties as typed;
 * different numbers are different keys.
 * Used by `produce --key-json`.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { jsonKey } from '../codecs/codecs.ts'
import { usageError } from './failure.ts'

const utf8 = new TextDecoder()
const codec = jsonKey()

/** The first whole number in `value` that may stand for several typed ones. */
function blurredNumber(value: unknown): number | undefined {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? value : undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const member of Object.values(value)) {
    const found = blurredNumber(member)
    if (found !== undefined) return found
  }
  return undefined
}

/** @throws SluiceError INVALID_ARGUMENT (not JSON), KEY_NOT_CANONICAL */
export function canonicalKey(typed: Uint8Array, topic: string): Uint8Array | null {
  const text = utf8.decode(typed)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw usageError(`the key ${text.slice(0, 60)} is not JSON: ${(error as Error).message}`)
  }
  const blurred = blurredNumber(value)
  if (blurred !== undefined) {
    throw new SluiceError(
      'KEY_NOT_CANONICAL',
      `the key ${text.slice(0, 60)} holds a number beyond ±(2^53 − 1), read as ${blurred}`,
      { hint: 'different keys would become equal; write such a number as text: "…"' },
    )
  }
  return codec.encode(value, { topic, part: 'key' })
}

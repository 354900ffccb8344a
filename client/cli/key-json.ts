/**
 * Key JSON: a key typed as JSON becomes the canonical bytes that the SDK's jsonKey() gives the same
 * value.
 *
 * Always true: equal objects are equal keys whatever the order of their properties as typed.
 * Used by `produce --key-json`.
 */
import { jsonKey } from '../codecs/codecs.ts'
import { usageError } from './failure.ts'

const utf8 = new TextDecoder()
const codec = jsonKey()

/** @throws SluiceError INVALID_ARGUMENT (not JSON), KEY_NOT_CANONICAL */
export function canonicalKey(typed: Uint8Array, topic: string): Uint8Array | null {
  const text = utf8.decode(typed)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw usageError(`the key ${text.slice(0, 60)} is not JSON: ${(error as Error).message}`)
  }
  return codec.encode(value, { topic, part: 'key' })
}

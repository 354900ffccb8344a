/**
 * Codecs: how keys and values become bytes and come back. Types alone; the codecs that come with
 * the SDK are in client/codecs/.
 *
 * Always true: `null` stands for "no key" or a tombstone and never reaches decode.
 */

export interface CodecContext {
  readonly topic: string
  readonly part: 'key' | 'value'
}
export interface Codec<T> {
  /** null = no key, or a tombstone. @throws SluiceError ENCODE_FAILED, KEY_NOT_CANONICAL */
  encode(value: T, context: CodecContext): Uint8Array | null
  /** @throws SluiceError DECODE_FAILED */
  decode(bytes: Uint8Array, context: CodecContext): T
}

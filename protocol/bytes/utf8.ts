/**
 * Utf8: text to UTF-8 and back, fast for the short ASCII names that headers have.
 *
 * Always true: a lone surrogate is never written as a replacement character in silence (callers ask
 * isWellFormed first or use the size, which is −1 for such text); a byte order mark is kept as it
 * is.
 * Called by records/ and client/codecs/.
 */

const encoder = new TextEncoder()
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
const loneSurrogate = /\p{Surrogate}/u
const shortText = 64

/** False where the text holds half of a surrogate pair, which UTF-8 cannot express. */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text)
}

/** Bytes of the text in UTF-8; −1 for text with a lone surrogate. */
export function utf8Size(text: string): number {
  let size = 0
  let suspicious = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) size++
    else if (code < 0x800) size += 2
    else if (code >= 0xd800 && code < 0xe000) {
      suspicious = true
      size += 2
    } else size += 3
  }
  // Both halves of a pair count two bytes here, which is the pair's four.
  return suspicious && !isWellFormed(text) ? -1 : size
}

/** Writes text whose utf8Size is `size` and returns the position after it. */
export function writeUtf8(bytes: Uint8Array, position: number, text: string, size: number): number {
  if (size === text.length && size < shortText) {
    for (let i = 0; i < size; i++) bytes[position + i] = text.charCodeAt(i)
  } else {
    encoder.encodeInto(text, bytes.subarray(position, position + size))
  }
  return position + size
}

/** The text between two positions; bytes that are not UTF-8 become U+FFFD. */
export function readUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from >= shortText) return lenient.decode(bytes.subarray(from, to))
  let text = ''
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte >= 0x80) return lenient.decode(bytes.subarray(from, to))
    text += String.fromCharCode(byte)
  }
  return text
}

/** UTF-8 bytes of a well-formed text. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text, or null where the bytes are not UTF-8. */
export function maybeDecodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

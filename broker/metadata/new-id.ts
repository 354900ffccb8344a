/**
 * New id: 16 random bytes in base64url, 22 characters: cluster ids and topic ids, in Kafka's form.
 *
 * Always true: never starts with a dash, so that an id may stand on a command line (Kafka's rule
 * too).
 * Called at the creation of clusters and topics.
 */
import type { Random } from '../../protocol/world.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function newId(random: Random): string {
  const id = base64Url(random.bytes(16))
  return id.startsWith('-') ? newId(random) : id
}

/** Without padding. */
export function base64Url(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i
    const three =
      ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (rest > 2 ? (bytes[i + 2] ?? 0) : 0)
    for (let digit = 0; digit <= Math.min(rest, 3); digit++) {
      text += alphabet[(three >> (18 - 6 * digit)) & 63]
    }
  }
  return text
}

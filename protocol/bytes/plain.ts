/**
 * Plain: a Uint8Array that is nothing more than that. Node's Buffer is one too, but its slice() is
 * a view where a Uint8Array's is a copy, so a user who is handed the one must never get the other.
 *
 * Always true: the result shares the memory of the argument.
 * Called where bytes from ws, files or native packages reach users as keys and values.
 */

/** The same bytes, as a plain Uint8Array. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

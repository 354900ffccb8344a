/**
 * Joined: parts of bytes as one fresh array, and whether the parts are still the same as that.
 *
 * Always true: the array shares no memory with the parts, so later changes of either show.
 * Called by the simulated disk and network, which compare the two to catch a buffer that is reused
 * too early.
 */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Whether `parts`, one after the other, are still `bytes`. */
export function isJoined(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
  let at = 0
  for (const part of parts) {
    if (Buffer.compare(part, bytes.subarray(at, at + part.length)) !== 0) return false
    at += part.length
  }
  return at === bytes.length
}

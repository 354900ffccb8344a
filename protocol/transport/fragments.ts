/**
 * Fragments: how the parts of one message become WebSocket fragments. A large part travels as it
 * is; runs of small ones are joined, because a frame costs more than copying 16 KiB.
 *
 * Always true: the fragments concatenated are the parts concatenated; at least one fragment; a
 * message of B bytes has at most `maxFragmentsOf(B)` of them, which is also what a receiver allows.
 * Called by websocket-connection.ts (send) and websocket.ts (limits).
 */

/** Parts from this size on are sent without a copy. */
export const largeBytes = 16 * 1024
const fullRunBytes = 64 * 1024 - largeBytes
/** Foreign clients may cut finer than we do. */
export const leastMaxFragments = 16 * 1024

/** Of two fragments in a row, one holds at least `largeBytes`: that bounds what we send. */
export function maxFragmentsOf(maxMessageBytes: number): number {
  return Math.max(leastMaxFragments, Math.ceil((2 * maxMessageBytes) / largeBytes) + 2)
}

export function fragmentsOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const fragments: Uint8Array[] = []
  let runStart = 0
  let runBytes = 0
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array
    if (part.byteLength >= largeBytes) {
      if (runBytes > 0) fragments.push(join(parts, runStart, i, runBytes))
      fragments.push(part)
      runStart = i + 1
      runBytes = 0
      continue
    }
    runBytes += part.byteLength
    if (runBytes < fullRunBytes) continue
    fragments.push(join(parts, runStart, i + 1, runBytes))
    runStart = i + 1
    runBytes = 0
  }
  if (runBytes > 0 || fragments.length === 0) {
    fragments.push(join(parts, runStart, parts.length, runBytes))
  }
  return fragments
}

/** Parts `from`…`to` as one; no copy where there is only one. */
function join(parts: readonly Uint8Array[], from: number, to: number, bytes: number): Uint8Array {
  const first = parts[from]
  if (first !== undefined && first.byteLength === bytes) return first
  const joined = new Uint8Array(bytes)
  for (let i = from, at = 0; i < to; i++) {
    const part = parts[i] as Uint8Array
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}

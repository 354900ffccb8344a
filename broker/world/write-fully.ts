/**
 * Write fully: one write of many parts, carried on until all is written or the disk is full.
 *
 * Always true: the parts are written in order, each byte once; only a full disk makes the count
 * short.
 * Called by node-disk.ts.
 */
import { DiskError, isNoSpace } from './disk.ts'

/**
 * Calls `writeOnce` with what is left of `parts` until all is written; the returned count is short
 * only when the disk became full after a part was written. By itself, because no real disk
 * gives a short count at will in a test.
 */
export async function writeFully(
  path: string,
  parts: readonly Uint8Array[],
  writeOnce: (rest: readonly Uint8Array[], written: number) => Promise<number>,
): Promise<number> {
  let total = 0
  for (const part of parts) total += part.length
  let rest = parts
  let written = 0
  while (written < total) {
    let count: number
    try {
      count = await writeOnce(rest, written)
    } catch (error) {
      if (written > 0 && isNoSpace(error)) return written
      throw error
    }
    if (count <= 0) throw new DiskError('io', path, `${path}: a write made no progress`)
    written += count
    if (written < total) rest = withoutFirst(rest, count)
  }
  return written
}

/** `parts` without their first `count` bytes. */
function withoutFirst(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = count
  for (const part of parts) {
    if (skip < part.length) rest.push(skip === 0 ? part : part.subarray(skip))
    skip = Math.max(0, skip - part.length)
  }
  return rest
}

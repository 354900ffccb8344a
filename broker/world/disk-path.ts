/**
 * Disk paths: the little path arithmetic that disks without an operating system need (memory,
 * simulator).
 *
 * Always true: a resolved path starts with `/`, ends without one (but for the root itself), and
 * holds neither empty parts nor `.` nor `..`; a relative path starts at the root, which is these
 * disks' working directory.
 * Called by memory-disk.ts and the simulator's disk.
 */

/**
 * The names from the root down to `path`; `[]` for the root. `..` stops at the root, as on Linux.
 */
export function pathParts(path: string): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') parts.pop()
    else parts.push(part)
  }
  return parts
}

/** The one spelling of `path`. */
export function resolvedPath(path: string): string {
  return `/${pathParts(path).join('/')}`
}

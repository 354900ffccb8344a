/**
 * JSON nesting: how deep a text nests, told before it becomes a value.
 *
 * Always true: no recursion and nothing allocated, so any text may come here; strings are skipped.
 * JSON.parse takes any depth, but whatever walks its result level by level, JSON.stringify too,
 * ends with a full stack some thousand levels down.
 * Called wherever JSON comes from outside: frames, stored files, the config file.
 */

/** Whether brackets nest deeper than `limit`. The text need not be JSON. */
export function nestsDeeperThan(json: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > limit) return true
    } else if (c === 0x7d || c === 0x5d) depth--
  }
  return false
}

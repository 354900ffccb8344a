/**
 * Nearest name: what the user probably meant. Edit distance with swapped neighbours (Damerau,
 * restricted), over a handful of names.
 *
 * Always true: pure; a name that shares too little with the typed one is never suggested.
 * Called by the config tables for unknown keys and values.
 */

/** Insertions, deletions, replacements and swaps of neighbours that make `b` out of `a`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** Longer names come from nobody who mistyped one, and the distance costs their length. */
const longestTyped = 100

/**
 * The nearest of `names`, or null where nothing is near: at most a third of the letters may differ.
 */
export function nearestName(typed: string, names: Iterable<string>): string | null {
  if (typed.length > longestTyped) return null
  const wanted = typed.toLowerCase()
  let nearest: string | null = null
  let smallest = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase())
    if (distance < smallest) {
      nearest = name
      smallest = distance
    }
  }
  return nearest
}

/**
 * Quakes: the demo's input: every line of earthquakes.ndjson in several passes.
 *
 * Always true: record n is line n mod 1,707 of pass ⌊n / 1,707⌋; its key is the `net` of the line,
 * its value the line itself, its one header `pass`.
 * Used by the demo.
 */
import { readFileSync } from 'node:fs'

export interface Quakes {
  readonly passes: number
  readonly lines: readonly string[]
  /** `net` of each line. */
  readonly keys: readonly string[]
  readonly total: number
  /** Bytes of keys and values of all passes. */
  readonly sizeBytes: number
}

// dist/bench/demo/ → bench/data/ of the package
const file = new URL('../../../bench/data/earthquakes.ndjson', import.meta.url)

export function loadQuakes(passes: number): Quakes {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const keys = lines.map(line => (JSON.parse(line) as { net: string }).net)
  const perPass = lines.reduce((sum, line, i) => {
    return sum + Buffer.byteLength(line) + Buffer.byteLength(keys[i] ?? '')
  }, 0)
  return { passes, lines, keys, total: lines.length * passes, sizeBytes: perPass * passes }
}

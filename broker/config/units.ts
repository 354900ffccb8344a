/**
 * Units: sizes and durations as people write them: `1GiB`, `512k`, `7d`, `250ms`.
 *
 * Always true: powers of 1024 for sizes (Kafka's habit, whatever the letter case); results are safe
 * integers; `format(parse(x))` names the same amount.
 * Called by option.ts.
 */
const byteUnits: readonly (readonly [string, number])[] = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
]
const durationUnits: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]

function parseAmount(text: string, unitOf: (unit: string) => number | undefined): number | null {
  const match = /^(-?\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  if (match === null) return null
  const factor = unitOf((match[2] ?? '').toLowerCase())
  if (factor === undefined) return null
  const amount = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(amount) ? amount : null
}

/** Bytes, or null where `text` is not a size. */
export function parseBytes(text: string): number | null {
  return parseAmount(text, unit => {
    if (unit === '' || unit === 'b') return 1
    return byteUnits.find(([name]) => {
      const long = name.toLowerCase()
      return unit === long || unit === long[0] || unit === `${long[0]}b`
    })?.[1]
  })
}

/** Milliseconds, or null where `text` is not a duration; a plain number is milliseconds. */
export function parseDurationMs(text: string): number | null {
  return parseAmount(text, unit => {
    return unit === '' ? 1 : durationUnits.find(([name]) => name === unit)?.[1]
  })
}

function format(amount: number, units: readonly (readonly [string, number])[]): string {
  if (amount > 0) {
    for (const [name, factor] of units) {
      if (amount % factor === 0) return `${amount / factor}${name}`
    }
  }
  return String(amount)
}

export const formatBytes = (bytes: number): string => format(bytes, byteUnits)
export const formatDurationMs = (ms: number): string => format(ms, durationUnits)

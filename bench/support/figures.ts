/**
 * Figures: what a row of measurements says: median, spread, quantile, and the ratio of two systems
 * that were measured in turn.
 *
 * Always true: nothing here reads a clock; an empty list is an error and never a number.
 * Used by the lanes of bench/.
 */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The value that `fraction` of the others do not exceed, 0…1; nearest rank. @throws RangeError */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = Math.max(1, Math.ceil(sorted.length * fraction))
  const value = sorted[rank - 1]
  if (value === undefined) throw new RangeError('no values to take a quantile of')
  return value
}

/** The middle value, or the mean of the two in the middle. @throws RangeError */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const above = sorted[Math.floor(sorted.length / 2)]
  const below = sorted[Math.floor((sorted.length - 1) / 2)]
  if (above === undefined || below === undefined) {
    throw new RangeError('no values to take a median of')
  }
  return (above + below) / 2
}

/** @throws RangeError where there are no values */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/**
 * Ours against theirs from rounds that were run in turn: `ratio` is that of the two medians, min
 * and max are those of the rounds one by one. @throws RangeError where the rounds do not pair up,
 * or one of theirs is not above 0
 */
export function ratioOfRounds(
  ours: readonly number[],
  theirs: readonly number[],
): { readonly ratio: number; readonly min: number; readonly max: number } {
  if (ours.length !== theirs.length) throw new RangeError('rounds do not pair up')
  if (theirs.some(value => !(value > 0))) throw new RangeError('a ratio to nothing')
  const perRound = ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
  return {
    ratio: median(ours) / median(theirs),
    min: Math.min(...perRound),
    max: Math.max(...perRound),
  }
}

/** Three digits that mean something: 0.123, 1.23, 12.3, 123, 1,230,000. */
export function threeDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  if (digits > 0) return value.toFixed(Math.min(digits, 6))
  return Number(value.toPrecision(3)).toLocaleString('en-US')
}

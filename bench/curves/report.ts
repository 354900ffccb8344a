/**
 * Report: the figures of a curve as a table and as one sentence per series: where it bends, by how
 * much, and why.
 *
 * Always true: the sentence is computed from the figures of this run; our explanation, which no run
 * proves, is added only where this run bends for the worse.
 * Used by run.ts.
 */
import { threeDigits } from '../support/figures.ts'
import { type Bend, factorPerDoubling, findBend, type Point } from './bend.ts'
import type { CurvePlan, Figures, SeriesPlan } from './curve.ts'

export interface MeasuredPoint {
  readonly x: number
  readonly figures: Figures
}

export interface SeriesReport {
  readonly plan: SeriesPlan
  readonly points: readonly Point[]
  readonly bend: Bend | null
  readonly sentence: string
}

const factor = (value: number): string => `× ${value.toFixed(2)} per doubling`

function isWorse(bend: Bend, { good }: SeriesPlan): boolean {
  return good === 'more' ? bend.after < bend.before : bend.after > bend.before
}

function sentenceOf(plan: SeriesPlan, points: readonly Point[], bend: Bend | null): string {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined || points.length < 2) return 'not measured'
  const ends = `${threeDigits(first.y)} to ${threeDigits(last.y)} ${plan.unit}`
  if (points.some(({ y }) => y <= 0)) return `${ends}.`
  if (bend === null) return `${ends}, no bend: ${factor(factorPerDoubling(points))}.`
  const course = `${factor(bend.before)} up to ${bend.x}, ${factor(bend.after)} beyond`
  const cause = isWorse(bend, plan) && plan.cause !== '' ? ` ${plan.cause}` : ''
  return `${ends}: ${course}.${cause}`
}

export function reportSeries(plan: SeriesPlan, measured: readonly MeasuredPoint[]): SeriesReport {
  const points = measured.flatMap(({ x, figures }) => {
    const y = figures[plan.key]
    return y === undefined || !Number.isFinite(y) ? [] : [{ x, y }]
  })
  const bend = findBend(points)
  return { plan, points, bend, sentence: sentenceOf(plan, points, bend) }
}

/** One line per point, a column per series, as wide as its widest cell. */
export function tableOf(curve: CurvePlan, measured: readonly MeasuredPoint[]): string[] {
  const keys = curve.series.map(({ key }) => key)
  const cell = (value: number | undefined): string =>
    value === undefined ? '–' : threeDigits(value)
  const rows = [
    [curve.x, ...keys],
    ['', ...curve.series.map(({ unit }) => unit)],
    ...measured.map(({ x, figures }) => [
      x.toLocaleString('en-US'),
      ...keys.map(key => cell(figures[key])),
    ]),
  ]
  const widths = [0, ...keys].map((_, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  )
  return rows.map(row => row.map((text, column) => text.padStart(widths[column] ?? 0)).join('  '))
}

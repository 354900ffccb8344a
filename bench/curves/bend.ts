/**
 * Bend: where a curve changes its direction, found by the two straight lines that fit it best.
 *
 *   ln y │ ──────╮          before: about flat        y × 0.98 per doubling of x
 *        │        ╲         after:  falls             y × 0.55 per doubling of x
 *        └─────────────ln x
 *
 * Always true: both lines go through measured points, on logarithms, so that a factor is a slope;
 * less than four points have no bend; nothing here knows why.
 * Used by report.ts and plot.ts.
 */

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Bend {
  /** The measured point in which the two lines meet. */
  readonly x: number
  /** What y is multiplied by when x doubles. */
  readonly before: number
  readonly after: number
}

/** Slopes that differ by less are one line with noise: a factor of 1.23 per doubling. */
const leastChange = 0.3

interface Line {
  readonly slope: number
  readonly squaredError: number
}

/** Least squares on logarithms. */
function fit(points: readonly Point[]): Line {
  const xs = points.map(({ x }) => Math.log(x))
  const ys = points.map(({ y }) => Math.log(y))
  const meanX = xs.reduce((sum, x) => sum + x, 0) / xs.length
  const meanY = ys.reduce((sum, y) => sum + y, 0) / ys.length
  let spread = 0
  let together = 0
  xs.forEach((x, i) => {
    spread += (x - meanX) ** 2
    together += (x - meanX) * ((ys[i] ?? 0) - meanY)
  })
  const slope = spread === 0 ? 0 : together / spread
  const squaredError = xs.reduce(
    (sum, x, i) => sum + ((ys[i] ?? 0) - meanY - slope * (x - meanX)) ** 2,
    0,
  )
  return { slope, squaredError }
}

const perDoubling = ({ slope }: Line): number => 2 ** slope

/** What y is multiplied by when x doubles, over all points. @throws RangeError below two points */
export function factorPerDoubling(points: readonly Point[]): number {
  if (points.length < 2) throw new RangeError('one point has no direction')
  return perDoubling(fit(points))
}

/** null where one line fits. Points in the order of x; x and y above 0. */
export function findBend(points: readonly Point[]): Bend | null {
  if (points.length < 4 || points.some(({ x, y }) => !(x > 0 && y > 0))) return null
  let best: { bend: Bend; error: number; change: number } | null = null
  for (let at = 1; at < points.length - 1; at++) {
    const [left, right] = [fit(points.slice(0, at + 1)), fit(points.slice(at))]
    const error = left.squaredError + right.squaredError
    if (best !== null && error >= best.error) continue
    const bend = { x: points[at]?.x ?? 0, before: perDoubling(left), after: perDoubling(right) }
    best = { bend, error, change: Math.abs(right.slope - left.slope) }
  }
  return best !== null && best.change >= leastChange ? best.bend : null
}

/**
 * Plot: a curve as SVG: one panel per series, x on a logarithmic axis, the bend as a dashed line,
 * the sentence below.
 *
 * Always true: the picture is one file without scripts or fonts of its own and follows the light or
 * dark scheme of its reader; all text is escaped; y is logarithmic where it spans a factor of 20,
 * else it begins at 0.
 * Used by run.ts.
 */
import type { Point } from './bend.ts'
import type { SeriesReport } from './report.ts'

const width = 720
const left = 84
const right = 20
const plotHeight = 150
const captionWidth = 96
const lineHeight = 15

const style = `
  svg { background: #ffffff; font: 12px system-ui, sans-serif; fill: #1f2328 }
  .axis { stroke: #8c959f; fill: none } .grid { stroke: #d8dee4; fill: none }
  .line { stroke: #0969da; fill: none; stroke-width: 2 } .dot { fill: #0969da }
  .bend { stroke: #bc4c00; stroke-dasharray: 4 3 } .quiet { fill: #59636e }
  .title { font-size: 16px; font-weight: 600 } .name { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117; fill: #e6edf3 } .axis { stroke: #6e7681 }
    .grid { stroke: #21262d } .line { stroke: #58a6ff } .dot { fill: #58a6ff }
    .bend { stroke: #f0883e } .quiet { fill: #9198a1 }
  }`

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(content)}</text>`
}

const tickText = (tick: number): string =>
  Number(tick.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 })

const round = (value: number): number => Math.round(value * 10) / 10

/** Words of `content` in lines of at most `captionWidth` letters. */
export function wrapped(content: string): string[] {
  const lines: string[] = []
  for (const word of content.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > captionWidth) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

interface Scale {
  at(value: number): number
  readonly ticks: readonly number[]
}

/** Powers of ten, with 2 and 5 between where there are few. */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  const steps = decades > 2.5 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(step * 10 ** power)
  }
  return ticks.filter(tick => tick >= low * 0.999 && tick <= high * 1.001)
}

function logScale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low) || 1
  return {
    at: value => from + ((to - from) * Math.log(value / low)) / span,
    ticks: logTicks(low, high),
  }
}

function linearScale(high: number, from: number, to: number): Scale {
  const rough = high / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough) ?? rough
  const count = Math.floor(high / step)
  return {
    at: value => from + ((to - from) * value) / high,
    ticks: Array.from({ length: count + 1 }, (_, n) => n * step),
  }
}

function scalesOf(points: readonly Point[], top: number): { x: Scale; y: Scale } {
  const xs = points.map(({ x }) => x)
  const ys = points.map(({ y }) => y)
  const [low, high] = [Math.min(...ys), Math.max(...ys)]
  const x = logScale(Math.min(...xs), Math.max(...xs), left, width - right)
  const bottom = top + plotHeight
  const isWide = low > 0 && high / low > 20
  const y = isWide
    ? logScale(low / 1.3, high * 1.3, bottom, top)
    : linearScale(high * 1.1 || 1, bottom, top)
  return { x, y }
}

function axes({ x, y }: { x: Scale; y: Scale }, top: number, xLabel: string): string[] {
  const bottom = top + plotHeight
  const gridLines = y.ticks.flatMap(tick => {
    const at = round(y.at(tick))
    return [
      `<path class="grid" d="M${left} ${at}H${width - right}"/>`,
      text(left - 6, at + 4, tickText(tick), 'class="quiet" text-anchor="end"'),
    ]
  })
  const xTicks = x.ticks.map(tick =>
    text(x.at(tick), bottom + 15, tickText(tick), 'class="quiet" text-anchor="middle"'),
  )
  const label = text(width - right, bottom + 30, xLabel, 'class="quiet" text-anchor="end"')
  return [
    ...gridLines,
    `<path class="axis" d="M${left} ${bottom}H${width - right}"/>`,
    ...xTicks,
    label,
  ]
}

function panel(series: SeriesReport, top: number, xLabel: string): { svg: string; height: number } {
  const { plan, points, bend, sentence } = series
  const plotTop = top + 26
  const scales = scalesOf(points, plotTop)
  const at = ({ x, y }: Point): string => `${round(scales.x.at(x))} ${round(scales.y.at(y))}`
  const parts = [text(left, top + 14, `${plan.label}, ${plan.unit}`, 'class="name"')]
  parts.push(...axes(scales, plotTop, xLabel))
  if (bend !== null) {
    const x = round(scales.x.at(bend.x))
    parts.push(`<path class="bend" d="M${x} ${plotTop}V${plotTop + plotHeight}"/>`)
  }
  parts.push(`<path class="line" d="M${points.map(at).join('L')}"/>`)
  for (const point of points) {
    const [x, y] = at(point).split(' ')
    parts.push(`<circle class="dot" cx="${x}" cy="${y}" r="3"/>`)
  }
  const captionTop = plotTop + plotHeight + 48
  const lines = wrapped(sentence)
  parts.push(...lines.map((line, n) => text(left, captionTop + n * lineHeight, line)))
  return { svg: parts.join('\n'), height: captionTop + lines.length * lineHeight + 14 - top }
}

export interface PlotOptions {
  readonly title: string
  readonly conditions: string
  readonly xLabel: string
  readonly series: readonly SeriesReport[]
}

/** Series with fewer than two points are left out. */
export function plotCurve({ title, conditions, xLabel, series }: PlotOptions): string {
  const head = [text(left, 28, title, 'class="title"')]
  const notes = wrapped(conditions)
  head.push(...notes.map((line, n) => text(left, 48 + n * lineHeight, line, 'class="quiet"')))
  let top = 60 + notes.length * lineHeight
  const panels = series
    .filter(({ points }) => points.length > 1)
    .map(one => {
      const { svg, height } = panel(one, top, xLabel)
      top += height
      return svg
    })
  const size = `viewBox="0 0 ${width} ${top}" width="${width}" height="${top}"`
  const body = [...head, ...panels].join('\n')
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">
<title>${escaped(title)}</title>
<style>${style}
</style>
${body}
</svg>
`
}

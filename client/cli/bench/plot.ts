/**
 * Plot: lines over two axes as one SVG element, for the page of a bench.
 *
 *   y │      ╱╲                 an axis is linear, or counts tenfolds; ticks are round numbers
 *     └────────── x
 *
 * Always true: colours come from the page's CSS variables, so that light and dark both work; text
 * is escaped; values that are not numbers are left out.
 * Used by page.ts; nothing in it knows what is plotted.
 */
export interface Axis {
  readonly title: string
  readonly scale?: 'linear' | 'log'
  /** Ticks instead of round numbers: value and what stands beside it. */
  readonly ticks?: readonly (readonly [number, string])[]
}

export interface Line {
  readonly name: string
  readonly points: readonly (readonly [number, number])[]
}

export interface Plot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

const width = 640
const height = 260
const left = 64
const right = 14
const top = 28
const bottom = 40

export function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, letter => names[letter] ?? letter)
}

/** `12500` → `12.5k`; three digits are enough beside an axis. */
export function short(value: number): string {
  const units: readonly (readonly [number, string])[] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ]
  const [factor, unit] = units.find(([size]) => Math.abs(value) >= size) ?? [1, '']
  return `${Number((value / factor).toPrecision(3))}${unit}`
}

/** About five round numbers from 0 or the smallest tenfold up to the largest value. */
function ticksOf(axis: Axis, low: number, high: number): (readonly [number, string])[] {
  if (axis.ticks !== undefined) return axis.ticks.filter(([at]) => at >= low && at <= high)
  if (axis.scale === 'log') {
    const first = Math.floor(Math.log10(low))
    const count = Math.ceil(Math.log10(high)) - first + 1
    return [...Array(count)].map((_, i) => [10 ** (first + i), short(10 ** (first + i))] as const)
  }
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10)
  const count = Math.floor(high / step) + 1
  return [...Array(count)].map((_, i) => [i * step, short(i * step)] as const)
}

interface Scale {
  place(value: number): number
  readonly ticks: readonly (readonly [number, string])[]
}

function scaleOf(axis: Axis, values: readonly number[], from: number, to: number): Scale {
  const isLog = axis.scale === 'log'
  const usable = values.filter(value => Number.isFinite(value) && (!isLog || value > 0))
  const largest = Math.max(...usable, isLog ? 1 : 0) || 1
  const smallest = isLog ? Math.min(...usable, largest / 10) : 0
  const low = isLog ? 10 ** Math.floor(Math.log10(smallest)) : 0
  const high = isLog ? 10 ** Math.ceil(Math.log10(largest * 1.0001)) : largest * 1.05
  const of = (value: number): number =>
    isLog
      ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low)
      : (value - low) / (high - low)
  return {
    place: value => Number((from + of(value) * (to - from)).toFixed(1)),
    ticks: ticksOf(axis, low, high).filter(([at]) => at >= low && at <= high),
  }
}

const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="grid" x1="${x1}" x2="${x2}" y1="${y1}" y2="${y2}"/>`

const label = (x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(text)}</text>`

function frame(plot: Plot, x: Scale, y: Scale): string {
  const across = y.ticks.map(([value, text]) => {
    const at = y.place(value)
    return line(left, at, width - right, at) + label(left - 6, at + 4, 'end', text)
  })
  const down = x.ticks.map(([value, text]) => {
    const at = x.place(value)
    return line(at, top, at, height - bottom) + label(at, height - bottom + 15, 'middle', text)
  })
  const titles = [
    `<text class="title" x="${left}" y="16">${escaped(plot.title)}</text>`,
    label((left + width - right) / 2, height - 6, 'middle', plot.x.title),
    `<g transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)">`,
    `${label(0, 0, 'middle', plot.y.title)}</g>`,
  ]
  return [...across, ...down, ...titles].join('')
}

function legend(lines: readonly Line[]): string {
  if (lines.length < 2) return ''
  return lines
    .map(({ name }, i) => {
      const at = width - right - (lines.length - i) * 90
      const stroke = `<line class="line c${i % 6}" x1="${at}" x2="${at + 16}" y1="12" y2="12"/>`
      return stroke + label(at + 20, 16, 'start', name)
    })
    .join('')
}

/** One `<svg>` element. */
export function plotSvg(plot: Plot): string {
  const points = plot.lines.flatMap(line => line.points)
  const x = scaleOf(
    plot.x,
    points.map(([value]) => value),
    left,
    width - right,
  )
  const y = scaleOf(
    plot.y,
    points.map(([, value]) => value),
    height - bottom,
    top,
  )
  const drawn = plot.lines.map(({ points }, i) => {
    const shown = points.filter(point => point.every(Number.isFinite))
    const path = shown.map(([at, value]) => `${x.place(at)},${y.place(value)}`).join(' ')
    return `<polyline class="line c${i % 6}" points="${path}"/>`
  })
  const head = `viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(plot.title)}"`
  return `<svg ${head}>${frame(plot, x, y)}${drawn.join('')}${legend(plot.lines)}</svg>`
}

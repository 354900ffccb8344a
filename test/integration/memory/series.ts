/**
 * Series: a figure over time: sampled, drawn as one line, and judged.
 *
 * Always true: the first third of a series is warm-up and is not judged; flat means that the last
 * third is not higher than the middle one by more than the tolerance.
 * Used by the memory lane.
 */
import { MiB, rssOf } from './usage.ts'

const bars = '▁▂▃▄▅▆▇█'

export const megabytes = (bytes: number): string => (bytes / MiB).toFixed(0)

/** At most `width` bars from 0 to the highest value; each is the highest of its share. */
export function sparkline(values: readonly number[], width = 48): string {
  const top = Math.max(1, ...values)
  const count = Math.min(width, values.length)
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * values.length) / count)
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / count))
    const share = Math.max(...values.slice(from, to))
    return bars[Math.min(bars.length - 1, Math.floor((share / top) * bars.length))]
  }).join('')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** By how much the last third lies above the middle third; negative where it fell. */
export function growth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  if (third === 0) return 0
  return median(values.slice(2 * third)) - median(values.slice(third, 2 * third))
}

/** RSS of one process, looked at every `intervalMs` until `stop`. */
export class RssSeries {
  readonly values: number[] = []
  readonly #timer: NodeJS.Timeout
  readonly #pid: number

  constructor(pid: number, intervalMs = 100) {
    this.#pid = pid
    this.#timer = setInterval(() => this.look(), intervalMs)
    this.look()
  }

  look(): number {
    const rss = rssOf(this.#pid)
    if (rss !== null) this.values.push(rss)
    return rss ?? 0
  }

  stop(): this {
    clearInterval(this.#timer)
    return this
  }

  get peak(): number {
    return Math.max(0, ...this.values)
  }

  /** `▁▂▃ 61 … 143 MB, peak 150, last third +2 over the middle one` */
  render(): string {
    const [first = 0] = this.values
    const last = this.values.at(-1) ?? 0
    const change = growth(this.values) / MiB
    const sign = change < 0 ? '' : '+'
    return (
      `${sparkline(this.values)} ${megabytes(first)} → ${megabytes(last)} MiB, ` +
      `peak ${megabytes(this.peak)}, last third ${sign}${change.toFixed(1)}`
    )
  }
}

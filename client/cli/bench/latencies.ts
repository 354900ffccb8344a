/**
 * Latencies: a histogram of times, and its percentiles.
 *
 * Always true: constant memory; values are kept to three digits, 1 µs to 1 h; no percentile lies
 * beyond the largest value that was recorded.
 * Used by the meter and by the benches that time something of their own.
 */
import { build, type Histogram } from 'hdr-histogram-js'

export interface LatencyMs {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
  readonly mean: number
}

const hourUs = 3_600_000_000

/** Where the percentile curve is looked at: half of the rest again and again. */
const curvePercentiles: readonly number[] = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.5, 99.75, 99.9, 99.95,
  99.975, 99.99, 99.995, 99.999, 100,
]

export const rounded = (value: number, digits: number): number => {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}

export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: hourUs,
    numberOfSignificantValueDigits: 3,
  })

  get count(): number {
    return this.#histogram.totalCount
  }

  /** A time in milliseconds, with fractions. */
  record(ms: number): void {
    this.#histogram.recordValue(Math.min(hourUs, Math.max(1, Math.round(ms * 1000))))
  }

  add(other: Latencies): void {
    if (other.count > 0) this.#histogram.add(other.#histogram)
  }

  reset(): void {
    this.#histogram.reset()
  }

  /** 0 where nothing was recorded. */
  at(percentile: number): number {
    if (this.count === 0) return 0
    const { maxValue } = this.#histogram
    // it answers with the upper end of a bucket, which may lie beyond the largest value
    const us = percentile === 100 ? maxValue : this.#histogram.getValueAtPercentile(percentile)
    return rounded(Math.min(us, maxValue) / 1000, 3)
  }

  summary(): LatencyMs {
    return {
      p50: this.at(50),
      p90: this.at(90),
      p99: this.at(99),
      p999: this.at(99.9),
      p9999: this.at(99.99),
      max: this.at(100),
      mean: this.count === 0 ? 0 : rounded(this.#histogram.mean / 1000, 3),
    }
  }

  /** Percentile and milliseconds, rising; no finer than the number of values allows. */
  curve(): [number, number][] {
    if (this.count === 0) return []
    const finest = 100 * (1 - 1 / this.count)
    const shown = curvePercentiles.filter(percentile => percentile <= finest || percentile === 100)
    return shown.map(percentile => [percentile, this.at(percentile)])
  }
}

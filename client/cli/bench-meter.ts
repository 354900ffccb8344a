/**
 * Bench meter: counts acked or read records and keeps latencies in a histogram, after the warm-up.
 *
 *   0 ……… warmupRecords │ measured …………………………………… last          rate = measured records ÷ measured time
 *
 * Always true: what happened during the warm-up is in no figure; latencies are kept to three
 * digits, 1 µs to 1 h.
 * Used by bench produce and bench consume.
 */
import { build, type Histogram } from 'hdr-histogram-js'
import type { Clock } from '../../protocol/world.ts'

export interface LatencyMs {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
  readonly mean: number
}

export interface Measured {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Millions of bytes of keys and values. */
  readonly megabytesPerSecond: number
  readonly latencyMs: LatencyMs
  readonly latencySamples: number
}

const hourUs = 3_600_000_000

const rounded = (value: number, digits: number): number => {
  const factor = 10 ** digits
  return Math.round(value * factor) / factor
}

export class BenchMeter {
  readonly #clock: Clock
  readonly #warmupRecords: number
  readonly #histogram: Histogram
  #startMs: number
  #lastMs: number
  #bytes = 0
  records = 0

  constructor(clock: Clock, warmupRecords: number) {
    this.#clock = clock
    this.#warmupRecords = warmupRecords
    this.#startMs = clock.monotonicMs()
    this.#lastMs = this.#startMs
    this.#histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: hourUs,
      numberOfSignificantValueDigits: 3,
    })
  }

  /** `records` more are done, `bytes` together. */
  count(records: number, bytes: number): void {
    const before = this.records
    this.records += records
    if (before >= this.#warmupRecords) this.#bytes += bytes
    else if (this.isWarm) this.#startMs = this.#clock.monotonicMs()
  }

  /**
   * The last record is done; call it right then. (A clock call per record would cost more than the
   * record.)
   */
  finish(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  get isWarm(): boolean {
    return this.records >= this.#warmupRecords
  }

  /** From `sinceMs` (monotonic) to now. */
  latency(sinceMs: number): void {
    const us = Math.round((this.#clock.monotonicMs() - sinceMs) * 1000)
    this.#histogram.recordValue(Math.min(hourUs, Math.max(1, us)))
  }

  measured(): Measured {
    const records = Math.max(0, this.records - this.#warmupRecords)
    const seconds = (this.#lastMs - this.#startMs) / 1000
    const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0)
    const samples = this.#histogram.totalCount
    return {
      records,
      bytes: this.#bytes,
      seconds: rounded(seconds, 3),
      recordsPerSecond: Math.round(perSecond(records)),
      megabytesPerSecond: rounded(perSecond(this.#bytes) / 1e6, 2),
      latencyMs: this.#latencies(samples),
      latencySamples: samples,
    }
  }

  #latencies(samples: number): LatencyMs {
    const ms = (us: number): number => (samples === 0 ? 0 : rounded(us / 1000, 3))
    // the histogram answers with the upper end of a bucket, which may lie beyond the largest value
    const at = (percentile: number): number =>
      ms(Math.min(this.#histogram.getValueAtPercentile(percentile), this.#histogram.maxValue))
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      p9999: at(99.99),
      max: ms(this.#histogram.maxValue),
      mean: ms(this.#histogram.mean),
    }
  }
}

/**
 * Meter: counts what is done and keeps latencies, as a whole after the warm-up and per interval.
 *
 *   start ……… warm-up │ measured: rate = records ÷ time ……………… finish
 *     │ sample │ sample │ sample │ sample │ sample │             one series over both
 *
 * Always true: what happened during the warm-up is in no figure but the series, where it is marked;
 * a call per turn is enough, none per record is needed.
 * Used by every bench; the timer of the intervals is in watch.ts.
 */
import type { Clock } from '../../../protocol/world.ts'
import { Latencies, type LatencyMs, rounded } from './latencies.ts'

export interface Measured {
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  readonly recordsPerSecond: number
  /** Millions of bytes of keys and values. */
  readonly megabytesPerSecond: number
  readonly latencyMs: LatencyMs
  readonly latencySamples: number
  /** Percentile and milliseconds, rising. */
  readonly latencyCurve: readonly (readonly [number, number])[]
  /** What was left out at the beginning. */
  readonly warmup: { readonly records: number; readonly seconds: number }
  readonly series: readonly IntervalSample[]
}

export interface IntervalSample {
  /** End of the interval, since the start. */
  readonly atSeconds: number
  readonly recordsPerSecond: number
  readonly megabytesPerSecond: number
  /** 0 where nothing was timed. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly isWarmup: boolean
}

/** What is not measured: so many records or so long, whichever comes first; 0 = not given. */
export interface Warmup {
  readonly records: number
  readonly ms: number
}

export const noWarmup: Warmup = { records: 0, ms: 0 }

interface Mark {
  readonly ms: number
  readonly records: number
  readonly bytes: number
}

export class BenchMeter {
  /** Called once, when the warm-up ends. */
  onWarm: () => void = () => undefined
  records = 0
  bytes = 0
  readonly #clock: Clock
  readonly #warmup: Warmup
  readonly #total = new Latencies()
  readonly #interval = new Latencies()
  readonly #series: IntervalSample[] = []
  #begun: Mark
  #warm: Mark | null = null
  #last: Mark
  #finishedMs = 0

  constructor(clock: Clock, warmup: Warmup = noWarmup) {
    this.#clock = clock
    this.#warmup = warmup
    this.#begun = this.#mark()
    this.#last = this.#begun
  }

  /** The first record is about to go. */
  start(): void {
    this.#begun = this.#mark()
    this.#last = this.#begun
    this.count(0, 0)
  }

  get startedMs(): number {
    return this.#begun.ms
  }

  /** `records` more are done, `bytes` together. */
  count(records: number, bytes: number): void {
    this.records += records
    this.bytes += bytes
    if (this.#warm !== null) return
    if (!this.#isWarmupOver()) return
    this.#warm = this.#mark()
    this.#total.reset()
    this.#interval.reset()
    this.onWarm()
  }

  /** From `sinceMs` (monotonic) to now. */
  latency(sinceMs: number): void {
    this.#interval.record(this.#clock.monotonicMs() - sinceMs)
  }

  /** Ends an interval; its latencies are added to `into` too. */
  sample(into?: Latencies): IntervalSample {
    const from = this.#last
    const now = this.#mark()
    const seconds = (now.ms - from.ms) / 1000
    const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0)
    const sample = {
      atSeconds: rounded((now.ms - this.#begun.ms) / 1000, 3),
      recordsPerSecond: Math.round(perSecond(now.records - from.records)),
      megabytesPerSecond: rounded(perSecond(now.bytes - from.bytes) / 1e6, 2),
      p50: this.#interval.at(50),
      p99: this.#interval.at(99),
      max: this.#interval.at(100),
      isWarmup: this.#warm === null,
    }
    into?.add(this.#interval)
    this.#fold()
    this.#last = now
    this.#series.push(sample)
    return sample
  }

  /**
   * The last record is done; call it right then. (A clock call per record would cost more than the
   * record.)
   */
  finish(): void {
    this.#finishedMs = this.#clock.monotonicMs()
    if (this.#finishedMs > this.#last.ms) this.sample()
  }

  measured(): Measured {
    const warm = this.#warm ?? this.#mark()
    const records = this.records - warm.records
    const bytes = this.bytes - warm.bytes
    const seconds = Math.max(0, (this.#finishedMs - warm.ms) / 1000)
    const perSecond = (amount: number): number => (seconds > 0 ? amount / seconds : 0)
    this.#fold()
    return {
      records,
      bytes,
      seconds: rounded(seconds, 3),
      recordsPerSecond: Math.round(perSecond(records)),
      megabytesPerSecond: rounded(perSecond(bytes) / 1e6, 2),
      latencyMs: this.#total.summary(),
      latencySamples: this.#total.count,
      latencyCurve: this.#total.curve(),
      warmup: {
        records: warm.records - this.#begun.records,
        seconds: rounded((warm.ms - this.#begun.ms) / 1000, 3),
      },
      series: this.#series,
    }
  }

  #isWarmupOver(): boolean {
    const { records, ms } = this.#warmup
    if (records === 0 && ms === 0) return true
    if (records > 0 && this.records - this.#begun.records >= records) return true
    return ms > 0 && this.#clock.monotonicMs() - this.#begun.ms >= ms
  }

  #fold(): void {
    this.#total.add(this.#interval)
    this.#interval.reset()
  }

  #mark(): Mark {
    return { ms: this.#clock.monotonicMs(), records: this.records, bytes: this.bytes }
  }
}

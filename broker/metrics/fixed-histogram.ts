/**
 * Fixed histogram: counts of values in buckets that are known beforehand.
 *
 *   bounds   0.25 ms · 0.5 ms · 1 ms … 16 s      counts   one more than bounds: the last has no upper end
 *
 * Always true: `observe` allocates nothing; a value is counted in the first bucket whose bound is
 * not below it, as Prometheus counts; `count` is the sum of the buckets.
 * Used by the counts beside this file; copied when somebody scrapes.
 */

/** 0.25 ms, doubled up to 16.384 s. */
export const secondsBounds: readonly number[] = doubled(0.000_25, 17)

/** 1, doubled up to 1,048,576. */
export const recordsBounds: readonly number[] = doubled(1, 21)

function doubled(first: number, length: number): number[] {
  return Array.from({ length }, (_, power) => first * 2 ** power)
}

export class FixedHistogram {
  readonly bounds: readonly number[]
  readonly #buckets: Float64Array
  #sum = 0
  #count = 0
  #max = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#buckets = new Float64Array(bounds.length + 1)
  }

  get sum(): number {
    return this.#sum
  }
  get count(): number {
    return this.#count
  }
  /** The largest value so far; 0 where there was none. */
  get max(): number {
    return this.#max
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.#sum += value
    this.#count++
    if (value > this.#max) this.#max = value
  }

  /** How many values were not above each bound; what is above all of them is in `count` only. */
  cumulative(): number[] {
    let sum = 0
    return this.bounds.map((_, bucket) => {
      sum += this.#buckets[bucket] as number
      return sum
    })
  }

  /**
   * A value that at least `fraction` (0…1) of those counted are not above: the bound of a bucket,
   * but never more than `max`; 0 where nothing was counted.
   */
  quantile(fraction: number): number {
    const wanted = Math.ceil(fraction * this.#count)
    if (wanted === 0) return 0
    const bucket = this.cumulative().findIndex(below => below >= wanted)
    return Math.min(this.bounds[bucket] ?? this.#max, this.#max)
  }

  /** Adds what `other`, of the same bounds, has counted. */
  add(other: FixedHistogram): void {
    other.#buckets.forEach((count, bucket) => {
      this.#buckets[bucket] = (this.#buckets[bucket] as number) + count
    })
    this.#sum += other.#sum
    this.#count += other.#count
    this.#max = Math.max(this.#max, other.#max)
  }

  clear(): void {
    this.#buckets.fill(0)
    this.#sum = 0
    this.#count = 0
    this.#max = 0
  }
}

/** Only the values of the last one to two `windowMs`, for who asks how it is going now. */
export class RecentHistogram {
  readonly #windowMs: number
  #current: FixedHistogram
  #before: FixedHistogram
  #beganMs = 0

  constructor(bounds: readonly number[], windowMs: number) {
    this.#windowMs = windowMs
    this.#current = new FixedHistogram(bounds)
    this.#before = new FixedHistogram(bounds)
  }

  observe(value: number, nowMs: number): void {
    this.#turn(nowMs)
    this.#current.observe(value)
  }

  /** Count, median, 99th percentile and maximum of what is recent at `nowMs`. */
  summary(nowMs: number): { count: number; p50: number; p99: number; max: number } {
    this.#turn(nowMs)
    const both = new FixedHistogram(this.#current.bounds)
    both.add(this.#before)
    both.add(this.#current)
    const { count, max } = both
    return { count, p50: both.quantile(0.5), p99: both.quantile(0.99), max }
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#beganMs
    if (elapsedMs < this.#windowMs) return
    const old = this.#before
    this.#before = this.#current
    this.#current = old
    old.clear()
    if (elapsedMs >= 2 * this.#windowMs) this.#before.clear()
    this.#beganMs = nowMs
  }
}

/**
 * Lane: what one part of the memory lane reports, and how it is judged.
 *
 * Always true: each series is printed with its bound, and a problem is a sentence; flat means that
 * the last third lies above the middle one by at most `flatBytes`, or the given share of it. A
 * short series may rise by `flatAtFirstBytes`, which is more
 * than the small form of a lane can leak: there only the bound is proved, and the handles.
 * Used by the lanes and by run.ts.
 */
import { growth, median, megabytes, type RssSeries } from './series.ts'
import { MiB } from './usage.ts'

export interface LaneReport {
  readonly lane: string
  readonly lines: readonly string[]
  readonly facts: Readonly<Record<string, unknown>>
  readonly problems: readonly string[]
}

/** A collector that lets its garbage lie a little longer is no leak; it takes a while to settle. */
const flatBytes = 24 * MiB
const flatAtFirstBytes = 72 * MiB
const settledAfterLooks = 150
const flatShare = 0.1

export class LaneNotes {
  readonly #lane: string
  readonly #lines: string[] = []
  readonly #facts: Record<string, unknown> = {}
  readonly #problems: string[] = []

  constructor(lane: string) {
    this.#lane = lane
  }

  say(line: string): void {
    this.#lines.push(line)
  }

  fact(name: string, value: unknown): void {
    this.#facts[name] = value
  }

  require(holds: boolean, problem: string): void {
    if (!holds) this.#problems.push(problem)
  }

  /** RSS of `who` over time: below its bound, and flat. */
  series(who: string, series: RssSeries, boundBytes: number): void {
    const { peak, values } = series.stop()
    const change = growth(values)
    this.say(`${who.padEnd(8)} ${series.render()}, bound ${megabytes(boundBytes)}`)
    this.fact(`${who}PeakMiB`, Math.round(peak / MiB))
    this.fact(`${who}GrowthMiB`, Math.round((10 * change) / MiB) / 10)
    const third = Math.floor(values.length / 3)
    const least = values.length < settledAfterLooks ? flatAtFirstBytes : flatBytes
    const allowed = Math.max(least, flatShare * median(values.slice(third, 2 * third)))
    this.require(
      peak <= boundBytes,
      `${who}: RSS rose to ${megabytes(peak)} MiB, bound ${megabytes(boundBytes)}`,
    )
    this.require(
      change <= allowed,
      `${who}: RSS still rose by ${megabytes(change)} MiB, allowed ${megabytes(allowed)}`,
    )
  }

  /** Handles that are still open. */
  handles(who: string, left: string): void {
    this.say(`${who.padEnd(8)} handles afterwards: ${left === '' ? 'as at the start' : left}`)
    this.require(left === '', `${who}: left open: ${left}`)
  }

  get report(): LaneReport {
    return {
      lane: this.#lane,
      lines: this.#lines,
      facts: this.#facts,
      problems: this.#problems,
    }
  }
}

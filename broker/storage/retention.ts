/**
 * Retention: which old segments may go, as a pure decision, and whether the wall clock can be
 * trusted with it.
 *
 * Always true: the active segment never goes; age counts from when this broker sealed the segment,
 * never from timestamps that clients wrote (S14: old CreateTimes would delete everything at once).
 * Called by log-maintenance.ts, log-writer.ts and housekeeping.ts.
 */
import type { Clock } from '../../protocol/world.ts'

export interface RetainedSegment {
  readonly endOffset: number
  readonly sizeBytes: number
  /** null = active. */
  readonly sealedAtMs: number | null
}

export interface RetentionRules {
  /** Keep at least this long after sealing; −1 = for ever. */
  readonly retentionMs: number
  /** Keep at least this much; −1 = everything. */
  readonly retentionBytes: number
}

/**
 * The log start that the rules ask for: the end of the last segment that goes; −1 = nothing goes.
 */
export function retentionStart(
  segments: readonly RetainedSegment[],
  rules: RetentionRules,
  nowMs: number,
): number {
  let left = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  let start = -1
  for (const { sealedAtMs, sizeBytes, endOffset } of segments) {
    if (sealedAtMs === null) break
    const tooOld = rules.retentionMs >= 0 && nowMs - sealedAtMs >= rules.retentionMs
    const tooMuch = rules.retentionBytes >= 0 && left - sizeBytes >= rules.retentionBytes
    if (!tooOld && !tooMuch) break
    left -= sizeBytes
    start = endOffset
  }
  return start
}

const maxDriftMs = 5 * 60_000
const settleMs = 60 * 60_000

/**
 * Watches the wall clock against the monotonic one. After a jump of more than five minutes, ages
 * are not to be trusted until the new time has held for an hour: a clock that was set wrong for a
 * while deletes nothing.
 */
export class WallClockGuard {
  readonly #clock: Clock
  #offsetMs: number
  #suspect: { readonly offsetMs: number; readonly sinceMs: number } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offsetMs = clock.wallMs() - clock.monotonicMs()
  }

  /**
   * The time to note on a segment that is sealed now: of the wall clock and of what it would say
   * without its jump, the later. A segment that was sealed while the clock was too far behind must
   * not look old when it is right again.
   */
  sealingMs(): number {
    this.jumpMs()
    const withoutJumpMs = Math.floor(this.#clock.monotonicMs() + this.#offsetMs)
    return Math.max(this.#clock.wallMs(), withoutJumpMs)
  }

  /** How far the wall clock has jumped, in ms, while that is too far to be trusted; 0 otherwise. */
  jumpMs(): number {
    const monotonicMs = this.#clock.monotonicMs()
    const offsetMs = this.#clock.wallMs() - monotonicMs
    if (Math.abs(offsetMs - this.#offsetMs) <= maxDriftMs) {
      // Slow drift is normal: NTP steers the wall clock all the time.
      this.#offsetMs = offsetMs
      this.#suspect = null
      return 0
    }
    const same = this.#suspect !== null && Math.abs(offsetMs - this.#suspect.offsetMs) <= maxDriftMs
    if (!same) this.#suspect = { offsetMs, sinceMs: monotonicMs }
    if (this.#suspect !== null && monotonicMs - this.#suspect.sinceMs >= settleMs) {
      this.#offsetMs = offsetMs
      this.#suspect = null
      return 0
    }
    return offsetMs - this.#offsetMs
  }
}

/**
 * Collector pace: how much a process may allocate between two full garbage collections.
 *
 *   V8's limit after a full collection:   objects × factor
 *   what counts towards it:               objects, and buffers outside of the heap
 *
 * A broker and a busy SDK have few objects (10 MB) and move many buffers, for each read from a
 * socket is one. V8 judges by the objects and so collects everything once in 8 to 18 MB of traffic:
 * a third of the broker's processor time under load. Here the factor is chosen such that at least
 * `spareBytes` pass in between, however few objects there are.
 *
 * Always true: from `spareBytes` of objects on V8's own rule is in force; the factor follows the
 * heap as it grows, so closely that a heap which fills up between two looks is let grow by about
 * what it grew in between, and not by a factor meant for an emptier one.
 * Called by the programs: start.ts, and main.ts for commands that open a connection. The libraries
 * leave the flags of the process that they are used in alone.
 */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import type { Timers } from '../../protocol/world.ts'

/** Garbage that may lie about before it is collected; part of a process's memory for good. */
export const spareBytes = 64 * 1024 * 1024
const lookMs = 100
/** V8's own factor for a heap that is at rest. */
const smallestPercent = 100
/** Enough for the 8 MB of objects of a broker that just began. */
const largestPercent = 800

/**
 * For V8's flag --heap-growing-percent: growth in percent of what is live; 0 = V8's own rule.
 * `liveBytes`: objects that have survived their first collections.
 */
export function growthPercent(liveBytes: number): number {
  const percent = Math.floor((100 * spareBytes) / Math.max(1, liveBytes))
  return percent < smallestPercent ? 0 : Math.min(largestPercent, percent)
}

/** Without the young generation, which is mostly garbage at any time. */
function oldBytes(): number {
  let bytes = 0
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics()) {
    if (!name.startsWith('new_')) bytes += used
  }
  return bytes
}

/**
 * Looks ten times a second, as long as the process lives. V8 reads the flag at each full
 * collection.
 */
export function paceCollector(timers: Timers): void {
  let current = 0
  const look = (): void => {
    const percent = growthPercent(oldBytes())
    if (percent !== current) setFlagsFromString(`--heap-growing-percent=${percent}`)
    current = percent
    timers.after(lookMs, look, { background: true })
  }
  look()
}

/**
 * Timed sync: one fsync of a log, with a permit and a clock beside it.
 *
 * Always true: what is timed is the work, not the wait for the permit; a slow one is logged when it
 * is over, and one that hangs is known to the counts all the while.
 * Called by log-writer.ts for every round.
 */
import type { LogShared } from './shared.ts'

export interface SyncedPart {
  readonly directory: string
  /** Records that become durable by it. */
  readonly records: number
}

export function timedSync(
  shared: LogShared,
  { directory, records }: SyncedPart,
  sync: () => Promise<unknown>,
): Promise<void> {
  const { syncs, clock, counts, limits, logger } = shared
  return syncs.run(async () => {
    const ended = counts.beginSync(clock.monotonicMs())
    await sync()
    const tookMs = Math.round(ended(clock.monotonicMs(), Math.max(0, records)))
    if (tookMs < limits.slowFsyncMs) return
    logger.warn({ event: 'slow-fsync', directory, tookMs, records }, 'a slow fsync')
  })
}

/**
 * Recovery point: from where on nothing of a log is known to be on disk.
 *
 *   [ segment ][ segment ][ segment ····|············· ]
 *                         segmentBase   ^ position
 *
 * Always true: everything before it, log and indexes, was on disk when the checkpoint was written;
 * where no checkpoint names a segment that is there, it is the begin of the log.
 * Called by log-recovery.ts.
 */
import type { LogCheckpoint } from './load-types.ts'

export interface RecoveryPoint {
  readonly segmentBase: number
  readonly position: number
}

export function recoveryPoint(
  checkpoint: LogCheckpoint | null,
  bases: readonly number[],
): RecoveryPoint {
  const known = checkpoint !== null && bases.includes(checkpoint.recovery.segmentBase)
  return known ? checkpoint.recovery : { segmentBase: bases[0] ?? 0, position: 0 }
}

/** Position in a segment, none before the point, from which on nothing is known to be durable. */
export function startOfDoubt({ segmentBase, position }: RecoveryPoint, base: number): number {
  return base === segmentBase ? position : 0
}

/**
 * Recovery verdict: what damaged bytes in a log mean, as a pure decision.
 *
 *   [ …… good …… | bad ………… end of the log ]
 *        ^ recovery point     |<- torn limit ->|
 *
 * Always true: bytes below the recovery point were known to be on disk, so damage there is
 * corruption. Above it, in commit mode, only the last round can be torn, and a round begins only
 * after the one before it is on disk: damage farther from the end than one round is corruption too
 * (S7). With flush=os anything above the recovery point may be missing after a power loss.
 * Called by log-recovery.ts.
 */
export interface Damage {
  readonly flush: 'commit' | 'os'
  readonly belowRecoveryPoint: boolean
  /** Bytes from the first bad one to the end of the last segment. */
  readonly bytesAfter: number
  /** The largest round that may have been under way. */
  readonly tornLimitBytes: number
  /** All bytes after are zero and there is no later segment: a preallocated file. */
  readonly zeroTail: boolean
  /** No checkpoint knows this log: it was copied in, or the checkpoint was lost. */
  readonly unknownLog: boolean
}

/**
 * `cut` = the tail was never acked: keep it aside and go on · `quarantine` = touch nothing, refuse
 * writes.
 */
export function judgeDamage(damage: Damage): 'cut' | 'quarantine' {
  if (damage.belowRecoveryPoint) return 'quarantine'
  if (damage.flush === 'os') return 'cut'
  if (damage.zeroTail && damage.unknownLog) return 'cut'
  return damage.bytesAfter <= damage.tornLimitBytes ? 'cut' : 'quarantine'
}

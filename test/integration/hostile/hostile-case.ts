/**
 * Hostile case: an attack with its size, what it must be told, and what it may cost the broker.
 *
 * Always true: `fast` fits `npm test`; `full` is what `npm run memory -- --only hostile` does. The
 * growth allowed is what the limits in force promise, plus what a garbage collector leaves lying
 * about (`garbageMiB`).
 * Listed in cases-of-….ts; run by hostile-run.ts.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { MiB } from '../memory/usage.ts'
import type { Told } from './told.ts'

export interface AttackSize {
  readonly count: number
  readonly holdMs: number
}

export interface HostileCase {
  /** A function of attacks-….ts. */
  readonly attack: string
  readonly claim: string
  /** null = too slow to be seen in a second. */
  readonly fast: AttackSize | null
  readonly full: AttackSize
  /** In the full form; the fast one runs with `fastConfig` unless `isAlone`. */
  readonly config?: BrokerConfigInput
  /** It needs its own config in the fast form too. */
  readonly isAlone?: boolean
  readonly topic?: AttackedTopic
  /** How much more the broker may hold, by its limits. */
  readonly limitMiB: number
  /** The same in the fast form, where one limit of `fastConfig` is what counts. */
  readonly fastLimitMiB?: number
  /** Where reads of files, or a burst of objects, leave more of it than usual. */
  readonly garbageMiB?: number
  /** Of the verdicts, each must hold. */
  readonly told: readonly Told[]
  /** Where the attack takes more of the broker's time than the defaults allow. */
  readonly victim?: VictimBounds
  /** What it made stays, and holds files open for a good reason. */
  readonly leavesFiles?: true
}

/** Of the victim's rounds in the full form. */
export interface VictimBounds {
  /** Of its median, above that without an attack; default 50. */
  readonly addedMs?: number
  /** Default 500. */
  readonly p99Ms?: number
}

export interface AttackedTopic {
  readonly partitions: number
  readonly megabytes?: number
  /** Batches that unpack to 7 MiB. */
  readonly bombs?: number
}

/** Of RSS: buffers on their way to the collector, code that was compiled, the victim's records. */
export const garbageMiB = 160
/** Of what is held after a collection: the same without the buffers. */
export const heldSlackMiB = 24

/** Limits so small that an attack of a second meets them. */
export const fastConfig: BrokerConfigInput = {
  handshakeTimeoutMs: 500,
  helloTimeoutMs: 500,
  maxConnections: 250,
  maxConnectionsPerAddress: 50,
  maxReceiveBytes: 8 * MiB,
  maxSendBytes: 16 * MiB,
  maxUncommittedBytes: 16 * MiB,
  tailCacheBytes: 16 * MiB,
  maxPartitions: 200,
}
/** What they add up to, half-received messages apart; for cases without a `fastLimitMiB`. */
export const fastLimitMiB = 64

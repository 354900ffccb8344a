/**
 * Health: in which state this broker is, and what it has to say about it.
 *
 *   starting   the logs are being opened or recovered               503
 *   ready      serves everything                                    200
 *   degraded   serves, but some partitions are damaged              200
 *   unready    takes no writes: disk full, or an fsync that hangs   503
 *   stopping   says goodbye                                         503
 *
 * Always true: looking costs a walk over the partitions and no system call, so it may be asked as
 * often as anybody likes.
 * Made by broker.ts; asked by http.ts and the metrics.
 */
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import type { PartitionManager } from '../replication/partition-manager.ts'
import type { PartitionLogs } from '../storage/types.ts'
import type { BrokerWorld } from '../world/world.ts'

export const healthStates = ['starting', 'ready', 'degraded', 'unready', 'stopping'] as const
export type HealthState = (typeof healthStates)[number]

export const healthReasons = [
  'starting',
  'quarantined_partitions',
  'offline_partitions',
  'disk_full',
  'fsync_stalled',
  'stopping',
] as const

export interface Reason {
  readonly reason: (typeof healthReasons)[number]
  readonly message: string
  /** Partitions concerned, where it is about partitions. */
  readonly partitions?: number
}

export interface HealthReport {
  readonly status: HealthState
  readonly reasons: readonly Reason[]
}

/** An fsync under way for longer is a disk that does not answer. */
const stalledSyncMs = 10_000

export interface HealthParts {
  readonly counts: BrokerCounts
  readonly world: BrokerWorld
  readonly minFreeBytes: number
}

/** What there is to look at once the logs are open. */
export interface Served {
  readonly logs: PartitionLogs
  readonly partitions: PartitionManager
}

export class Health {
  readonly #parts: HealthParts
  phase: 'starting' | 'serving' | 'stopping' = 'starting'
  served: Served | null = null

  constructor(parts: HealthParts) {
    this.#parts = parts
  }

  /** Why nobody may connect, or null. */
  get refusal(): string | null {
    return this.phase === 'serving' ? null : `the broker is ${this.phase}`
  }

  /** Partitions whose files are damaged: still read up to there, and not served at all. */
  damaged(): { quarantined: number; offline: number } {
    const { partitions } = this.served ?? {}
    let quarantined = 0
    for (const { log } of partitions?.all() ?? []) if (log.isQuarantined) quarantined++
    return { quarantined, offline: partitions?.offlineCount ?? 0 }
  }

  report(): HealthReport {
    if (this.phase === 'starting') return { status: 'starting', reasons: [this.#starting()] }
    if (this.phase === 'stopping') {
      const message = 'the broker flushes its logs and ends'
      return { status: 'stopping', reasons: [{ reason: 'stopping', message }] }
    }
    const blocking = [...this.#diskFull(), ...this.#stalled()]
    const reasons = [...blocking, ...this.#damage()]
    const degraded = reasons.length > 0 ? 'degraded' : 'ready'
    return { status: blocking.length > 0 ? 'unready' : degraded, reasons }
  }

  #starting(): Reason {
    const { start, storage } = this.#parts.counts
    const { partitionsOpened, partitionsTotal } = start
    const work = storage.isUncleanStart ? 'recovered' : 'opened'
    const message = `${partitionsOpened} of ${partitionsTotal} partitions are ${work}`
    return { reason: 'starting', message }
  }

  #diskFull(): Reason[] {
    const { minFreeBytes, counts } = this.#parts
    if (this.served?.logs.isDiskFull !== true) return []
    const free = counts.storage.freeBytes
    const message = `writes are refused: ${free} bytes are free, min.free.bytes is ${minFreeBytes}`
    return [{ reason: 'disk_full', message }]
  }

  #stalled(): Reason[] {
    const { counts, world } = this.#parts
    const ms = counts.storage.oldestSyncMs(world.clock.monotonicMs())
    if (ms < stalledSyncMs) return []
    const message = `an fsync has been under way for ${Math.round(ms / 1000)} s`
    return [{ reason: 'fsync_stalled', message }]
  }

  #damage(): Reason[] {
    const { quarantined, offline } = this.damaged()
    const reasons: Reason[] = []
    if (quarantined > 0) {
      const message = `${quarantined} partitions are damaged and take no writes`
      reasons.push({ reason: 'quarantined_partitions', message, partitions: quarantined })
    }
    if (offline > 0) {
      const message = `${offline} partitions could not be opened and are not served`
      reasons.push({ reason: 'offline_partitions', message, partitions: offline })
    }
    return reasons
  }
}

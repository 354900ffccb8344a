/**
 * Administering: what client.admin offers, with the nouns and verbs of the command line. Types
 * alone; the class is in client/admin/.
 *
 * Always true: whatever the command line can do, a program can do through this.
 */

import type { OffsetSpec } from '../../protocol/messages/list-offsets.ts'
import type { DiskState } from '../../protocol/messages/logs.ts'
import type { CallOptions } from './calls.ts'

export interface TopicSpec {
  readonly name: string
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
}
export interface TopicListing {
  name: string
  topicId: string
  partitions: number
  replicationFactor: number
}
export interface PartitionDescription {
  partition: number
  leader: number
  leaderEpoch: number
  replicas: number[]
  isr: number[]
  state: 'ok' | 'quarantined'
  reason?: string
  logStartOffset: number
  highWatermark: number
  durableEndOffset: number
  logEndOffset: number
  sizeBytes: number
  segments: {
    baseOffset: number
    endOffset: number
    sizeBytes: number
    maxTimestamp: number
    sealedAtMs?: number
  }[]
}
export interface ConfigEntry {
  name: string
  value: string
  origin: 'topic' | 'broker' | 'default'
  default: string
  about: string
}
export interface TopicDescription extends TopicListing {
  flush: 'commit' | 'os'
  configs: ConfigEntry[]
  partitionDetails: PartitionDescription[]
}
export interface ClusterDescription {
  clusterId: string
  controllerId: number
  brokers: { id: number; url: string; rack?: string }[]
}
export interface BrokerDescription {
  brokerId: number
  clusterId: string
  /** `address:port` that was reached. */
  address: string
  /** Name and version, such as `sluice 0.1.0`. */
  software: string
  rack?: string
  /** Absent where the broker is too old to say. */
  disk?: DiskState
}
export interface OffsetQuery {
  readonly topic: string
  readonly partition: number
  readonly at: OffsetSpec
  readonly timestamp?: number
}
export interface OffsetAnswer {
  topic: string
  partition: number
  /** null where no record is that late. */
  offset: number | null
  timestamp: number | null
}

export interface Admin {
  describeCluster(options?: CallOptions): Promise<ClusterDescription>
  /** The broker that answers first: what it is, and how its disk does. */
  describeBroker(options?: CallOptions): Promise<BrokerDescription>
  readonly topics: {
    list(options?: CallOptions): Promise<TopicListing[]>
    /**
     * @throws TOPIC_ALREADY_EXISTS, INVALID_TOPIC, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
     * INVALID_CONFIG
     */
    create(
      topic: TopicSpec,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<TopicListing>
    describe(name: string, options?: CallOptions): Promise<TopicDescription>
    /** null takes a setting back to its default. */
    alter(
      name: string,
      configs: Readonly<Record<string, string | null>>,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<void>
    delete(name: string, options?: CallOptions): Promise<void>
    addPartitions(
      name: string,
      total: number,
      options?: CallOptions & { validateOnly?: boolean },
    ): Promise<void>
    /** Removes records below `before`; −1 = all. Answers the new log start. */
    trim(name: string, partition: number, before: number, options?: CallOptions): Promise<number>
  }
  offsets(queries: readonly OffsetQuery[], options?: CallOptions): Promise<OffsetAnswer[]>
}

/**
 * Partition manager: the partitions of this broker by topic id and number, and by name for who
 * knows no id yet.
 *
 * Always true: a name leads to at most one id; what was removed is never handed out again. Look-ups
 * cost two map reads and no allocation.
 * Filled by topic-lifecycle.ts; asked by every handler.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { unknownTopic } from '../metadata/catalogue.ts'
import type { LogIdentity } from '../storage/types.ts'
import type { Partition } from './partition.ts'

export class PartitionManager {
  readonly #byId = new Map<string, (Partition | undefined)[]>()
  readonly #idByName = new Map<string, string>()
  /** Why a partition that should be here is not, by id and number. */
  readonly #offline = new Map<string, SluiceError>()

  /** Makes the partitions of a topic known; adds to the ones it has. */
  add(partitions: readonly Partition[]): void {
    for (const partition of partitions) {
      this.#listOf(partition.topic, partition.topicId)[partition.partition] = partition
    }
  }

  /** Whoever asks for this partition is told `why`. */
  addOffline({ topic, topicId, partition }: LogIdentity, why: SluiceError): void {
    this.#listOf(topic, topicId)
    this.#offline.set(`${topicId}/${partition}`, why)
  }

  #listOf(topic: string, topicId: string): (Partition | undefined)[] {
    let list = this.#byId.get(topicId)
    if (list === undefined) {
      list = []
      this.#byId.set(topicId, list)
    }
    this.#idByName.set(topic, topicId)
    return list
  }

  /** Forgets a topic and answers the partitions that were open. */
  remove(topic: string, topicId: string): Partition[] {
    const partitions = this.ofTopic(topicId)
    this.#byId.delete(topicId)
    if (this.#idByName.get(topic) === topicId) this.#idByName.delete(topic)
    for (const key of [...this.#offline.keys()]) {
      if (key.startsWith(`${topicId}/`)) this.#offline.delete(key)
    }
    return partitions
  }

  get(topicId: string, partition: number): Partition | undefined {
    return this.#byId.get(topicId)?.[partition]
  }

  /** Why `get` knows nothing of a partition that there should be. */
  whyOffline(topicId: string, partition: number): SluiceError | undefined {
    return this.#offline.get(`${topicId}/${partition}`)
  }

  /** All open partitions, topic by topic. */
  *all(): Generator<Partition> {
    for (const partitions of this.#byId.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition
    }
  }

  /** How many partitions that should be here are not. */
  get offlineCount(): number {
    return this.#offline.size
  }

  /** The open partitions of a topic, in order of their numbers. */
  ofTopic(topicId: string): Partition[] {
    const partitions = this.#byId.get(topicId) ?? []
    return partitions.filter(partition => partition !== undefined)
  }

  /**
   * The partition that a request names. Without an id the name decides.
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, KAFKA_STORAGE_ERROR
   */
  require(topic: string, topicId: string | undefined, partition: number): Partition {
    const known = this.#idByName.get(topic)
    const found = this.get(topicId ?? known ?? '', partition)
    if (found !== undefined) return found
    if (known === undefined) throw unknownTopic(topic)
    if (topicId !== undefined && topicId !== known) {
      throw new SluiceError(
        'UNKNOWN_TOPIC_ID',
        `topic "${topic}" has id ${known} now, not ${topicId}`,
        { topic, partition, hint: 'the topic was deleted and created again: refresh metadata' },
      )
    }
    const offline = this.whyOffline(known, partition)
    if (offline !== undefined) throw offline
    const last = (this.#byId.get(known)?.length ?? 0) - 1
    throw new SluiceError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `topic "${topic}" has no partition ${partition}`,
      { topic, partition, hint: `its partitions are 0 to ${last}` },
    )
  }
}

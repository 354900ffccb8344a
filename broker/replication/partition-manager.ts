/**
 * Partition manager: the partitions of this broker by topic id and number, and by name for who knows no id yet.
 *
 * Always true: a name leads to at most one id; what was removed is never handed out again. Look-ups cost two map
 * reads and no allocation.
 * Filled by topic-lifecycle.ts; asked by every handler.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { unknownTopic } from '../metadata/catalogue.ts'
import type { Partition } from './partition.ts'

export class PartitionManager {
  readonly #byId = new Map<string, Partition[]>()
  readonly #idByName = new Map<string, string>()

  /** Makes the partitions of a topic known; adds to the ones it has. */
  add(partitions: readonly Partition[]): void {
    for (const partition of partitions) {
      const list = this.#byId.get(partition.topicId) ?? []
      list[partition.partition] = partition
      this.#byId.set(partition.topicId, list)
      this.#idByName.set(partition.topic, partition.topicId)
    }
  }

  /** Forgets a topic and answers what it had. */
  remove(topicId: string): Partition[] {
    const partitions = this.#byId.get(topicId) ?? []
    this.#byId.delete(topicId)
    const name = partitions[0]?.topic
    if (name !== undefined && this.#idByName.get(name) === topicId) this.#idByName.delete(name)
    return partitions
  }

  get(topicId: string, partition: number): Partition | undefined {
    return this.#byId.get(topicId)?.[partition]
  }

  /** All partitions of a topic, in order of their numbers. */
  ofTopic(topicId: string): readonly Partition[] {
    return this.#byId.get(topicId) ?? []
  }

  /**
   * The partition that a request names. Without an id the name decides.
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID
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
    throw new SluiceError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `topic "${topic}" has no partition ${partition}`,
      { topic, partition, hint: `its partitions are 0 to ${this.ofTopic(known).length - 1}` },
    )
  }
}

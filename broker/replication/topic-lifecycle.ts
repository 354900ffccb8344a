/**
 * Topic lifecycle: topics come, change and go, on disk, in the catalogue and among the partitions,
 * in the one order that survives a crash between any two steps.
 *
 *   create   directories durable → catalogue (commit point) → partitions can be found
 *   delete   tombstone durable → partitions cannot be found → directories renamed
 *            → tombstone forgotten: the name is free
 *
 * Always true: operations run one after the other; a topic in the catalogue has all its
 * directories; a name is free again only when nothing can write under it any more (S6).
 * Called by the topics and configs handlers; at start load-topics.ts does the loading.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { type TopicConfigs, topicSettings } from '../config/topic-config.ts'
import type { CatalogueTopic } from '../metadata/catalogue.ts'
import type { CatalogueStore } from '../metadata/catalogue-store.ts'
import { newId } from '../metadata/new-id.ts'
import type { BrokerCounts } from '../metrics/broker-counts.ts'
import { inParallel, maxParallelPartitions } from '../storage/in-parallel.ts'
import type { PartitionLogs } from '../storage/types.ts'
import { DiskError } from '../world/disk.ts'
import type { Logger } from '../world/logger.ts'
import type { BrokerWorld } from '../world/world.ts'
import { Partition } from './partition.ts'
import type { PartitionManager } from './partition-manager.ts'

export interface TopicLifecycleParts {
  readonly world: BrokerWorld
  readonly config: BrokerConfig
  readonly store: CatalogueStore
  readonly logs: PartitionLogs
  readonly partitions: PartitionManager
  readonly logger: Logger
  readonly counts: BrokerCounts
}

export interface NewTopic {
  readonly name: string
  readonly partitions?: number | undefined
  readonly replicationFactor?: number | undefined
  readonly configs?: TopicConfigs
}

export class TopicLifecycle {
  readonly #parts: TopicLifecycleParts
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: TopicLifecycleParts) {
    this.#parts = parts
  }

  /**
   * Usable and durable when it resolves.
   * @throws SluiceError INVALID_TOPIC, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS,
   * INVALID_REPLICATION_FACTOR, INVALID_CONFIG, POLICY_VIOLATION (max.partitions), DISK_FULL
   */
  create(spec: NewTopic, validateOnly = false): Promise<CatalogueTopic> {
    return this.#inTurn(async () => {
      const { config, store, world, partitions } = this.#parts
      requireOneReplica(spec)
      const topic: CatalogueTopic = {
        name: spec.name,
        topicId: newId(world.random),
        partitions: spec.partitions ?? config.numPartitions,
        configs: spec.configs ?? {},
        createdAtMs: world.clock.wallMs(),
      }
      store.check({ type: 'create', topic })
      this.#requireRoomFor(topic.partitions)
      this.#requireCarriable(topic.configs)
      if (validateOnly) return topic
      partitions.add(await this.#openAnd(topic, 0, () => store.commit({ type: 'create', topic })))
      const values = { event: 'topic-created', topic: topic.name, topicId: topic.topicId }
      this.#parts.logger.info(values, 'topic created')
      return topic
    })
  }

  /**
   * The name is free when it resolves.
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, DISK_FULL
   */
  delete(name: string, topicId?: string): Promise<void> {
    return this.#inTurn(async () => {
      const { store, world, logs, partitions, logger, counts } = this.#parts
      const { topicId: id = '', partitions: count = 0 } = store.current.topics.get(name) ?? {}
      const atMs = world.clock.wallMs()
      await store.commit({
        type: 'delete',
        name,
        atMs,
        ...(topicId !== undefined && { topicId }),
      })
      const removed = partitions.remove(name, id)
      counts.topics.forget(name)
      await inParallel(removed, maxParallelPartitions, ({ partition }) =>
        logs.delete(id, partition),
      )
      await this.#removeLeftovers(id, 0)
      // what could not be opened is still on disk: the tombstone stays, and the next start removes
      // it
      if (removed.length === count) await store.commit({ type: 'forget', topicIds: [id] })
      logger.info({ event: 'topic-deleted', topic: name, topicId: id }, 'topic deleted')
    })
  }

  /**
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, POLICY_VIOLATION, DISK_FULL
   */
  addPartitions(name: string, total: number, validateOnly = false): Promise<CatalogueTopic> {
    return this.#inTurn(async () => {
      const { store, partitions } = this.#parts
      const command = { type: 'addPartitions', name, total } as const
      const before = store.current.topics.get(name)?.partitions ?? 0
      const planned = requireNamed(store.check(command).topics.get(name))
      this.#requireRoomFor(planned.partitions - before)
      if (validateOnly) return planned
      partitions.add(await this.#openAnd(planned, before, () => store.commit(command)))
      const values = { event: 'partitions-added', topic: name, partitions: total }
      this.#parts.logger.info(values, 'partitions added')
      return planned
    })
  }

  /**
   * All of `configs` or none; in force when it resolves (flush os→commit: everything is on disk by
   * then).
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, INVALID_CONFIG, DISK_FULL
   */
  alterConfigs(
    name: string,
    configs: Readonly<Record<string, string | null>>,
    validateOnly = false,
  ): Promise<void> {
    return this.#inTurn(async () => {
      const { store, partitions, config } = this.#parts
      const command = { type: 'alterConfigs', name, configs } as const
      const planned = requireNamed(store.check(command).topics.get(name))
      this.#requireCarriable(planned.configs)
      if (validateOnly) return
      await store.commit(command)
      const settings = topicSettings(planned.configs, config.topicDefaults)
      const logs = partitions.ofTopic(planned.topicId)
      await Promise.all(logs.map(({ log }) => log.applySettings(settings)))
      const values = { event: 'topic-altered', topic: name, configs }
      this.#parts.logger.info(values, 'topic settings changed')
    })
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#inTurn(async () => {})
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Opens partitions from number `from` on; where that or `commit` fails, none of them stays. */
  async #openAnd(
    topic: CatalogueTopic,
    from: number,
    commit: () => Promise<unknown>,
  ): Promise<Partition[]> {
    const { config, logs, counts, store } = this.#parts
    const settings = topicSettings(topic.configs, config.topicDefaults)
    const { name, topicId } = topic
    const opened: Partition[] = []
    try {
      await inParallel(numbersFrom(from, topic.partitions), maxParallelPartitions, async number => {
        const log = await logs.open({ topic: name, topicId, partition: number }, settings)
        opened.push(new Partition(log, counts.topics.of(name)))
      })
      await commit()
      return opened
    } catch (error) {
      await Promise.allSettled(opened.map(({ partition }) => logs.delete(topicId, partition)))
      await this.#removeLeftovers(topicId, from).catch(leftover => {
        const values = { event: 'leftovers-stay', topic: name, error: leftover }
        this.#parts.logger.warn(values, 'leftovers stay until a restart')
      })
      if (!store.current.topics.has(name)) counts.topics.forget(name)
      throw asTopicError(error, name)
    }
  }

  /**
   * Empty directories that carry this id but never became partitions: a crash or a full disk came
   * between their creation and the catalogue. They would stand in the way of the next topic of the
   * name.
   */
  async #removeLeftovers(topicId: string, from: number): Promise<void> {
    const { store, logs } = this.#parts
    const others = [...store.current.topics.values()].map(topic => topic.topicId)
    const known = new Set(others.filter(id => id !== topicId))
    for (const { identity, directory, content } of await logs.findUnknown(known)) {
      const isOurs = identity.topicId === topicId && identity.partition >= from
      if (isOurs && content === 'nothing') await logs.removeDirectory(directory)
    }
  }

  #requireRoomFor(more: number): void {
    const { store, config } = this.#parts
    let count = more
    for (const { partitions } of store.current.topics.values()) count += partitions
    if (count <= config.maxPartitions) return
    throw new SluiceError(
      'POLICY_VIOLATION',
      `the broker would have ${count} partitions, limit ${config.maxPartitions}`,
      { hint: 'delete topics, or raise max.partitions of the broker' },
    )
  }

  /** A batch that no message can carry could never be produced. */
  #requireCarriable(configs: TopicConfigs): void {
    const { maxFrameBytes, topicDefaults } = this.#parts.config
    const { maxMessageBytes } = topicSettings(configs, topicDefaults)
    if (maxMessageBytes + 1024 <= maxFrameBytes) return
    throw new SluiceError(
      'INVALID_CONFIG',
      `max.message.bytes ${maxMessageBytes} does not fit max.frame.bytes ${maxFrameBytes}`,
      { hint: 'lower it, or raise max.frame.bytes of the broker' },
    )
  }
}

function requireNamed(topic: CatalogueTopic | undefined): CatalogueTopic {
  if (topic === undefined) throw new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', 'the topic is gone')
  return topic
}

function requireOneReplica(spec: NewTopic): void {
  if (spec.replicationFactor === undefined || spec.replicationFactor === 1) return
  throw new SluiceError(
    'INVALID_REPLICATION_FACTOR',
    `topic "${spec.name}" cannot have ${spec.replicationFactor} replicas: there is 1 broker`,
    { topic: spec.name, hint: 'leave the replication factor out, or say 1' },
  )
}

function numbersFrom(from: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index)
}

function asTopicError(error: unknown, topic: string): unknown {
  if (!(error instanceof DiskError)) return error
  const code = error.kind === 'noSpace' ? 'DISK_FULL' : 'KAFKA_STORAGE_ERROR'
  return new SluiceError(code, `topic "${topic}": ${error.message}`, { topic, cause: error })
}

/**
 * Catalogue: what a broker knows about its topics, as one value, and the pure rules by which it
 * changes.
 *
 *   nextCatalogue(catalogue, command) → the catalogue afterwards, or why not
 *
 * Always true: immutable; names and ids are unique; an id that was ever in it never means another
 * topic; a tombstone stays until the files of its topic are gone.
 * Used by catalogue-store.ts (which makes it durable) and everything that asks about topics.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { maxPartitionsPerTopic } from '../../protocol/messages/topics.ts'
import { checkTopicConfigs, type TopicConfigs, topicOption } from '../config/topic-config.ts'
import { requireTopicName } from './topic-name.ts'

export interface CatalogueTopic {
  readonly name: string
  /** 16 random bytes in base64url. */
  readonly topicId: string
  readonly partitions: number
  /** Only what differs from the defaults. */
  readonly configs: TopicConfigs
  readonly createdAtMs: number
}

export interface Tombstone {
  readonly name: string
  readonly topicId: string
  readonly deletedAtMs: number
}

export interface Catalogue {
  readonly clusterId: string
  readonly brokerId: number
  /** Grows by one with every change. */
  readonly revision: number
  readonly topics: ReadonlyMap<string, CatalogueTopic>
  readonly tombstones: readonly Tombstone[]
}

export type CatalogueCommand =
  | { readonly type: 'create'; readonly topic: CatalogueTopic }
  | {
      readonly type: 'delete'
      readonly name: string
      /** Only if the topic still has this id. */
      readonly topicId?: string
      readonly atMs: number
    }
  /** The files of deleted topics are gone. */
  | { readonly type: 'forget'; readonly topicIds: readonly string[] }
  | { readonly type: 'addPartitions'; readonly name: string; readonly total: number }
  | {
      readonly type: 'alterConfigs'
      readonly name: string
      /** null takes a setting back to its default. */
      readonly configs: Readonly<Record<string, string | null>>
    }

export function unknownTopic(name: string): SluiceError {
  return new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic "${name}"`, {
    topic: name,
    hint: 'topics are not created by use: sluice topic create',
  })
}

/** The catalogue after `command`, or why not. Pure. */
export function nextCatalogue(
  catalogue: Catalogue,
  command: CatalogueCommand,
): Catalogue | SluiceError {
  try {
    return step(catalogue, command)
  } catch (error) {
    if (SluiceError.is(error)) return error
    throw error
  }
}

function step(catalogue: Catalogue, command: CatalogueCommand): Catalogue {
  switch (command.type) {
    case 'create':
      return withTopic(catalogue, requireCreatable(catalogue, command.topic))
    case 'delete':
      return withoutTopic(catalogue, command)
    case 'forget':
      return {
        ...changed(catalogue),
        tombstones: catalogue.tombstones.filter(t => !command.topicIds.includes(t.topicId)),
      }
    case 'addPartitions': {
      const topic = requireTopic(catalogue, command.name)
      return withTopic(catalogue, { ...topic, partitions: requireMore(topic, command.total) })
    }
    case 'alterConfigs': {
      const topic = requireTopic(catalogue, command.name)
      return withTopic(catalogue, { ...topic, configs: merge(topic.configs, command.configs) })
    }
  }
}

/** @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID */
export function requireTopic(catalogue: Catalogue, name: string, topicId?: string): CatalogueTopic {
  const topic = catalogue.topics.get(name)
  if (topic === undefined) throw unknownTopic(name)
  if (topicId !== undefined && topic.topicId !== topicId) {
    throw new SluiceError(
      'UNKNOWN_TOPIC_ID',
      `topic "${name}" has id ${topic.topicId} now, not ${topicId}`,
      { topic: name, hint: 'the topic was deleted and created again' },
    )
  }
  return topic
}

const changed = (catalogue: Catalogue): Catalogue => ({
  ...catalogue,
  revision: catalogue.revision + 1,
})

function withTopic(catalogue: Catalogue, topic: CatalogueTopic): Catalogue {
  return { ...changed(catalogue), topics: new Map(catalogue.topics).set(topic.name, topic) }
}

function withoutTopic(
  catalogue: Catalogue,
  command: { name: string; topicId?: string; atMs: number },
): Catalogue {
  const { name, topicId } = requireTopic(catalogue, command.name, command.topicId)
  const topics = new Map(catalogue.topics)
  topics.delete(name)
  const tombstone = { name, topicId, deletedAtMs: command.atMs }
  return { ...changed(catalogue), topics, tombstones: [...catalogue.tombstones, tombstone] }
}

function requireCreatable(catalogue: Catalogue, topic: CatalogueTopic): CatalogueTopic {
  const { name, topicId, partitions } = topic
  requireTopicName(name)
  if (catalogue.topics.has(name)) {
    throw new SluiceError('TOPIC_ALREADY_EXISTS', `topic "${name}" exists`, { topic: name })
  }
  if (catalogue.tombstones.some(tombstone => tombstone.name === name)) {
    throw new SluiceError('TOPIC_ALREADY_EXISTS', `topic "${name}" is still being deleted`, {
      topic: name,
      hint: 'if this stays, its files could not be removed: see the log, restart the broker',
    })
  }
  for (const known of [...catalogue.topics.values(), ...catalogue.tombstones]) {
    if (known.topicId === topicId) {
      throw new SluiceError('UNKNOWN_TOPIC_ID', `id ${topicId} belongs to topic "${known.name}"`)
    }
  }
  requirePartitionCount(name, partitions)
  checkTopicConfigs(topic.configs)
  return topic
}

function requirePartitionCount(name: string, partitions: number): void {
  if (Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= maxPartitionsPerTopic) {
    return
  }
  throw new SluiceError(
    'INVALID_PARTITIONS',
    `topic "${name}" cannot have ${partitions} partitions`,
    { topic: name, hint: `1 to ${maxPartitionsPerTopic}` },
  )
}

function requireMore(topic: CatalogueTopic, total: number): number {
  requirePartitionCount(topic.name, total)
  if (total > topic.partitions) return total
  throw new SluiceError(
    'INVALID_PARTITIONS',
    `topic "${topic.name}" has ${topic.partitions} partitions, ${total} is not more`,
    { topic: topic.name, hint: 'partitions can only be added, never taken away' },
  )
}

function merge(
  configs: TopicConfigs,
  changes: Readonly<Record<string, string | null>>,
): TopicConfigs {
  const merged: Record<string, string> = { ...configs }
  for (const [name, value] of Object.entries(changes)) {
    topicOption(name)
    if (value === null) delete merged[name]
    else merged[name] = value
  }
  checkTopicConfigs(merged)
  return merged
}

/**
 * Load topics: at start, what lies in the data directory and what the catalogue says become one.
 *
 *   id with a tombstone            the deletion is finished
 *   id unknown, no record inside   a creation that never happened: removed
 *   id unknown, records inside     copied in: adopted as a topic where that is unambiguous
 *   everything else                left alone, with a warning
 *
 * Always true: nothing with a record in it is ever removed except under a tombstone.
 * Called once by server/broker.ts, before the listener opens.
 */

import { SluiceError } from '../../protocol/errors.ts'
import { topicSettings } from '../config/topic-config.ts'
import { nextCatalogue } from '../metadata/catalogue.ts'
import { newId } from '../metadata/new-id.ts'
import { inParallel, maxParallelPartitions } from '../storage/in-parallel.ts'
import type { LogIdentity, LogSettings, UnknownDirectory } from '../storage/types.ts'
import { DiskError } from '../world/disk.ts'
import { Partition } from './partition.ts'
import type { TopicLifecycleParts } from './topic-lifecycle.ts'

/**
 * @throws SluiceError (NEWER_FORMAT and the like), DiskError where the data directory cannot be
 * listed
 */
export async function loadTopics(parts: TopicLifecycleParts): Promise<void> {
  const { store, logs, logger } = parts
  const known = new Set([...store.current.topics.values()].map(topic => topic.topicId))
  const tombstoned = new Set(store.current.tombstones.map(tombstone => tombstone.topicId))
  const strangers = new Map<string, UnknownDirectory[]>()
  for (const found of await logs.findUnknown(known)) {
    const { topic, topicId } = found.identity
    if (tombstoned.has(topicId)) await logs.removeDirectory(found.directory)
    else strangers.set(topic, [...(strangers.get(topic) ?? []), found])
  }
  if (tombstoned.size > 0) await store.commit({ type: 'forget', topicIds: [...tombstoned] })
  for (const [topic, directories] of strangers) await settle(parts, topic, directories)
  await openAll(parts)
  const { size } = store.current.topics
  logger.debug({ event: 'topics-loaded', topics: size }, 'topics loaded')
}

async function settle(
  parts: TopicLifecycleParts,
  topic: string,
  found: readonly UnknownDirectory[],
): Promise<void> {
  if (found.some(one => one.content !== 'nothing')) return adopt(parts, topic, found)
  for (const { directory, identity } of found) {
    if (identity.topicId === '') {
      const values = { event: 'directory-left-alone', directory }
      parts.logger.warn(values, 'looks like a partition, holds nothing, left alone')
      continue
    }
    const values = { event: 'directory-removed', directory }
    parts.logger.warn(values, 'left over from a creation that never happened: removed')
    await parts.logs.removeDirectory(directory)
  }
}

async function adopt(
  parts: TopicLifecycleParts,
  name: string,
  found: readonly UnknownDirectory[],
): Promise<void> {
  const { store, world, logger } = parts
  const directories = found.map(one => one.directory)
  const numbers = found.map(one => one.identity.partition).sort((a, b) => a - b)
  const ids = new Set(found.map(one => one.identity.topicId))
  const values = { event: 'directory-left-alone', directories }
  const leave = (why: string) => logger.warn(values, `not taken over: ${why}`)
  const isForeign = found.some(one => one.content === 'foreign')
  if (isForeign) return leave('a .log holds no record batches of format version 2')
  if (numbers.some((number, index) => number !== index)) return leave('partitions are missing')
  if (ids.size > 1) return leave('the partitions are of different topics')
  const [only = ''] = ids
  const command = {
    type: 'create',
    topic: {
      name,
      topicId: only === '' ? newId(world.random) : only,
      partitions: numbers.length,
      configs: {},
      createdAtMs: world.clock.wallMs(),
    },
  } as const
  const next = nextCatalogue(store.current, command)
  if (SluiceError.is(next)) return leave(next.message)
  await store.commit(command)
  const adopted = { event: 'topic-adopted', topic: name, directories }
  logger.info(adopted, 'found and taken over as a topic')
}

async function openAll(parts: TopicLifecycleParts): Promise<void> {
  const { store, config, counts } = parts
  const work: (() => Promise<void>)[] = []
  for (const topic of store.current.topics.values()) {
    const settings = topicSettings(topic.configs, config.topicDefaults)
    for (let partition = 0; partition < topic.partitions; partition++) {
      const identity = { topic: topic.name, topicId: topic.topicId, partition }
      work.push(() => openOne(parts, identity, settings))
    }
  }
  counts.start.partitionsTotal = work.length
  await inParallel(work, maxParallelPartitions, open => open())
}

/** One partition that cannot be opened is reported and refused; the others are served. */
async function openOne(
  parts: TopicLifecycleParts,
  identity: LogIdentity,
  settings: LogSettings,
): Promise<void> {
  try {
    const log = await parts.logs.open(identity, settings)
    parts.partitions.add([new Partition(log, parts.counts.topics.of(identity.topic))])
  } catch (error) {
    const why = asStorageError(error, identity)
    if (why === null) throw error
    const values = { event: 'partition-offline', ...identity, error }
    parts.logger.error(values, 'this partition cannot be opened and is not served')
    parts.partitions.addOffline(identity, why)
  } finally {
    parts.counts.start.partitionsOpened++
  }
}

function asStorageError(error: unknown, identity: LogIdentity): SluiceError | null {
  if (SluiceError.is(error)) return error.code === 'KAFKA_STORAGE_ERROR' ? error : null
  if (!(error instanceof DiskError)) return null
  const { topic, partition } = identity
  const details = { topic, partition, cause: error, hint: 'see the log of the broker' }
  return new SluiceError('KAFKA_STORAGE_ERROR', `${topic}-${partition}: ${error.message}`, details)
}

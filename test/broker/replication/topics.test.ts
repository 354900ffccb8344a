/**
 * Topics come, change and go, through crashes between any two steps; what lies in the directory at
 * start.
 */

import t, { type Test } from 'tap'
import { brokerConfig } from '../../../broker/config/broker-config.ts'
import { openDataDirectory } from '../../../broker/metadata/data-directory.ts'
import { BrokerCounts } from '../../../broker/metrics/broker-counts.ts'
import { loadTopics } from '../../../broker/replication/load-topics.ts'
import { PartitionManager } from '../../../broker/replication/partition-manager.ts'
import { TopicLifecycle } from '../../../broker/replication/topic-lifecycle.ts'
import type { UnknownDirectory } from '../../../broker/storage/types.ts'
import { DiskError } from '../../../broker/world/disk.ts'
import { silentLogger } from '../../../broker/world/logger.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { testWorld } from '../../support/test-broker.ts'

async function start(t: Test, world?: Awaited<ReturnType<typeof testWorld>>) {
  const used = world ?? (await testWorld())
  const { store, release } = await openDataDirectory(used, '/d', 1)
  const parts = {
    world: used,
    config: brokerConfig({ dataDir: '/d', topicDefaults: { 'segment.bytes': '1MiB' } }),
    store,
    logs: new FakeLogs(),
    partitions: new PartitionManager(),
    logger: silentLogger,
    counts: new BrokerCounts(),
  }
  t.teardown(release)
  return { ...parts, parts, release, topics: new TopicLifecycle(parts) }
}

t.test('a topic is in the catalogue only after all its directories', async t => {
  const { topics, logs, store } = await start(t)
  const commit = store.commit.bind(store)
  store.commit = command => {
    logs.calls.push(`commit ${command.type}`)
    return commit(command)
  }
  await topics.create({ name: 'orders', partitions: 2 })
  t.same(logs.calls, ['open orders-0', 'open orders-1', 'commit create'])
  logs.calls.length = 0
  await topics.delete('orders')
  t.same(logs.calls, ['commit delete', 'delete orders-0', 'delete orders-1', 'commit forget'])
})

t.test('settings reach the logs, at creation and at a change', async t => {
  const { topics, logs } = await start(t)
  await topics.create({ name: 'orders', configs: { 'retention.ms': '1h' } })
  const log = logs.named('orders', 0)
  t.match(log.settings, { retentionMs: 3_600_000, segmentBytes: 2 ** 20, flush: 'commit' })
  await topics.alterConfigs('orders', { 'retention.ms': null, flush: 'os' })
  t.match(log.settings, { retentionMs: 604_800_000, flush: 'os' })
})

t.test('a creation that fails leaves neither directories nor a name', async t => {
  const { topics, logs, store, partitions } = await start(t)
  logs.failOpen = { partition: 1, error: new DiskError('noSpace', '/d/x', 'full') }
  await t.rejects(topics.create({ name: 'orders', partitions: 2 }), { code: 'DISK_FULL' })
  t.equal(logs.opened.size, 0)
  t.equal(store.current.topics.size, 0)
  logs.failOpen = null
  await topics.create({ name: 'orders', partitions: 2 })
  t.equal(partitions.require('orders', undefined, 1).partition, 1)
})

t.test('partitions are added behind the ones that exist', async t => {
  const { topics, logs, partitions } = await start(t)
  const { topicId } = await topics.create({ name: 'orders' })
  const kept = partitions.get(topicId, 0)
  await topics.addPartitions('orders', 3)
  t.equal(partitions.get(topicId, 0), kept)
  t.equal(logs.opened.size, 3)
  t.equal(partitions.require('orders', topicId, 2).partition, 2)
})

t.test('validateOnly checks everything and does nothing', async t => {
  const { topics, logs, store } = await start(t)
  await topics.create({ name: 'a' }, true)
  await t.rejects(topics.create({ name: 'a', configs: { flush: 'no' } }, true), {
    code: 'INVALID_CONFIG',
  })
  await topics.create({ name: 'b' })
  const { revision } = store.current
  await topics.addPartitions('b', 5, true)
  await topics.alterConfigs('b', { flush: 'os' }, true)
  await t.rejects(topics.addPartitions('b', 1, true), { code: 'INVALID_PARTITIONS' })
  t.equal(store.current.revision, revision)
  t.equal(logs.opened.size, 1)
})

t.test(
  'what one broker cannot do is refused: replicas, and batches that no message carries',
  async t => {
    const { topics } = await start(t)
    await t.rejects(topics.create({ name: 'a', replicationFactor: 3 }), {
      code: 'INVALID_REPLICATION_FACTOR',
    })
    await t.rejects(topics.create({ name: 'a', configs: { 'max.message.bytes': '1GiB' } }), {
      code: 'INVALID_CONFIG',
      message: /does not fit/,
    })
  },
)

t.test('a topic that was created again is never mixed with the old one', async t => {
  const { topics, partitions } = await start(t)
  const old = await topics.create({ name: 'orders' })
  await Promise.all([topics.delete('orders'), topics.create({ name: 'orders' })])
  t.throws(() => partitions.require('orders', old.topicId, 0), { code: 'UNKNOWN_TOPIC_ID' })
  t.not(partitions.require('orders', undefined, 0).topicId, old.topicId)
})

t.test('a deletion that was cut short is finished at the next start', async t => {
  const world = await testWorld()
  const first = await start(t, world)
  const { topicId } = await first.topics.create({ name: 'orders' })
  await first.store.commit({ type: 'delete', name: 'orders', atMs: 1 })
  await first.release()
  const second = await start(t, world)
  const identity = { topic: 'orders', topicId, partition: 0 }
  second.logs.unknown = [{ identity, directory: '/d/orders-0', content: 'records' }]
  await loadTopics(second.parts)
  t.same(second.logs.calls, ['remove /d/orders-0'])
  t.same(second.store.current.tombstones, [])
  await second.topics.create({ name: 'orders' })
})

t.test('directories that nobody knows: leftovers go, records stay', async t => {
  const { logs, store, parts, topics } = await start(t)
  await topics.create({ name: 'taken' })
  const found = (
    topic: string,
    partition: number,
    content: UnknownDirectory['content'],
    topicId = `id-${topic}`,
  ) => ({
    identity: { topic, topicId, partition },
    directory: `/d/${topic}-${partition}`,
    content,
  })
  logs.unknown = [
    found('leftover', 0, 'nothing'),
    found('leftover', 1, 'nothing'),
    found('anonymous', 0, 'nothing', ''),
    found('imported', 1, 'nothing'),
    found('imported', 0, 'records'),
    found('gap', 1, 'records'),
    found('mixed', 0, 'records', 'one'),
    found('mixed', 1, 'records', 'two'),
    found('taken', 0, 'records'),
    found('kafka', 0, 'records', ''),
    found('stranger', 0, 'foreign'),
  ]
  logs.calls.length = 0
  await loadTopics(parts)
  const removed = logs.calls.filter(call => call.startsWith('remove'))
  t.same(removed, ['remove /d/leftover-0', 'remove /d/leftover-1'])
  t.same([...store.current.topics.keys()].sort(), ['imported', 'kafka', 'taken'])
  t.match(store.current.topics.get('imported'), { partitions: 2, topicId: 'id-imported' })
  t.match(store.current.topics.get('kafka')?.topicId, /^.{22}$/)
})

t.test(
  'a partition that cannot be opened is refused by name, and its neighbours are served',
  async t => {
    const world = await testWorld()
    const first = await start(t, world)
    const { topicId } = await first.topics.create({ name: 'orders', partitions: 2 })
    await first.release()
    const second = await start(t, world)
    second.logs.failOpen = { partition: 1, error: new SluiceError('KAFKA_STORAGE_ERROR', 'gone') }
    await loadTopics(second.parts)
    t.equal(second.partitions.require('orders', topicId, 0).partition, 0)
    t.throws(() => second.partitions.require('orders', topicId, 1), { code: 'KAFKA_STORAGE_ERROR' })
    await second.topics.delete('orders')
    t.match(second.store.current.tombstones, [{ topicId }], 'its files are still to be removed')
    await t.rejects(second.topics.create({ name: 'orders' }), { message: /still being deleted/ })
  },
)

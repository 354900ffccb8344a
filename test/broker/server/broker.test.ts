/**
 * The broker as a whole, on real storage and a memory disk: life, death and restart, HTTP, admin
 * requests.
 */

import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { createBroker } from '../../../broker/server/broker.ts'
import { brokerSoftware } from '../../../broker/server/software.ts'
import type { Peer } from '../../support/direct-network.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { batchOf, settled, startTestBroker, testWorld } from '../../support/test-broker.ts'

type World = Awaited<ReturnType<typeof testWorld>>

async function start(t: Test, world: World, config: object = {}) {
  const broker = await createBroker({ dataDir: '/data', minFreeBytes: 0, ...config }, world)
  t.teardown(() => broker.close())
  return { broker, peer: await world.network.connect().hello() }
}

async function topicIdOf(peer: Peer, name: string): Promise<string> {
  const { header } = await peer.call('metadata', { topics: [name] })
  return (header.topics as { topicId: string }[])[0]?.topicId ?? ''
}

function produce(peer: Peer, topicId: string, batch: Uint8Array) {
  const partitions = [{ topic: 'orders', topicId, partition: 0 }]
  return peer.call('produce', { acks: 'all', timeoutMs: 5000, partitions }, [batch])
}

function fetch(peer: Peer, topicId: string, fields: object = {}) {
  return peer.call('fetch', {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1e6,
    isolation: 'committed',
    partitions: [{ topic: 'orders', topicId, partition: 0, offset: 0, maxBytes: 1e6 }],
    ...fields,
  })
}

t.test('what was acked is read back after a restart, under the same ids', async t => {
  const world = await testWorld()
  const first = await start(t, world)
  await first.peer.call('create-topics', { topics: [{ name: 'orders', partitions: 2 }] })
  const topicId = await topicIdOf(first.peer, 'orders')
  const acked = await produce(first.peer, topicId, batchOf('one', 'two'))
  t.match(acked.header.partitions, [{ baseOffset: 0, reached: 'fsynced', error: undefined }])
  const before = await fetch(first.peer, topicId)
  await first.broker.close()
  t.match(first.peer.closed, { code: 1013 })
  const second = await start(t, world)
  t.equal(second.broker.clusterId, first.broker.clusterId)
  t.equal(await topicIdOf(second.peer, 'orders'), topicId)
  const after = await fetch(second.peer, topicId)
  t.match(after.header.partitions, [{ highWatermark: 2, logStartOffset: 0, error: undefined }])
  t.same(after.bodies, before.bodies)
  t.match(new TextDecoder().decode(after.bodies[0]), /one.*two/s)
})

t.test('a second broker on the same directory is refused, and the first serves on', async t => {
  const world = await testWorld()
  const { peer } = await start(t, world)
  await t.rejects(createBroker({ dataDir: '/data' }, world), { code: 'DATA_DIR_IN_USE' })
  t.equal((await peer.call('metadata')).error, undefined)
})

t.test('a broker that could not start holds nothing', async t => {
  const world = await testWorld()
  const listen = world.network.listen.bind(world.network)
  world.network.listen = () => Promise.reject(new Error('port taken'))
  await t.rejects(createBroker({ dataDir: '/data' }, world), { message: 'port taken' })
  world.network.listen = listen
  const { peer } = await start(t, world)
  t.equal((await peer.call('metadata')).error, undefined)
})

t.test('closing answers what was taken, and refuses what comes later', async t => {
  const logs = new FakeLogs()
  logs.autoCommit = false
  const { broker, connect } = await startTestBroker(t, { logs, topics: { orders: 1 } })
  const peer = await connect()
  const topicId = await topicIdOf(peer, 'orders')
  const written = produce(peer, topicId, batchOf('late'))
  const waiting = fetch(peer, topicId, { maxWaitMs: 10_000, minBytes: 1 })
  await settled()
  const closed = broker.close()
  const refused = await peer.call('metadata')
  t.match(refused.error, { code: 'BROKER_NOT_AVAILABLE', retriable: true })
  t.match((await written).header.partitions, [{ baseOffset: 0, error: undefined }])
  t.match((await waiting).header.partitions, [{ bodies: 0, error: undefined }])
  await closed
  t.equal(peer.closed?.code, 1013)
  t.equal(logs.calls.filter(call => call === 'closeCleanly').length, 1)
})

t.test('health is told over HTTP, and nothing else', async t => {
  const { world } = await startTestBroker(t)
  t.match(await world.network.http('/healthz'), { status: 200, body: 'ok\n' })
  t.match(await world.network.http('/readyz?x=1'), { status: 200 })
  t.match(await world.network.http('/etc/passwd'), { status: 404 })
})

t.test('hello tells limits and versions; metadata gives the advertised URL', async t => {
  const config = { advertise: 'ws://sluice.example:1234', maxInFlightRequests: 7, rack: 'r1' }
  const { world } = await startTestBroker(t, { config })
  const peer = world.network.connect()
  const hello = await peer.call('hello', { client: { software: 'x', id: '' } })
  t.match(hello.header, { brokerId: 1, rack: 'r1', limits: { maxInFlightRequests: 7 } })
  const { header } = await peer.call('metadata')
  t.match(header.brokers, [{ id: 1, url: 'ws://sluice.example:1234', rack: 'r1' }])
  const { version } = JSON.parse(await readFile('package.json', 'utf8'))
  t.equal(brokerSoftware, `sluice ${version}`)
})

t.test('more requests than allowed are refused one by one, retriably', async t => {
  const { connect } = await startTestBroker(t, {
    config: { maxInFlightRequests: 2 },
    topics: { orders: 1 },
  })
  const peer = await connect()
  const topicId = await topicIdOf(peer, 'orders')
  const wait = () => fetch(peer, topicId, { maxWaitMs: 1000, minBytes: 1 })
  void wait()
  void wait()
  t.match((await wait()).error, { code: 'TOO_MANY_REQUESTS', retriable: true })
})

t.test('above max.receive.bytes nobody is read from until half of it is free', async t => {
  const logs = new FakeLogs()
  logs.autoCommit = false
  const config = { maxReceiveBytes: 4096 }
  const { connect } = await startTestBroker(t, { logs, config, topics: { orders: 1 } })
  const [peer, other] = [await connect(), await connect()]
  const topicId = await topicIdOf(peer, 'orders')
  const answers = [1, 2, 3].map(() => produce(peer, topicId, batchOf('x'.repeat(1500))))
  t.ok(peer.paused && other.paused)
  const late = await connect()
  t.ok(late.paused, 'a new connection waits too')
  logs.named('orders', 0).commit()
  await Promise.all(answers)
  t.notOk(peer.paused || other.paused || late.paused)
})

t.test(
  'a peer that takes no answers is dropped above max.buffered.bytes, and only that one',
  async t => {
    const { connect, warnings } = await startTestBroker(t, { config: { maxBufferedBytes: 20_000 } })
    const [peer, other] = [await connect(), await connect()]
    peer.stalled = true
    for (let i = 0; i < 100; i++) peer.post('metadata', { topics: [`nobody-${i}`.repeat(20)] })
    t.ok(peer.terminated)
    t.same(warnings, ['connection-ended'], 'the operator is told')
    t.equal((await other.call('metadata')).error, undefined)
  },
)

t.test('admin requests: configs, offsets, trim, logs, partitions', async t => {
  const { peer } = await start(t, await testWorld(), { topicDefaults: { 'segment.ms': '1d' } })
  const topics = [{ name: 'orders', configs: { 'retention.ms': '1h' } }, { name: '../x' }]
  const created = await peer.call('create-topics', { topics })
  t.match(created.header.topics, [
    { name: 'orders', partitions: 1, replicationFactor: 1, error: undefined },
    { error: { code: 'INVALID_TOPIC' } },
  ])
  const topicId = await topicIdOf(peer, 'orders')
  await produce(peer, topicId, batchOf('a', 'b', 'c'))
  const configs = await peer.call('describe-configs', { topics: ['orders', 'nobody'] })
  const [described, unknown] = configs.header.topics as {
    configs: { name: string; value: string; origin: string }[]
    error?: object
  }[]
  const by = (name: string) => described?.configs.find(entry => entry.name === name)
  t.match(by('retention.ms'), { value: '1h', origin: 'topic', default: '7d' })
  t.match(by('segment.ms'), { value: '1d', origin: 'broker' })
  t.match(by('flush'), { value: 'commit', origin: 'default' })
  t.match(unknown?.error, { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  const altered = await peer.call('alter-configs', { topic: 'orders', configs: { flush: 'os' } })
  t.equal(altered.error, undefined)
  const at = (spec: object) => ({ topic: 'orders', partition: 0, ...spec })
  const offsets = await peer.call('list-offsets', {
    partitions: [
      at({ at: 'earliest' }),
      at({ at: 'latest' }),
      at({ at: 'timestamp', timestamp: 1000 }),
      at({ at: 'timestamp', timestamp: 5000 }),
      at({ at: 'maxTimestamp' }),
      at({ at: 'timestamp' }),
      at({ at: 'latest', partition: 4 }),
    ],
  })
  t.match(offsets.header.partitions, [
    { offset: 0 },
    { offset: 3, leaderEpoch: Number },
    { offset: 0, timestamp: 1000 },
    { offset: undefined, error: undefined },
    { offset: 0, timestamp: 1000 },
    { error: { code: 'INVALID_REQUEST' } },
    { error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } },
  ])
  const trimmed = await peer.call('delete-records', {
    partitions: [at({ before: 2 }), at({ before: 99 })],
  })
  t.match(trimmed.header.partitions, [
    { logStartOffset: 2 },
    { error: { code: 'OFFSET_OUT_OF_RANGE', topic: 'orders', partition: 0 } },
  ])
  const more = await peer.call('add-partitions', { topic: 'orders', total: 3 })
  t.match(more.header, { topicId, partitions: 3 })
  const logs = await peer.call('describe-log', { topics: ['orders'] })
  t.match(logs.header.partitions, [
    { partition: 0, flush: 'os', logStartOffset: 2, logEndOffset: 3, state: 'ok' },
    { partition: 1, logEndOffset: 0 },
    { partition: 2 },
  ])
  t.match((await peer.call('describe-log', { topics: ['nobody'] })).error, {
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  const gone = await peer.call('delete-topics', {
    topics: [{ name: 'orders', topicId: 'stale' }, { name: 'orders' }, { name: 'nobody' }],
  })
  t.match(gone.header.topics, [
    { error: { code: 'UNKNOWN_TOPIC_ID' } },
    { name: 'orders', error: undefined },
    { error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } },
  ])
  t.match((await peer.call('metadata')).header.topics, [])
})

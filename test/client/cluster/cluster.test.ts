/** Connections: the first one, the next ones, and those that must not be used. */
import t from 'tap'
import { connect } from '../../../client/client.ts'
import { string } from '../../../client/codecs/codecs.ts'
import { setUp } from '../../support/client-setup.ts'
import { FakeBroker, wire } from '../../support/fake-broker.ts'
import { ManualWorld, settle } from '../../support/manual-world.ts'

t.test('a peer that is no broker of ours is an error at once', async t => {
  for (const script of [
    () => ({ header: { error: wire('PROTOCOL_MISMATCH') } }),
    () => ({ header: { nothing: 'of what hello answers' } }),
  ]) {
    const world = await ManualWorld.make()
    const broker = new FakeBroker(world)
    broker.script('hello', script)
    const started = world.nowMs
    const failed = connect({ servers: broker.url }, world)
    await t.rejects(world.run(failed), { code: 'PROTOCOL_MISMATCH' })
    t.equal(world.nowMs, started)
    await settle()
    t.equal(world.timerCount, 0)
  }
})

t.test('one reachable server of several is enough', async t => {
  for (let seed = 1; seed <= 5; seed++) {
    const world = await ManualWorld.make(seed)
    const broker = new FakeBroker(world)
    const servers = ['ws://dead-1:1', broker.url, 'ws://dead-2:1']
    const client = await world.run(connect({ servers }, world))
    t.equal(client.clusterId, 'cluster-1')
    await world.run(client.close())
  }
})

t.test('an aborted connect stops, and an abort later closes the client', async t => {
  const world = await ManualWorld.make()
  const abort = new AbortController()
  const waiting = connect({ servers: 'ws://nobody:1', signal: abort.signal }, world)
  await world.advance(500)
  abort.abort()
  await t.rejects(world.run(waiting), { code: 'ABORTED' })
  await t.rejects(connect({ servers: 'ws://x:1', signal: abort.signal }, world), {
    code: 'ABORTED',
  })
  await settle()
  t.equal(world.timerCount, 0)
  const broker = new FakeBroker(world)
  const later = new AbortController()
  const client = await connect({ servers: broker.url, signal: later.signal }, world)
  later.abort()
  await settle()
  t.throws(() => client.topic('a'), { code: 'CLOSED' })
})

t.test('a broker of another cluster at the old address is not written to', async t => {
  const { world, broker, client } = await setUp(t, { producer: { deliveryTimeoutMs: 5000 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.clusterId = 'cluster-2'
  broker.stop()
  broker.start()
  const sent = topic.send({ value: '1' })
  await t.rejects(world.run(sent), {
    code: 'DELIVERY_TIMEOUT',
    cause: { code: 'BROKER_NOT_AVAILABLE', message: /cluster-2, not to cluster-1/ },
  })
  t.equal(broker.log('a').end, 1)
})

t.test('attempts are spaced by growing, jittered pauses', async t => {
  const { world, broker, client } = await setUp(t, { reconnect: { baseMs: 100, maxMs: 2000 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.stop()
  const sent = topic.send({ value: '1' })
  const before = world.network.dials
  await world.advance(30_000)
  const dials = world.network.dials - before
  // Full jitter halves the pauses on average: 30 s in steps of up to 2 s.
  t.ok(dials >= 20 && dials <= 60, `${dials} attempts in 30 s`)
  broker.start()
  t.equal((await world.run(sent)).offset, 1)
})

t.test('an idle client keeps no process alive', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  await world.run(client.flush())
  await settle()
  t.equal(world.foregroundTimerCount, 0)
})

t.test(
  'a topic in use is looked at again every metadataMaxAgeMs, an unused one is not',
  async t => {
    const { world, broker, client } = await setUp(t, { metadataMaxAgeMs: 1000 })
    broker.createTopic('a')
    await world.run(client.topic('a', { value: string() }).send({ value: '0' }))
    const first = broker.count('metadata')
    await world.advance(3500)
    t.equal(broker.count('metadata'), first + 3)
    await world.advance(60_000)
    const last = broker.count('metadata')
    await world.advance(60_000)
    t.equal(broker.count('metadata'), last)
  },
)

t.test('metadata that leaves partitions out is not believed', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  for (const partition of [1, 2 ** 31 - 1]) {
    const state = { partition, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] }
    const topics = [{ name: 'a', topicId: 'x', partitions: [state] }]
    const header = { clusterId: 'cluster-1', controllerId: 1, brokers: [], topics }
    broker.script('metadata', () => ({ header }))
    const listing = client.admin.topics.list()
    await t.rejects(world.run(listing), { code: 'PROTOCOL_MISMATCH', topic: 'a' })
  }
  await world.run(client.topic('a', { value: string() }).send({ value: 'fine' }))
})

t.test('new partitions get records without a key after a refresh', async t => {
  const { world, broker, client } = await setUp(t, { metadataMaxAgeMs: 1000 })
  const { logs } = broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  const { FakeLog } = await import('../../support/fake-log.ts')
  logs.push(new FakeLog())
  await t.rejects(world.run(topic.send({ value: '1', partition: 1 })), {
    code: 'INVALID_ARGUMENT',
  })
  await world.advance(1000)
  t.match(await world.run(topic.send({ value: '1', partition: 1 })), { partition: 1, offset: 0 })
})

t.test('a topic is looked at as long as one of its consumers is open', async t => {
  const { world, broker, client } = await setUp(t, { metadataMaxAgeMs: 1000 })
  broker.createTopic('a')
  const consumers = [client.consumer({ topics: ['a'] }), client.consumer({ topics: ['a'] })]
  for (const consumer of consumers) void consumer[Symbol.asyncIterator]().next()
  const asked = async (): Promise<number> => {
    const before = broker.count('metadata')
    await world.advance(20_000)
    return broker.count('metadata') - before
  }
  await settle()
  t.ok((await asked()) >= 19)
  await consumers[0]?.close()
  t.ok((await asked()) >= 19, 'the other one still reads it')
  await consumers[1]?.close()
  t.ok((await asked()) <= 6, 'for a while after the last use')
  t.equal(await asked(), 0)
})

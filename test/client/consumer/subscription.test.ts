/** Which partitions are read as topics grow, are assigned, or are made anew. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { setUp } from '../../support/client-setup.ts'
import { wire } from '../../support/fake-broker.ts'
import { FakeLog } from '../../support/fake-log.ts'
import type { Script } from '../../support/fake-request.ts'
import { settle } from '../../support/manual-world.ts'
import { silence } from '../../support/produce-scripts.ts'
import { fill, partitionErrors, readAll } from '../../support/reading.ts'

t.test('new partitions are noticed within 30 s and read from their first record', async t => {
  const { world, broker, client } = await setUp(t)
  const topic = broker.createTopic('a')
  const consumer = client.consumer({ topics: ['a'], start: 'latest', value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  const next = loop.next()
  await world.advance(1000)
  topic.logs.push(new FakeLog())
  fill(broker.log('a', 1), 2)
  const started = world.nowMs
  t.match(await world.run(next), { value: { partition: 1, offset: 0 } })
  t.ok(world.nowMs - started <= 30_000)
})

t.test('assigned partitions are read and no others, each from its own start', async t => {
  const setup = await setUp(t)
  const { world, broker } = setup
  broker.createTopic('a', 3)
  for (const partition of [0, 1, 2]) fill(broker.log('a', partition), 4)
  const assign = [
    { topic: 'a', partition: 0, start: { last: 1 } },
    { topic: 'a', partition: 2 },
  ]
  const seen = await world.run(readAll(setup, { assign, start: { offset: 2 } }))
  const places = seen.map(({ partition, offset }) => `${partition}/${offset}`).sort()
  t.same(places, ['0/3', '2/2', '2/3'])
  const wrong = readAll(setup, { assign: [{ topic: 'a', partition: 9 }] })
  await t.rejects(world.run(wrong), { code: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 9 })
})

t.test('a topic deleted and created again ends the loop and is never mixed in', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const loop = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
  await world.run(loop.next())
  const next = loop.next()
  broker.createTopic('a')
  fill(broker.log('a'), 5)
  await t.rejects(world.run(next), { code: 'UNKNOWN_TOPIC_ID' })
})

t.test('a loop begins whatever heals, however long it takes', async t => {
  const setup = await setUp(t, { requestTimeoutMs: 1000 })
  const { world, broker, client } = setup
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const leaderless: Script = request =>
    partitionErrors(request.header.partitions, 'NOT_LEADER_OR_FOLLOWER')
  const throttled: Script = () => ({ header: { error: wire('THROTTLED') } })
  const troubles: (() => void)[] = [
    () => broker.always('metadata', silence),
    () => broker.always('list-offsets', silence),
    () => broker.always('list-offsets', leaderless),
    () => broker.always('metadata', throttled),
    () => {
      broker.leaderOf = () => -1
    },
    () => broker.stop(),
  ]
  for (const trouble of troubles) {
    trouble()
    const consumer = client.consumer({ topics: ['a'], value: string() })
    const next = consumer[Symbol.asyncIterator]().next()
    await world.advance(20_000)
    broker.always('metadata', (_, proceed) => proceed())
    broker.always('list-offsets', (_, proceed) => proceed())
    broker.leaderOf = () => broker.id
    broker.start()
    const startedMs = world.nowMs
    t.match(await world.run(next), { value: { offset: 0 } }, String(trouble))
    t.ok(world.nowMs - startedMs < 15_000, `healed after ${world.nowMs - startedMs} ms`)
    await consumer.close()
  }
})

t.test('while a loop begins, signal, close and what cannot heal end it', async t => {
  const { world, broker, client } = await setUp(t, { requestTimeoutMs: 1000 })
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  broker.always('list-offsets', silence)
  const abort = new AbortController()
  const consumer = client.consumer({ topics: ['a'], signal: abort.signal })
  const next = consumer[Symbol.asyncIterator]().next()
  await world.advance(10_000)
  abort.abort()
  t.match(await world.run(next, 1), { done: true })
  const batchesAbort = new AbortController()
  const other = client.consumer({ topics: ['a'] })
  const batches = other.batches({ signal: batchesAbort.signal })[Symbol.asyncIterator]()
  const waiting = batches.next()
  await world.advance(10_000)
  batchesAbort.abort()
  await t.rejects(world.run(waiting, 1), { code: 'ABORTED' })
  const again = other[Symbol.asyncIterator]().next()
  await settle()
  await other.close()
  t.match(await world.run(again, 1), { done: true })

  const startedMs = world.nowMs
  const unknown = client
    .consumer({ topics: ['nowhere'] })
    [Symbol.asyncIterator]()
    .next()
  await t.rejects(world.run(unknown), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  t.equal(world.nowMs, startedMs, 'an unknown topic is an error at once')
  broker.always('list-offsets', request =>
    partitionErrors(request.header.partitions, 'POLICY_VIOLATION'),
  )
  const refused = client.consumer({ topics: ['a'] })
  await t.rejects(world.run(refused[Symbol.asyncIterator]().next()), { code: 'POLICY_VIOLATION' })
  broker.always('list-offsets', (_, proceed) => proceed())
  t.match(await world.run(refused[Symbol.asyncIterator]().next()), { value: { offset: 0 } })
})

t.test('what was paused before reading had begun stays paused', async t => {
  const { world, broker, client } = await setUp(t, { requestTimeoutMs: 1000 })
  broker.createTopic('a', 2)
  fill(broker.log('a', 0), 1)
  fill(broker.log('a', 1), 1)
  broker.always('list-offsets', silence)
  const consumer = client.consumer({ topics: ['a'] })
  const loop = consumer[Symbol.asyncIterator]()
  const next = loop.next()
  await settle()
  consumer.pause([{ topic: 'a', partition: 0 }])
  await world.advance(10_000)
  broker.always('list-offsets', (_, proceed) => proceed())
  t.match(await world.run(next), { value: { partition: 1 } })
  const held = loop.next()
  await world.advance(2000)
  consumer.resume()
  t.match(await world.run(held), { value: { partition: 0 } })
})

t.test('a leader that comes up while reading begins is read from at once', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  broker.leaderOf = () => -1
  const next = client
    .consumer({ topics: ['a'] })
    [Symbol.asyncIterator]()
    .next()
  await world.advance(500)
  broker.leaderOf = () => broker.id
  const startedMs = world.nowMs
  t.match(await world.run(next), { value: { offset: 0 } })
  t.ok(world.nowMs - startedMs <= 2000, `after ${world.nowMs - startedMs} ms`)
})

t.test('a seek settles where a new partition is read from, whoever else is looking', async t => {
  const { world, broker, client } = await setUp(t, { requestTimeoutMs: 1000 })
  const topic = broker.createTopic('a')
  const loop = client.consumer({ topics: ['a'], start: 'latest' })
  const records = loop[Symbol.asyncIterator]()
  const first = records.next()
  await world.advance(1000)
  broker.always('list-offsets', silence)
  topic.logs.push(new FakeLog())
  fill(broker.log('a', 1), 4)
  await world.advance(35_000)
  await world.run(loop.seek('a', 1, { offset: 2 }))
  t.match(await world.run(first), { value: { partition: 1, offset: 2 } })
  broker.always('list-offsets', (_, proceed) => proceed())
  await world.advance(10_000)
  t.match(await world.run(records.next()), { value: { partition: 1, offset: 3 } })
})

t.test('a topic made anew before reading began is read by the next loop', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  await world.run(client.topic('a', { value: string() }).send({ value: 'known' }))
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const consumer = client.consumer({ topics: ['a'] })
  await t.rejects(world.run(consumer[Symbol.asyncIterator]().next()), { code: 'UNKNOWN_TOPIC_ID' })
  t.match(await world.run(consumer[Symbol.asyncIterator]().next()), { value: { offset: 0 } })
})

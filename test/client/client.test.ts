/** The SDK's main path, end to end against the fake broker: connect, send, read, close. */
import t from 'tap'
import { connect } from '../../client/client.ts'
import { json, string } from '../../client/codecs/codecs.ts'
import type { ReceivedRecord } from '../../client/types/consuming.ts'
import { SluiceError } from '../../protocol/errors.ts'
import { setUp } from '../support/client-setup.ts'
import { ManualWorld } from '../support/manual-world.ts'

t.test('what was sent comes back in order, with key, value, headers and timestamp', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('orders')
  const orders = client.topic('orders', { key: string(), value: json<{ id: number }>() })
  const ack = await world.run(
    orders.send({ key: 'a', value: { id: 1 }, headers: { trace: 'x', none: null }, timestamp: 42 }),
  )
  t.same(ack, { topic: 'orders', partition: 0, offset: 0, timestamp: 42, reached: 'fsynced' })
  await world.run(Promise.all([orders.send({ value: { id: 2 } }), orders.send({ value: null })]))
  const seen: ReceivedRecord<string, { id: number }>[] = []
  const consumer = client.consumer({ topics: [orders], stopAtEnd: true })
  await world.run(
    (async () => {
      for await (const record of consumer) seen.push(record)
    })(),
  )
  t.same(
    seen.map(({ offset, key, value }) => ({ offset, key, value })),
    [
      { offset: 0, key: 'a', value: { id: 1 } },
      { offset: 1, key: null, value: { id: 2 } },
      { offset: 2, key: null, value: null },
    ],
  )
  t.equal(seen[0]?.timestamp, 42)
  t.same(seen[0]?.headers, [
    { name: 'trace', value: Buffer.from('x') },
    { name: 'none', value: null },
  ])
})

t.test('an unknown option is refused with the nearest name', async t => {
  const world = await ManualWorld.make()
  const wrong = { servers: 'ws://x:1', producer: { lingerMS: 5 } } as never
  await t.rejects(connect(wrong, world), { code: 'INVALID_ARGUMENT', hint: /lingerMs/ })
  await t.rejects(connect({ servers: 'http://x' }, world), { code: 'INVALID_ARGUMENT' })
  await t.rejects(connect({ servers: [] }, world), { code: 'INVALID_ARGUMENT' })
  t.equal(world.network.dials, 0)
})

t.test(
  'the first connect waits for a broker that is not there yet, and gives up in time',
  async t => {
    const world = await ManualWorld.make()
    const started = world.nowMs
    const failed = connect({ servers: 'ws://nobody:1', connectTimeoutMs: 3000 }, world)
    await t.rejects(world.run(failed), { code: 'BROKER_NOT_AVAILABLE' })
    t.ok(world.nowMs - started >= 2900 && world.nowMs - started <= 3100)
    t.ok(world.network.dials > 3, 'it tried more than once')
    t.equal(world.timerCount, 0)
  },
)

t.test('after close every call rejects with CLOSED and no timer is left', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('orders')
  const orders = client.topic('orders', { value: string() })
  await world.run(orders.send({ value: 'a' }))
  await world.run(client.close())
  const calls: (() => Promise<unknown>)[] = [
    () => orders.send({ value: 'b' }),
    () => client.flush(),
    () => orders.flush(),
    () => orders.ready(),
    () => client.admin.topics.list(),
    () => client.admin.offsets([]),
    () => client.admin.describeCluster(),
  ]
  for (const call of calls) {
    await t.rejects(world.run(call()), { code: 'CLOSED' })
  }
  t.throws(() => client.topic('orders'), { code: 'CLOSED' })
  t.throws(() => client.consumer({ topics: ['orders'] }), { code: 'CLOSED' })
  await client.close()
  t.equal(world.timerCount, 0)
})

t.test('a topic that does not exist is an error at once', async t => {
  const { world, client } = await setUp(t)
  const started = world.nowMs
  const sent = client.topic('nope', { value: string() }).send({ value: 'a' })
  await t.rejects(world.run(sent), { code: 'UNKNOWN_TOPIC_OR_PARTITION', hint: /create/ })
  const loop = client.consumer({ topics: ['nope'] })[Symbol.asyncIterator]()
  await t.rejects(world.run(loop.next()), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await t.rejects(world.run(client.admin.topics.describe('nope')), {
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
  t.equal(world.nowMs, started)
})

t.test('the status feed tells of a broken connection and of the next one, and ends', async t => {
  const { world, broker, client } = await setUp(t)
  const seen: string[] = []
  const reading = (async () => {
    for await (const event of client.status()) seen.push(event.type)
  })()
  broker.createTopic('orders')
  broker.stop()
  broker.start()
  await world.run(client.topic('orders', { value: string() }).send({ value: 'a' }))
  await world.run(client.close())
  await world.run(reading)
  t.same(seen, ['reconnecting', 'connected', 'closed'])
})

t.test('errors are SluiceErrors with their row of the table', async t => {
  const { world, client } = await setUp(t)
  const error = await world.run(client.admin.topics.describe('nope').catch(e => e))
  t.ok(SluiceError.is(error, 'UNKNOWN_TOPIC_OR_PARTITION'))
})

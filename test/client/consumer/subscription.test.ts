/** Which partitions are read as topics grow, are assigned, or are made anew. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { setUp } from '../../support/client-setup.ts'
import { FakeLog } from '../../support/fake-log.ts'
import { fill, readAll } from '../../support/reading.ts'

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

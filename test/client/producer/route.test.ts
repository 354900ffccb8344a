/** Which partition a record goes to. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { setUp } from '../../support/client-setup.ts'

t.test('records without a key stick to a partition until its batch is sealed', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 8)
  const topic = client.topic('a', { value: string() })
  const used = new Set<number>()
  for (let i = 0; i < 30; i++) {
    const sends = [topic.send({ value: 'x' }), topic.send({ value: 'y' })]
    const [one, two] = await world.run(Promise.all(sends))
    t.equal(one?.partition, two?.partition)
    used.add(one?.partition ?? -1)
  }
  t.ok(used.size >= 4, 'over time all partitions get some')
})

t.test('the same key goes to the same partition as with Kafka', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 12)
  const murmur = client.topic('a', { key: string(), value: string() })
  t.equal((await world.run(murmur.send({ key: '100:48069', value: '' }))).partition, 9)
  const own = client.topic('a', { value: string(), partitioner: (_, count) => count - 1 })
  t.equal((await world.run(own.send({ value: '' }))).partition, 11)
  const wrong = client.topic('a', { value: string(), partitioner: () => 12 })
  await t.rejects(world.run(wrong.send({ value: '' })), { code: 'INVALID_ARGUMENT' })
})

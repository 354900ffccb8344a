/** Lost producer state, duplicates and unknown outcomes: what rejects, and how it says so. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { settle } from '../../support/manual-world.ts'
import { applyAndCut, cut, range, refuse, silence, stampOf } from '../../support/produce-scripts.ts'

t.test(
  'after lost state what was written rejects, and what was not goes on under a new epoch',
  async t => {
    for (const code of [
      'UNKNOWN_PRODUCER_ID',
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      'INVALID_PRODUCER_EPOCH',
    ] as const) {
      const { world, broker, client } = await setUp(t)
      broker.createTopic('a')
      const topic = client.topic('a', { value: string() })
      await world.run(topic.send({ value: '0' }))
      const { opened, open } = gate()
      // Applied, the answer lost; then the broker forgets the producer.
      broker.script('produce', async (request, proceed) => {
        await proceed()
        await opened
        request.end.cut()
        return undefined
      })
      broker.script('produce', refuse(code))
      const written = topic.send({ value: '1' })
      await settle()
      const waiting = topic.send({ value: '2' })
      open()
      await t.rejects(world.run(written), { code, maybeApplied: true })
      t.equal((await world.run(waiting)).offset, 2, 'the never-written one arrives')
      t.same(broker.log('a').values(world.compression), ['0', '1', '2'], 'nothing twice')
      const [first, last] = [
        broker.requests.find(({ api }) => api === 'produce'),
        broker.requests.at(-1),
      ]
      t.equal(stampOf(last), stampOf(first).replace('/0/0', '/1/0'), 'epoch 1, sequence 0')
    }
  },
)

t.test('a refusal of the first sending proves that nothing was applied', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.log('a').producers.clear()
  const sent = topic.send({ value: '1' })
  await t.rejects(world.run(sent), { code: 'UNKNOWN_PRODUCER_ID', maybeApplied: false })
  t.equal((await world.run(topic.send({ value: '2' }))).offset, 1)
})

t.test('a batch stored long ago is a success whose offset nobody knows', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  broker.script('produce', refuse('DUPLICATE_SEQUENCE_NUMBER'))
  t.equal((await world.run(topic.send({ value: '0' }))).offset, -1)
})

t.test('without idempotence an unknown outcome rejects and is never sent again', async t => {
  for (const script of [cut, applyAndCut, silence]) {
    const { world, broker, client } = await setUp(t, { producer: { idempotent: false } })
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    await world.run(topic.send({ value: '0' }))
    broker.script('produce', script)
    const sent = topic.send({ value: '1' })
    await t.rejects(world.run(sent), {
      code: /NETWORK_ERROR|REQUEST_TIMED_OUT/,
      maybeApplied: true,
    })
    await world.advance(60_000)
    t.equal(broker.count('produce'), 2, 'not sent again')
    await world.run(topic.send({ value: '2' }))
  }
})

t.test(
  'without idempotence a definite refusal is tried again, if nothing else is in flight',
  async t => {
    const producer = { idempotent: false, batchBytes: 1000 }
    const { world, broker, client } = await setUp(t, { producer })
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    broker.script('produce', refuse('DISK_FULL'))
    t.equal((await world.run(topic.send({ value: '0' }))).offset, 0)
    broker.script('produce', refuse('DISK_FULL'))
    const sends = range(40).map(i => topic.send({ value: i.padEnd(90) }))
    const results = await world.run(Promise.allSettled(sends))
    const refused = results.filter(result => result.status === 'rejected')
    t.ok(refused.length > 0, 'with others in flight behind it, order would break')
    t.match(refused[0], { reason: { code: 'DISK_FULL', maybeApplied: false } })
    const landed = results.filter(result => result.status === 'fulfilled')
    const values = broker.log('a').values(world.compression)
    t.equal(values.length, landed.length + 1)
    t.same(
      values.slice(1).map(Number),
      values
        .slice(1)
        .map(Number)
        .sort((a, b) => a - b),
    )
  },
)

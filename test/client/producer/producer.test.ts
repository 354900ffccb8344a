/** Natural batching, linger, room, flush and close: what leaves when. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { settle } from '../../support/manual-world.ts'

t.test('one awaited send waits for nothing: no timer moves', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  const started = world.nowMs
  for (let i = 0; i < 5; i++) await world.run(topic.send({ value: `${i}` }))
  t.equal(world.nowMs, started)
  t.equal(broker.count('produce'), 5)
})

t.test('a thousand sends of one turn make one request with one batch', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'warm' }))
  const sends = Array.from({ length: 1000 }, (_, i) => topic.send({ value: `${i}` }))
  const acks = await world.run(Promise.all(sends))
  t.equal(broker.count('produce'), 2)
  t.same(
    acks.map(ack => ack.offset),
    acks.map((_, i) => i + 1),
  )
})

t.test(
  'what arrives while a request is unanswered leaves together when it is answered',
  async t => {
    const { world, broker, client } = await setUp(t)
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    const { opened, open } = gate()
    broker.script('produce', async (_, proceed) => {
      await opened
      return proceed()
    })
    const first = topic.send({ value: '1' })
    await settle()
    const rest: Promise<unknown>[] = []
    for (let i = 2; i <= 10; i++) {
      rest.push(topic.send({ value: `${i}` }))
      await settle(3)
    }
    t.equal(broker.count('produce'), 1, 'nothing but the first left')
    open()
    await world.run(Promise.all([first, ...rest]))
    t.equal(broker.count('produce'), 2)
    t.equal(broker.log('a').batches[1]?.header.recordCount, 9)
  },
)

t.test('several partitions of one turn share one request', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 4)
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'w', partition: 0 }))
  const sends = [0, 1, 2, 3].map(partition => topic.send({ value: 'x', partition }))
  await world.run(Promise.all(sends))
  t.equal(broker.count('produce'), 2)
  t.equal(broker.requests.at(-1)?.header.partitions.length, 4)
})

t.test('full batches leave in pipelined requests, never more than maxInFlight', async t => {
  const { world, broker, client } = await setUp(t, {
    producer: { batchBytes: 1000, maxInFlight: 3 },
  })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'warm' }))
  let unanswered = 0
  let most = 0
  broker.always('produce', async (_, proceed) => {
    most = Math.max(most, ++unanswered)
    await settle(3)
    unanswered--
    return proceed()
  })
  const sends = Array.from({ length: 200 }, (_, i) => topic.send({ value: `${i}`.padEnd(90) }))
  await world.run(Promise.all(sends))
  t.equal(most, 3)
  const values = broker
    .log('a')
    .values(world.compression)
    .slice(1)
    .map(value => value.trim())
  t.same(
    values,
    Array.from({ length: 200 }, (_, i) => `${i}`),
  )
})

t.test('linger waits for more records, and a flush does not wait for linger', async t => {
  const { world, broker, client } = await setUp(t, { producer: { lingerMs: 100 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  const started = world.nowMs
  const first = topic.send({ value: '1' })
  await world.advance(60)
  const second = topic.send({ value: '2' })
  await world.run(Promise.all([first, second]))
  t.equal(world.nowMs - started, 100)
  t.equal(broker.log('a').batches.length, 1)
  const third = topic.send({ value: '3' })
  await world.run(client.flush())
  t.equal(world.nowMs - started, 100, 'flush moved no timer')
  t.equal((await third).offset, 2)
})

t.test('with a full buffer send waits, post says false, and BUFFER_FULL ends the wait', async t => {
  const producer = { bufferBytes: 1000, deliveryTimeoutMs: 5000 }
  const { world, broker, client } = await setUp(t, { producer })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'warm' }))
  const { opened, open } = gate()
  broker.always('produce', async (_, proceed) => {
    await opened
    return proceed()
  })
  t.equal(topic.post({ value: 'x'.repeat(1200) }), false, 'taken, but full now')
  await world.advance(1000)
  const waiting = topic.send({ value: 'late' })
  const another = topic.send({ value: 'later' })
  await settle()
  t.equal(broker.count('produce'), 2)
  let ready = false
  void topic.ready().then(() => {
    ready = true
  })
  await settle()
  t.equal(ready, false)
  open()
  const acks = await world.run(Promise.all([waiting, another]))
  t.equal(ready, true)
  t.same(
    acks.map(ack => ack.offset),
    [2, 3],
    'in the order given',
  )
  broker.always('produce', () => undefined)
  topic.post({ value: 'x'.repeat(1200) })
  await settle()
  const never = topic.send({ value: 'never' })
  await t.rejects(world.run(never), { code: /BUFFER_FULL|DELIVERY_TIMEOUT/ })
})

t.test('close sends what is left, and rejects what cannot be sent in time', async t => {
  const { world, broker, client } = await setUp(t, {
    closeTimeoutMs: 500,
    producer: { lingerMs: 1000 },
  })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  const sent = topic.send({ value: 'a' })
  await settle()
  broker.script(
    'produce',
    (_, proceed) => proceed(),
    () => undefined,
  )
  const lingering = topic.send({ value: 'b' })
  const started = world.nowMs
  const closing = client.close()
  await settle()
  await t.rejects(topic.send({ value: 'c' }), { code: 'CLOSED' })
  await world.run(closing)
  t.equal((await sent).offset, 0)
  t.equal((await lingering).offset, 1)
  t.ok(world.nowMs - started <= 500)
  t.equal(world.timerCount, 0)
})

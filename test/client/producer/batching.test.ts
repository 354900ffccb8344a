/** Natural batching, linger, back-pressure, abort, flush: what leaves when. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { readBatchHeader } from '../../../protocol/records/batch-header.ts'
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

t.test('a record aborted before its batch is sealed is not written', async t => {
  const { world, broker, client } = await setUp(t, { producer: { lingerMs: 50 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'warm' }))
  const abort = new AbortController()
  const late = new AbortController()
  const one = topic.send({ value: '1' })
  const two = topic.send({ value: '2', headers: { h: 'x' } }, { signal: abort.signal })
  const three = topic.send({ value: '3' }, { signal: late.signal })
  await settle()
  abort.abort()
  await t.rejects(two, { code: 'ABORTED', maybeApplied: false })
  const { opened, open } = gate()
  broker.script('produce', async (_, proceed) => {
    await opened
    return proceed()
  })
  await world.advance(60)
  late.abort()
  await t.rejects(three, { code: 'ABORTED', maybeApplied: true })
  open()
  t.equal((await world.run(one)).offset, 1)
  t.same(broker.log('a').values(world.compression), ['warm', '1', '3'])
  const all = new AbortController()
  const gone = topic.send({ value: 'gone' }, { signal: all.signal })
  await settle()
  all.abort()
  await t.rejects(gone, { code: 'ABORTED', maybeApplied: false })
  await world.run(client.flush())
  t.equal(broker.log('a').end, 3, 'a batch with nothing left is not sent')
  await t.rejects(topic.send({ value: 'x' }, { signal: all.signal }), { code: 'ABORTED' })
})

t.test('sendAll rejects with what became of each record', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  const topic = client.topic('a', { value: string() })
  const acks = await world.run(topic.sendAll([{ value: '1' }, { value: '2' }]))
  t.equal(acks.length, 2)
  const failed = topic.sendAll([
    { value: '3', partition: 0 },
    { value: '4', partition: 7 },
    { value: 5 as never },
  ])
  const error = await world.run(failed.catch(e => e))
  t.match(error, { code: 'INVALID_ARGUMENT', message: /2 of 3/ })
  t.match(error.results, [
    { partition: 0 },
    { code: 'INVALID_ARGUMENT', message: /partition 7/ },
    { code: 'ENCODE_FAILED' },
  ])
})

t.test('failures of posted records reach onError with their record', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const failures: unknown[] = []
  const onError = (error: Error, record: unknown): void => {
    failures.push([error.message, record])
  }
  const topic = client.topic('a', { value: string(), onError })
  broker.script('produce', () => ({
    header: {
      partitions: [
        {
          partition: 0,
          topicId: 't',
          error: { code: 'INVALID_RECORD', message: 'no', retriable: false, maybeApplied: false },
        },
      ],
    },
  }))
  topic.post({ value: 'a' })
  await world.run(topic.flush())
  t.match(failures, [['no', { value: 'a' }]])
  topic.post({ value: 'b' })
  await world.run(client.flush())
  t.same(broker.log('a').values(world.compression), ['b'])
})

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

t.test('acks none is answered when the bytes have left', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string(), acks: 'none' })
  const ack = await world.run(topic.send({ value: 'a' }))
  t.match(ack, { offset: -1, reached: 'sent' })
  await settle()
  t.same(broker.log('a').values(world.compression), ['a'])
  const bytes = broker.log('a').batches[0]?.bytes ?? new Uint8Array(0)
  t.equal(readBatchHeader(bytes).producerId, -1, 'no sequence that could get a hole')
})

t.test('a batch above the limits of the broker is refused here, with a hint', async t => {
  const { world, broker, client } = await setUp(t, { producer: { batchBytes: 1000 } })
  broker.limits = { ...broker.limits, maxFrameBytes: 4000 }
  for (const end of broker.ends.splice(0)) end.cut()
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  const large = topic.send({ value: 'x'.repeat(5000) })
  await t.rejects(world.run(large), { code: 'MESSAGE_TOO_LARGE', hint: /batchBytes/ })
  t.equal(broker.count('produce'), 0)
  t.equal((await world.run(topic.send({ value: 'ok' }))).offset, 0)
})

t.test('gzip travels as gzip and reads back', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string(), compression: 'gzip' })
  await world.run(topic.sendAll([{ value: 'x'.repeat(5000) }, { value: 'y' }]))
  t.equal(broker.log('a').batches[0]?.header.codec, 'gzip')
  t.same(broker.log('a').values(world.compression), ['x'.repeat(5000), 'y'])
  t.throws(() => client.topic('a', { compression: 'zstd' }), {
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
  })
})

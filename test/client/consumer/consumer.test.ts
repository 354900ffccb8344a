/** Loops over a consumer: where they begin, pause, end and go on. */
import t from 'tap'
import { int32, json, string } from '../../../client/codecs/codecs.ts'
import type { Codec } from '../../../client/types/codecs.ts'
import type { ReceivedRecord } from '../../../client/types/consuming.ts'
import type { Topic } from '../../../client/types/producing.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { settle } from '../../support/manual-world.ts'
import { silence } from '../../support/produce-scripts.ts'
import { batchOf, fill, offsetsOf, valuesOf } from '../../support/reading.ts'

t.test('records below the asked offset are dropped, and the batch view says so', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 2, 5)
  const consumer = client.consumer({ topics: ['a'], start: { offset: 3 }, stopAtEnd: true })
  const views: object[] = []
  const work = (async () => {
    for await (const { firstOffset, nextOffset, count, lag, ...batch } of consumer.batches()) {
      void batch
      views.push({ firstOffset, nextOffset, count, lag })
    }
  })()
  await world.run(work)
  t.same(views, [
    { firstOffset: 3, nextOffset: 5, count: 2, lag: 5 },
    { firstOffset: 5, nextOffset: 10, count: 5, lag: 0 },
  ])
})

t.test('stopAtEnd stops at the end that was there, inside a batch if need be', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  fill(broker.log('a', 0), 3)
  const consumer = client.consumer({ topics: ['a'], stopAtEnd: true, value: string() })
  const seen: number[] = []
  const work = (async () => {
    for await (const record of consumer) {
      if (seen.length === 0) fill(broker.log('a', 0), 3)
      seen.push(record.offset)
    }
  })()
  await world.run(work)
  t.same(seen, [0, 1, 2])
})

t.test('a reader at the end gets new records without a timer', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const loop = client.consumer({ topics: ['a'], value: string() })[Symbol.asyncIterator]()
  const next = loop.next()
  await settle()
  const started = world.nowMs
  fill(broker.log('a'), 1)
  t.match(await world.run(next), { value: { value: '0' }, done: false })
  t.equal(world.nowMs, started)
})

t.test('leaving a loop keeps the place; only one loop at a time', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 2, 5)
  const consumer = client.consumer({ topics: ['a'], value: string(), stopAtEnd: true })
  const firstPass: number[] = []
  const work = (async () => {
    for await (const { offset } of consumer) {
      t.throws(() => consumer[Symbol.asyncIterator](), { code: 'INVALID_ARGUMENT' })
      firstPass.push(offset)
      if (offset === 2) break
    }
  })()
  await world.run(work)
  t.same(consumer.positions(), [{ topic: 'a', partition: 0, offset: 3, lag: 7 }])
  const rest: number[] = []
  const more = (async () => {
    for await (const { offset } of consumer) rest.push(offset)
  })()
  await world.run(more)
  t.same(
    [firstPass, rest],
    [
      [0, 1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ],
  )
})

t.test('close ends a waiting loop; its signal too; the signal of batches() throws', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const abort = new AbortController()
  for (const end of ['close', 'consumer signal', 'client'] as const) {
    const consumer = client.consumer({ topics: ['a'], signal: abort.signal })
    const next = consumer[Symbol.asyncIterator]().next()
    await settle()
    if (end === 'close') await consumer.close()
    else if (end === 'consumer signal') {
      const other = new AbortController()
      const own = client.consumer({ topics: ['a'], signal: other.signal })
      const waiting = own[Symbol.asyncIterator]().next()
      await settle()
      other.abort()
      t.match(await world.run(waiting), { done: true })
      continue
    } else await world.run(client.close())
    t.match(await world.run(next), { done: true }, end)
    if (end !== 'client') await t.rejects(consumer.seek('a', 0, 'earliest'), { code: 'CLOSED' })
  }
  const fresh = await setUp(t)
  fresh.broker.createTopic('a')
  const batches = fresh.client.consumer({ topics: ['a'] }).batches({ signal: abort.signal })
  const waiting = batches[Symbol.asyncIterator]().next()
  await settle()
  abort.abort()
  await t.rejects(fresh.world.run(waiting), { code: 'ABORTED' })
})

t.test('a slow or paused partition never stops the others, and buffers stay bounded', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  for (const partition of [0, 1]) {
    for (let i = 0; i < 100; i++) broker.log('a', partition).store(batchOf(['x'.repeat(900)]))
  }
  const consumer = client.consumer({ topics: ['a'], bufferBytes: 10_000, fetchBytes: 5000 })
  const loop = consumer[Symbol.asyncIterator]()
  await world.run(loop.next())
  consumer.pause([{ topic: 'a', partition: 0 }])
  const seen: number[] = []
  for (let i = 0; i < 90; i++) {
    const { value } = await world.run(loop.next())
    t.equal(value.partition, 1)
    seen.push(value.offset)
  }
  await settle(50)
  const fetched = broker.requests
    .filter(({ api }) => api === 'fetch')
    .flatMap(({ header }) => header.partitions)
    .filter(({ partition }: { partition: number }) => partition === 0)
  const highest = Math.max(...fetched.map(({ offset }: { offset: number }) => offset))
  t.ok(highest <= 12, `partition 0 was read ahead to ${highest} only`)
  consumer.resume()
  const { value } = await world.run(loop.next())
  t.ok(value.partition === 0 || value.partition === 1)
  consumer.pause()
  let more = false
  void loop.next().then(() => {
    more = true
  })
  await settle()
  t.equal(more, false, 'with everything paused the loop waits')
  consumer.resume()
  await settle()
  t.equal(more, true)
})

t.test('seek moves the loop at once, whatever was fetched ahead', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 5, 10)
  const consumer = client.consumer({ topics: ['a'], value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await world.run(loop.next())
  await world.run(consumer.seek('a', 0, { offset: 44 }))
  t.match(await world.run(loop.next()), { value: { offset: 44 } })
  await world.run(consumer.seek('a', 0, 'earliest'))
  t.match(await world.run(loop.next()), { value: { offset: 0 } })
  await world.run(consumer.seek('a', 0, { last: 1 }))
  t.match(await world.run(loop.next()), { value: { offset: 49 } })
  await t.rejects(world.run(consumer.seek('a', 3, 'latest')), { code: 'INVALID_ARGUMENT' })
  const fresh = client.consumer({ topics: ['a'] })
  await world.run(fresh.seek('a', 0, { offset: 20 }))
  t.match(await world.run(fresh[Symbol.asyncIterator]().next()), { value: { offset: 20 } })
})

t.test('records that do not decode: fail, skip or raw', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  broker.log('a').store(batchOf(['{"n":1}', 'not json', '{"n":3}']))
  const read = async (onDecodeError: 'fail' | 'skip' | 'raw') => {
    const seen: ReceivedRecord<Uint8Array, unknown>[] = []
    const options = { topics: ['a'], value: json(), onDecodeError, stopAtEnd: true }
    for await (const record of client.consumer<Uint8Array, unknown>(options)) seen.push(record)
    return seen
  }
  await t.rejects(world.run(read('fail')), { code: 'DECODE_FAILED', message: /offset 1 of a\/0/ })
  t.same(offsetsOf(await world.run(read('skip'))), [0, 2])
  const raw = await world.run(read('raw'))
  t.same(valuesOf(raw), [{ n: 1 }, null, { n: 3 }])
  t.match(raw[1], { decodeError: { code: 'DECODE_FAILED' } })
  t.same(raw[1]?.raw.value, Buffer.from('not json'))
})

t.test('topic handles bring their codecs along', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const topic = client.topic('a', { value: json<number>() })
  const loop = client.consumer<Uint8Array, number>({ topics: [topic] })[Symbol.asyncIterator]()
  t.match(await world.run(loop.next()), { value: { value: 0 } })
})

t.test('topic handles with different codecs need codecs of the consumer', async t => {
  const { world, broker, client } = await setUp(t)
  for (const name of ['a', 'b']) {
    broker.createTopic(name)
    fill(broker.log(name), 1)
  }
  type Handle = Topic<Uint8Array, unknown>
  const text = client.topic('a', { value: string() }) as Handle
  const parsed = client.topic('b', { value: json() }) as Handle
  const numbered = client.topic('b', { key: int32(), value: string() }) as unknown as Handle
  for (const topics of [
    [text, parsed],
    [parsed, 'c', text],
    [text, numbered],
  ]) {
    t.throws(() => client.consumer({ topics }), {
      code: 'INVALID_ARGUMENT',
      message: /"a".*"b"|"b".*"a"/,
      hint: /one consumer/,
    })
  }
  t.throws(() => client.consumer({ topics: [text, numbered], value: string() as never }), {
    message: /key/,
  })
  const options = { topics: [text, parsed], value: string() as Codec<unknown>, stopAtEnd: true }
  const seen: unknown[] = []
  const work = (async () => {
    for await (const { value } of client.consumer(options)) seen.push(value)
  })()
  await world.run(work)
  t.same(seen, ['0', '0'], 'codecs given to the consumer win')
  const same = client.topic('b', { value: string() }) as Handle
  t.ok(client.consumer({ topics: [text, same] }), 'the same codecs, made twice')
})

t.test('a seek that fails leaves the loop where it was', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 5, 10)
  const consumer = client.consumer({ topics: ['a'] })
  const loop = consumer[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await world.run(loop.next())
  broker.always('list-offsets', silence)
  const late = consumer.seek('a', 0, 'latest', { timeoutMs: 500 })
  await t.rejects(world.run(late), { code: 'REQUEST_TIMED_OUT' })
  t.match(await world.run(loop.next()), { value: { offset: 3 } })
  const abort = new AbortController()
  const aborted = consumer.seek('a', 0, 'latest', { signal: abort.signal })
  await settle()
  abort.abort()
  await t.rejects(world.run(aborted), { code: 'ABORTED' })
  t.match(await world.run(loop.next()), { value: { offset: 4 } })
  const closed = consumer.seek('a', 0, 'latest')
  await settle()
  await consumer.close()
  await t.rejects(world.run(closed), { code: 'CLOSED' })
})

t.test('an answer to a seek that was given up moves nothing', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 5, 10)
  const held = gate()
  broker.script('list-offsets', async (_, proceed) => {
    await held.opened
    return proceed()
  })
  const consumer = client.consumer({ topics: ['a'] })
  const seek = consumer.seek('a', 0, { offset: 20 }, { timeoutMs: 500 })
  await t.rejects(world.run(seek), { code: 'REQUEST_TIMED_OUT' }, 'reading had not even begun')
  held.open()
  t.match(await world.run(consumer[Symbol.asyncIterator]().next()), { value: { offset: 0 } })
})

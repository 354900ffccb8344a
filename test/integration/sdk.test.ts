/**
 * The SDK against the real broker over real sockets: what the unit tests of client/ prove on a fake
 * broker holds between the two halves that ship.
 */
import t, { type Test } from 'tap'
import { startBroker, type TestBrokerOptions } from '../../broker/testing/index.ts'
import { connect } from '../../client/client.ts'
import type { Client, ConnectOptions, ConsumerOptions } from '../../client/index.ts'
import { bytes, int32, int64, json, jsonKey, string } from '../../client/index.ts'
import { realWorld } from '../../protocol/real-world.ts'

async function setUp(
  t: Test,
  options: TestBrokerOptions = { topics: { orders: 1 } },
  connecting: Partial<ConnectOptions> = {},
) {
  const broker = await startBroker(options)
  t.teardown(() => broker.close())
  const client = await connect({ servers: broker.url, ...connecting }, await realWorld())
  t.teardown(() => client.close())
  return { broker, client }
}

async function fill(client: Client, topic: string, partition: number, count: number) {
  const handle = client.topic(topic, { value: string() })
  for (let i = 0; i < count; i++) {
    await handle.send({ value: `${partition}/${i}`, partition, timestamp: 1000 + i })
  }
}

async function read(client: Client, options: ConsumerOptions<Uint8Array, string>) {
  const places: string[] = []
  const all = { topics: ['orders'], value: string(), stopAtEnd: true, ...options }
  for await (const record of client.consumer<Uint8Array, string>(all)) {
    const place = `${record.partition}/${record.offset}`
    places.push(record.value === place ? place : `${place} holds ${record.value}`)
  }
  return places.sort()
}

t.test('every start position, across partitions and above a trimmed log start', async t => {
  const { client } = await setUp(t, { topics: { orders: 3 } })
  await fill(client, 'orders', 0, 6)
  await fill(client, 'orders', 1, 2)
  await client.admin.topics.trim('orders', 0, 4)
  t.same(await read(client, { start: 'earliest' }), ['0/4', '0/5', '1/0', '1/1'])
  t.same(await read(client, { start: { last: 1 } }), ['0/5', '1/1'])
  t.same(await read(client, { start: { last: 3 } }), ['0/4', '0/5', '1/0', '1/1'])
  t.same(await read(client, { start: { last: 0 } }), [])
  t.same(await read(client, { start: 'latest' }), [])
  t.same(await read(client, { start: { timestamp: 1001 } }), ['0/4', '0/5', '1/1'])
  t.same(await read(client, { start: { timestamp: 1005 } }), ['0/5'])
  t.same(await read(client, { start: { timestamp: 9999 } }), [])
})

t.test('a position below the log start or beyond the end: noOffset three ways', async t => {
  const { client } = await setUp(t)
  await fill(client, 'orders', 0, 6)
  await client.admin.topics.trim('orders', 0, 4)
  const below = { start: { offset: 1 } }
  await t.rejects(read(client, below), { code: 'OFFSET_OUT_OF_RANGE', hint: /noOffset/ })
  t.same(await read(client, { ...below, noOffset: 'earliest' }), ['0/4', '0/5'])
  t.same(await read(client, { ...below, noOffset: 'latest' }), [])
  const beyond = { topics: ['orders'], start: { offset: 99 } }
  const first = (noOffset: 'earliest' | 'latest' | 'error') =>
    client
      .consumer({ ...beyond, noOffset })
      [Symbol.asyncIterator]()
      .next()
  await t.rejects(first('error'), { code: 'OFFSET_OUT_OF_RANGE' })
  t.match(await first('earliest'), { value: { offset: 4 } })
  const next = first('latest')
  // The new record is the first one that the reader at the end sees.
  await new Promise(resolve => setTimeout(resolve, 100))
  await fill(client, 'orders', 0, 1)
  t.match(await next, { value: { offset: 6 } })
})

t.test('a log that is trimmed above a reader is gone on with as noOffset says', async t => {
  const { client } = await setUp(t)
  await fill(client, 'orders', 0, 50)
  const options = { topics: ['orders'], value: string(), fetchBytes: 1, bufferBytes: 1 }
  const consumer = client.consumer<Uint8Array, string>({ ...options, noOffset: 'earliest' })
  const loop = consumer[Symbol.asyncIterator]()
  t.match(await loop.next(), { value: { offset: 0 } })
  await client.admin.topics.trim('orders', 0, 40)
  const seen: number[] = []
  while (seen.at(-1) !== 49) seen.push((await loop.next()).value.offset)
  t.same(seen.slice(-10), [40, 41, 42, 43, 44, 45, 46, 47, 48, 49])
  t.ok(seen.length < 30, 'what was trimmed is not there any more')
  await consumer.close()
})

t.test('every batch says how far it is behind', async t => {
  const { client } = await setUp(t)
  await fill(client, 'orders', 0, 5)
  const lags: number[] = []
  const consumer = client.consumer({ topics: ['orders'], stopAtEnd: true })
  for await (const batch of consumer.batches()) lags.push(batch.lag)
  t.same(lags, [4, 3, 2, 1, 0])
})

t.test('partitions that are added get records and readers without any restart', async t => {
  const { client } = await setUp(t, undefined, { metadataMaxAgeMs: 50 })
  const topic = client.topic('orders', { value: string(), partitioner: (_, count) => count - 1 })
  t.equal((await topic.send({ value: 'a' })).partition, 0)
  const consumer = client.consumer({ topics: ['orders'], start: 'latest', value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  const next = loop.next()
  await client.admin.topics.addPartitions('orders', 3)
  let partition = 0
  while (partition !== 2) partition = (await topic.send({ value: 'b', key: null })).partition
  let value = (await next).value
  while (value.partition !== 2) value = (await loop.next()).value
  t.match(value, { partition: 2, offset: 0, value: 'b' })
  await consumer.close()
})

t.test('a topic made anew ends its readers, and its writers go on with the new one', async t => {
  const { client, broker } = await setUp(t, undefined, { metadataMaxAgeMs: 100 })
  const other = await connect({ servers: broker.url }, await realWorld())
  t.teardown(() => other.close())
  const topic = client.topic('orders', { value: string() })
  await topic.send({ value: 'old' })
  const loop = client.consumer({ topics: ['orders'] })[Symbol.asyncIterator]()
  await loop.next()
  const ended = t.rejects(loop.next(), {
    code: /UNKNOWN_TOPIC_ID|UNKNOWN_TOPIC_OR_PARTITION/,
  })
  await other.admin.topics.delete('orders')
  await other.admin.topics.create({ name: 'orders' })
  await ended
  const sends = await Promise.allSettled([topic.send({ value: 'new' })])
  const [first] = sends
  if (first?.status === 'rejected') {
    t.match(first.reason, { code: 'UNKNOWN_TOPIC_ID', maybeApplied: false })
    t.equal((await topic.send({ value: 'new' })).offset, 0)
  }
  const values: unknown[] = []
  const again = other.consumer({ topics: ['orders'], value: string(), stopAtEnd: true })
  for await (const record of again) values.push(record.value)
  t.same(values, ['new'], 'nothing of the old topic')
})

t.test('partitioners: murmur2, crc32, sticky and a function', async t => {
  const { client } = await setUp(t, { topics: { orders: 15 } })
  const partitionOf = async (partitioner: 'murmur2' | 'crc32' | 'sticky') =>
    (
      await client
        .topic('orders', { key: string(), partitioner })
        .send({ key: 'TT0124', value: null })
    ).partition
  t.equal(await partitionOf('murmur2'), 10, 'where Java puts it')
  t.equal(await partitionOf('crc32'), 9, 'where librdkafka puts it')
  const sticky = client.topic('orders', { key: string(), value: string(), partitioner: 'sticky' })
  const sends = ['a', 'b', 'c', 'd', 'e', 'f'].map(key => sticky.send({ key, value: 'x' }))
  const used = new Set((await Promise.all(sends)).map(ack => ack.partition))
  t.equal(used.size, 1, 'one batch, whatever the keys are')
  const seen: unknown[] = []
  const own = client.topic('orders', {
    key: string(),
    partitioner: (key, partitions, topic) => {
      seen.push([key === null ? null : Buffer.from(key).toString(), partitions, topic])
      return 7
    },
  })
  t.equal((await own.send({ key: 'k', value: null })).partition, 7)
  t.same(seen, [['k', 15, 'orders']])
})

t.test('every codec comes back as it was sent, under every compression there is', async t => {
  const { client } = await setUp(t, { topics: { orders: 1 } })
  for (const compression of ['none', 'gzip', 'lz4', 'snappy'] as const) {
    const topic = `codecs-${compression}`
    await client.admin.topics.create({ name: topic })
    const round = async <K, V>(options: { key: never; value: never }, key: K, value: V) => {
      const handle = client.topic<K, V>(topic, { ...options, compression })
      const { offset } = await handle.send({ key, value })
      const start = { offset }
      const loop = client.consumer({ topics: [handle], start, stopAtEnd: true })
      for await (const record of loop) return [record.key, record.value]
      return null
    }
    const pick = (key: unknown, value: unknown) => ({ key: key as never, value: value as never })
    const text = 'ünï💧'.repeat(100)
    t.same(await round(pick(string(), json()), 'k', { a: [text] }), ['k', { a: [text] }])
    t.same(await round(pick(jsonKey(), string()), { b: 1, a: 2 }, text), [{ a: 2, b: 1 }, text])
    t.same(await round(pick(int32(), int64()), -7, 2 ** 53 - 1), [-7, 2 ** 53 - 1])
    const raw = Buffer.from([0, 255, 128])
    t.same(await round(pick(bytes(), bytes()), raw, raw), [raw, raw])
  }
})

t.test('a codec that cannot be written is refused by name, before anything is sent', async t => {
  const { client } = await setUp(t)
  const world = await realWorld()
  if (world.compression.canWrite('zstd')) return t.pass('this Node writes zstd')
  const sent = async () =>
    client.topic('orders', { value: string(), compression: 'zstd' }).send({ value: 'x' })
  await t.rejects(sent(), { code: 'UNSUPPORTED_COMPRESSION_TYPE', message: /zstd/ })
  t.match(await client.admin.offsets([{ topic: 'orders', partition: 0, at: 'latest' }]), [
    { offset: 0 },
  ])
})

t.test('a codec that the reader lacks is a named error, in both loops', async t => {
  const { client, broker } = await setUp(t)
  const lz4 = client.topic('orders', { value: string(), compression: 'lz4' })
  await lz4.send({ value: 'squeezed' })
  const real = await realWorld()
  const { SluiceError } = await import('../../protocol/errors.ts')
  const lacking = {
    ...real.compression,
    canRead: (codec: string) => codec === 'none',
    decompress: (codec: 'none' | 'lz4', packed: Uint8Array, maxBytes: number) => {
      if (codec === 'none') return real.compression.decompress(codec, packed, maxBytes)
      throw new SluiceError('UNSUPPORTED_COMPRESSION_TYPE', `${codec} cannot be read`)
    },
  }
  const poor = await connect({ servers: broker.url }, { ...real, compression: lacking as never })
  t.teardown(() => poor.close())
  const records = poor.consumer({ topics: ['orders'] })[Symbol.asyncIterator]()
  await t.rejects(records.next(), { code: 'UNSUPPORTED_COMPRESSION_TYPE', message: /lz4/ })
  const walk = async () => {
    const consumer = poor.consumer({ topics: ['orders'] })
    for await (const batch of consumer.batches()) return [...batch]
    return []
  }
  await t.rejects(walk(), { code: 'UNSUPPORTED_COMPRESSION_TYPE' })
})

t.test('bad input to the SDK is named, and the client goes on', async t => {
  const { client } = await setUp(t)
  const { admin } = client
  for (const name of ['../x', '', '.', '..', 'a/b', 'a b', '-\u0000']) {
    await t.rejects(admin.topics.create({ name }), { code: 'INVALID_TOPIC' }, JSON.stringify(name))
  }
  await t.rejects(admin.topics.create({ name: 'x'.repeat(250) }), { message: /249 characters/ })
  const create = (configs: Record<string, string>) =>
    admin.topics.create({ name: 'other', configs })
  await t.rejects(create({ 'retention.msec': '1' }), {
    code: 'INVALID_CONFIG',
    hint: /retention\.ms/,
  })
  await t.rejects(create({ 'retention.ms': 'soon' }), { code: 'INVALID_CONFIG', message: /soon/ })
  await t.rejects(create({ 'cleanup.policy': 'compact' }), {
    code: 'INVALID_CONFIG',
    message: /compact/,
  })
  await t.rejects(admin.topics.create({ name: 'other', partitions: 0 }), {
    message: /partitions" must be an integer from 1/,
  })
  await t.rejects(admin.topics.create({ name: 'orders' }), { code: 'TOPIC_ALREADY_EXISTS' })
  await t.rejects(admin.topics.addPartitions('orders', 1), { code: 'INVALID_PARTITIONS' })
  await t.rejects(admin.topics.trim('orders', 5, 0), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await t.rejects(admin.topics.trim('orders', 0, 5), { code: 'OFFSET_OUT_OF_RANGE' })
  const keyed = client.topic('orders', { key: jsonKey(), value: string() })
  for (const key of [{ a: Number.NaN }, { a: undefined }, new Map(), 1n, [new Date(0)]]) {
    await t.rejects(keyed.send({ key, value: 'x' }), { code: 'KEY_NOT_CANONICAL' })
  }
  await t.rejects(keyed.send({ value: 'x', partition: 9 }), {
    code: /INVALID_ARGUMENT|UNKNOWN_TOPIC/,
  })
  t.equal((await keyed.send({ key: { a: 1 }, value: 'x' })).offset, 0)
  t.same(
    (await admin.topics.list()).map(({ name }) => name),
    ['orders'],
  )
})

t.test('describe tells logs and settings, and who set them, also after an alter', async t => {
  const { client } = await setUp(t)
  const { topics } = client.admin
  await fill(client, 'orders', 0, 3)
  await topics.alter('orders', { 'retention.ms': '2h', flush: 'os' })
  const described = await topics.describe('orders')
  t.match(described, {
    flush: 'os',
    partitionDetails: [
      { partition: 0, state: 'ok', logStartOffset: 0, highWatermark: 3, logEndOffset: 3 },
    ],
  })
  const [partition] = described.partitionDetails
  t.ok((partition?.sizeBytes ?? 0) > 0)
  t.match(partition?.segments, [{ baseOffset: 0, endOffset: 3, maxTimestamp: 1002 }])
  const origins = Object.fromEntries(described.configs.map(one => [one.name, one.origin]))
  t.match(origins, { 'retention.ms': 'topic', flush: 'topic', 'segment.bytes': 'default' })
  await topics.alter('orders', { flush: null })
  t.equal((await client.topic('orders').send({ value: null })).reached, 'fsynced')
  await t.rejects(topics.alter('orders', { 'cleanup.policy': 'compact' }), {
    code: 'INVALID_CONFIG',
  })
})

t.test('retention works on the clock of the test', async t => {
  const hour = 3_600_000
  const configs = { 'segment.ms': '1h', 'retention.ms': '2h' }
  const { broker, client } = await setUp(t, {
    clock: 'manual',
    topics: { orders: { partitions: 1, configs } },
  })
  await fill(client, 'orders', 0, 2)
  const logStart = async (): Promise<number> =>
    (await client.admin.topics.describe('orders')).partitionDetails[0]?.logStartOffset ?? -1
  const passed = async (ms: number): Promise<void> => {
    // A pass arms the next one when it is done, and that takes turns of the event loop.
    for (let left = ms; left > 0; left -= hour / 20) {
      broker.clock.advance(Math.min(left, hour / 20))
      await client.admin.describeCluster()
    }
  }
  await passed(hour + hour / 10)
  t.equal(await logStart(), 0, 'closed, but not old enough')
  await passed(2 * hour + hour / 5)
  t.equal(await logStart(), 2)
  t.equal(broker.died, null)
})

/**
 * Producing and administering with the SDK on the real broker, over real sockets: what the unit
 * tests of client/ prove on a fake broker holds between the two halves that ship.
 */
import t from 'tap'
import { bytes, int32, int64, json, jsonKey, string } from '../../client/index.ts'
import { realWorld } from '../../protocol/real-world.ts'
import { fill, setUpSdk } from '../support/sdk-setup.ts'

t.test('partitioners: murmur2, crc32, sticky and a function', async t => {
  const { client } = await setUpSdk(t, { topics: { orders: 15 } })
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
  const { client } = await setUpSdk(t, { topics: { orders: 1 } })
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
  const { client } = await setUpSdk(t)
  const world = await realWorld()
  if (world.compression.canWrite('zstd')) return t.pass('this Node writes zstd')
  const sent = async () =>
    client.topic('orders', { value: string(), compression: 'zstd' }).send({ value: 'x' })
  await t.rejects(sent(), { code: 'UNSUPPORTED_COMPRESSION_TYPE', message: /zstd/ })
  t.match(await client.admin.offsets([{ topic: 'orders', partition: 0, at: 'latest' }]), [
    { offset: 0 },
  ])
})

t.test('bad input to the SDK is named, and the client goes on', async t => {
  const { client } = await setUpSdk(t)
  const { admin } = client
  for (const name of ['../x', '', '.', '..', 'a/b', 'a b', '-\u0000']) {
    await t.rejects(admin.topics.create({ name }), { code: 'INVALID_TOPIC' }, JSON.stringify(name))
  }
  await t.rejects(admin.topics.create({ name: 'x'.repeat(250) }), {
    code: 'INVALID_TOPIC',
    hint: /1 to 249/,
  })
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
    code: 'INVALID_PARTITIONS',
    message: /0 partitions/,
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
  const { client } = await setUpSdk(t)
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
  const { broker, client } = await setUpSdk(t, {
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

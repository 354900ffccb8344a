/**
 * Consuming with the SDK from the real broker, over real sockets: what the unit tests of client/
 * prove on a fake broker holds between the two halves that ship.
 */
import t from 'tap'
import { connect } from '../../client/client.ts'
import { type Client, type ConsumerOptions, SluiceError, string } from '../../client/index.ts'
import { realWorld } from '../../protocol/real-world.ts'
import { fill, setUpSdk } from '../support/sdk-setup.ts'

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
  const { client } = await setUpSdk(t, { topics: { orders: 3 } })
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
  const { client } = await setUpSdk(t)
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
  const { client } = await setUpSdk(t)
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
  const { client } = await setUpSdk(t)
  await fill(client, 'orders', 0, 5)
  const lags: number[] = []
  const consumer = client.consumer({ topics: ['orders'], stopAtEnd: true })
  for await (const batch of consumer.batches()) lags.push(batch.lag)
  t.same(lags, [4, 3, 2, 1, 0])
})

t.test('partitions that are added get records and readers without any restart', async t => {
  const { client } = await setUpSdk(t, undefined, { metadataMaxAgeMs: 50 })
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
  const { client, broker } = await setUpSdk(t, undefined, { metadataMaxAgeMs: 100 })
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

t.test('a codec that the reader lacks is a named error, in both loops', async t => {
  const { client, broker } = await setUpSdk(t)
  const lz4 = client.topic('orders', { value: string(), compression: 'lz4' })
  await lz4.send({ value: 'squeezed' })
  const real = await realWorld()
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

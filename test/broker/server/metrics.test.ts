/** /metrics of a real broker: every metric of the table, and sums that agree with the traffic. */
import t, { type Test } from 'tap'
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { type Metric, metricTable } from '../../../broker/metrics/metric-table.ts'
import { parseExposition, sumOf } from '../../support/exposition-parser.ts'
import { batchOf, settled, startTestBroker } from '../../support/test-broker.ts'

async function broker(t: Test, config: BrokerConfigInput = {}) {
  const started = await startTestBroker(t, { config, topics: { orders: 2, payments: 1 } })
  const { world } = started
  const scrape = async () => {
    world.time.advance(1000)
    const { status, body, contentType } = await world.network.http('/metrics')
    t.equal(status, 200)
    t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
    return parseExposition(body)
  }
  const topicId = async (name: string): Promise<string> => {
    const peer = await started.connect()
    const { header } = await peer.call('metadata', { topics: [name] })
    peer.drop()
    return (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  }
  return { ...started, scrape, topicId }
}

const produce = (topic: string, topicId: string, acks = 'leader') => ({
  acks,
  timeoutMs: 1000,
  partitions: [{ topic, topicId, partition: 0 }],
})

const fetchFrom = (topic: string, topicId: string, maxWaitMs = 0) => ({
  ...{ maxWaitMs, minBytes: 1, maxBytes: 1e6, isolation: 'uncommitted' },
  partitions: [{ topic, topicId, partition: 0, offset: 0, maxBytes: 1e6 }],
})

t.test('every metric of the table is exposed with its type and sentence, and no other', async t => {
  const { scrape } = await broker(t)
  const families = await scrape()
  for (const [name, { type, about }] of Object.entries<Metric>(metricTable)) {
    t.match(families.get(name), { type, help: about }, name)
  }
  t.same([...families.keys()].sort(), Object.keys(metricTable).sort())
})

t.test('each series has exactly the labels that the table declares', async t => {
  const { scrape, connect, topicId } = await broker(t, { metricsPartitionLabels: true })
  const peer = await connect()
  const id = await topicId('orders')
  await peer.call('produce', produce('orders', id), [batchOf('a')])
  await peer.call('fetch', fetchFrom('orders', id))
  await peer.call('no-such-api')
  const families = await scrape()
  for (const [name, { labels }] of Object.entries<Metric>(metricTable)) {
    for (const sample of families.get(name)?.samples ?? []) {
      const found = Object.keys(sample.labels).filter(label => label !== 'le')
      t.same(found.sort(), [...labels].sort(), sample.name)
    }
  }
  t.equal(sumOf(families, 'sluice_log_end_offset', { topic: 'orders', partition: '0' }), 1)
})

t.test('records, batches and bytes are those that were produced and fetched', async t => {
  const { scrape, connect, topicId } = await broker(t)
  const peer = await connect()
  const ids = { orders: await topicId('orders'), payments: await topicId('payments') }
  let bytes = 0
  for (const values of [['a', 'b', 'c'], ['d'], ['e', 'f']]) {
    const batch = batchOf(...values)
    bytes += batch.byteLength
    await peer.call('produce', produce('orders', ids.orders), [batch])
  }
  const other = batchOf('x')
  peer.post('produce', produce('payments', ids.payments, 'none'), [other])
  for (let i = 0; i < 2; i++) await peer.call('fetch', fetchFrom('orders', ids.orders))
  const families = await scrape()
  const orders = { topic: 'orders' }
  t.equal(sumOf(families, 'sluice_records_produced_total', orders), 6)
  t.equal(sumOf(families, 'sluice_batches_produced_total', orders), 3)
  t.equal(sumOf(families, 'sluice_bytes_produced_total', orders), bytes)
  t.equal(sumOf(families, 'sluice_records_produced_total'), 7)
  t.equal(sumOf(families, 'sluice_bytes_produced_total'), bytes + other.byteLength)
  t.equal(sumOf(families, 'sluice_records_fetched_total'), 12, 'read twice')
  t.equal(sumOf(families, 'sluice_bytes_fetched_total', orders), 2 * bytes)
  t.equal(sumOf(families, 'sluice_request_duration_seconds_count', { api: 'produce' }), 4)
  t.equal(sumOf(families, 'sluice_request_duration_seconds_count', { api: 'fetch' }), 2)
})

t.test('request bytes are what travelled, both ways', async t => {
  const { scrape, connect } = await broker(t)
  const peer = await connect()
  const before = await scrape()
  const sentBefore = peer.sentBytes
  await peer.call('metadata', {})
  const after = await scrape()
  const out = { api: 'metadata', direction: 'out' }
  const grown =
    sumOf(after, 'sluice_request_bytes_total', out) -
    sumOf(before, 'sluice_request_bytes_total', out)
  t.equal(grown, peer.sentBytes - sentBefore)
  t.ok(sumOf(after, 'sluice_request_bytes_total', { api: 'metadata', direction: 'in' }) > 0)
})

t.test('errors are counted by api and code: of requests, of partitions, of acks none', async t => {
  const { scrape, connect, topicId } = await broker(t)
  const peer = await connect()
  const id = await topicId('orders')
  await peer.call('produce', produce('nowhere', 'x'), [batchOf('a')])
  const broken = batchOf('a')
  broken.fill(7, 61)
  await peer.call('produce', produce('orders', id), [broken])
  peer.post('produce', produce('orders', id, 'none'), [broken.slice()])
  await peer.call('produce', { ...produce('orders', id), timeoutMs: -1 }, [batchOf('a')])
  for (let i = 0; i < 50; i++) await peer.call(`api-${i}`)
  const families = await scrape()
  const errors = (api: string, code: string): number =>
    sumOf(families, 'sluice_request_errors_total', { api, code })
  t.equal(errors('produce', 'UNKNOWN_TOPIC_OR_PARTITION'), 1)
  t.equal(errors('produce', 'CORRUPT_MESSAGE'), 2)
  t.equal(errors('produce', 'INVALID_REQUEST'), 1)
  t.equal(errors('unknown', 'UNKNOWN_API'), 50)
  t.equal(sumOf(families, 'sluice_corrupt_batches_total', { where: 'request' }), 2)
  const apis = families.get('sluice_request_errors_total')?.samples.map(s => s.labels.api)
  t.same([...new Set(apis)].sort(), ['produce', 'unknown'], 'no label is made up by a peer')
})

t.test('a long poll is waiting, not work', async t => {
  const { scrape, connect, topicId, world } = await broker(t)
  const peer = await connect()
  const id = await topicId('orders')
  const waiting = peer.call('fetch', fetchFrom('orders', id, 10_000))
  world.time.advance(11_000)
  await waiting
  const families = await scrape()
  const api = { api: 'fetch' }
  t.ok(sumOf(families, 'sluice_request_queue_seconds_sum', api) >= 10)
  t.equal(sumOf(families, 'sluice_request_queue_seconds_count', api), 1)
  const lines = [...(families.get('sluice_request_duration_seconds')?.samples ?? [])]
  t.ok(lines.some(line => line.labels.api === 'fetch' && line.labels.le === '+Inf'))
})

t.test('connections, open and refused, and answers not taken', async t => {
  const { scrape, connect, topicId, logs } = await broker(t)
  const peers = [await connect(), await connect()]
  const [stalled] = peers
  if (stalled === undefined) throw new Error('no peer')
  stalled.stalled = true
  stalled.post('metadata', {})
  const families = await scrape()
  t.equal(sumOf(families, 'sluice_connections'), 2)
  t.ok(sumOf(families, 'sluice_connections_opened_total') > 2)
  t.equal(sumOf(families, 'sluice_connection_buffered_bytes'), stalled.heldBytes)
  t.ok(stalled.heldBytes > 0)
  logs.isDiskFull = true
  const id = await topicId('orders')
  t.not(id, '')
  t.equal(sumOf(await scrape(), 'sluice_broker_state', { state: 'unready' }), 1)
})

t.test('a deleted topic leaves no series, and one made anew begins at zero', async t => {
  const { scrape, connect, topicId } = await broker(t)
  const peer = await connect()
  await peer.call('produce', produce('orders', await topicId('orders')), [batchOf('a', 'b')])
  t.equal(sumOf(await scrape(), 'sluice_records_produced_total', { topic: 'orders' }), 2)
  await peer.call('delete-topics', { topics: [{ name: 'orders' }] })
  const gone = await scrape()
  const labels = gone.get('sluice_records_produced_total')?.samples.map(s => s.labels.topic)
  t.same(labels, ['payments', ''])
  await peer.call('create-topics', { topics: [{ name: 'orders' }] })
  t.equal(sumOf(await scrape(), 'sluice_records_produced_total', { topic: 'orders' }), 0)
})

t.test('without topic labels everything counts together', async t => {
  const { scrape, connect, topicId } = await broker(t, { metricsTopicLabels: '^pay' })
  const peer = await connect()
  await peer.call('produce', produce('orders', await topicId('orders')), [batchOf('a', 'b')])
  await peer.call('produce', produce('payments', await topicId('payments')), [batchOf('c')])
  const families = await scrape()
  t.equal(sumOf(families, 'sluice_records_produced_total', { topic: '' }), 2)
  t.equal(sumOf(families, 'sluice_records_produced_total', { topic: 'payments' }), 1)
  t.equal(sumOf(families, 'sluice_records_produced_total', { topic: 'orders' }), 0)
})

t.test('scrapes that come together share one page, and a page is a second old at most', async t => {
  const { world, connect } = await broker(t)
  const pages = await Promise.all(Array.from({ length: 200 }, () => world.network.http('/metrics')))
  t.equal(new Set(pages).size, 1, 'one page was made')
  const peer = await connect()
  await settled()
  t.equal(await world.network.http('/metrics'), pages[0])
  world.time.advance(1000)
  const fresh = parseExposition((await world.network.http('/metrics')).body)
  t.equal(sumOf(fresh, 'sluice_connections'), 1)
  peer.drop()
})

t.test('the parser of this test refuses what is not in the format', async t => {
  const bad = [
    'a 1\n',
    '# TYPE a counter\na -1\n',
    '# TYPE a gauge\na 1\na 1\n',
    '# TYPE a gauge\na{x="1",x="2"} 1\n',
    '# TYPE a gauge\na{x="1} 1\n',
    '# TYPE a gauge\na one\n',
    '# TYPE a gauge\nb 1\n',
    '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# TYPE a histogram\na_bucket{le="1"} 1\na_bucket{le="+Inf"} 2\na_sum 1\na_count 3\n',
    '# TYPE a gauge\na 1',
  ]
  for (const text of bad) t.throws(() => parseExposition(text), text)
  const good = '# HELP a x\n# TYPE a gauge\na{x="a\\"b\\\\"} 1\na +Inf\n'
  t.equal(parseExposition(good).get('a')?.samples.length, 2)
})

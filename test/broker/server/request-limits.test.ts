/** Limits of single requests that no other test reaches: the bytes of a fetch, partitions per api. */
import t, { type Test } from 'tap'
import { createBroker } from '../../../broker/server/broker.ts'
import { batchOf, testWorld } from '../../support/test-broker.ts'

async function start(t: Test, config: object) {
  const world = await testWorld()
  const topics = [{ name: 'orders', partitions: 2 }]
  const all = { dataDir: '/d', minFreeBytes: 0, ...config }
  const broker = await createBroker(all, world, { topics })
  t.teardown(() => broker.close())
  const peer = await world.network.connect().hello()
  const { header } = await peer.call('metadata')
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  return { peer, at: { topic: 'orders', topicId, partition: 0 } }
}

t.test('one answer holds no more than max.fetch.bytes, whatever was asked for', async t => {
  const { peer, at } = await start(t, { maxFetchBytes: 2048 })
  for (let i = 0; i < 10; i++) {
    const fields = { acks: 'all', timeoutMs: 1000, partitions: [at] }
    await peer.call('produce', fields, [batchOf('x'.repeat(400))])
  }
  const fetch = { maxWaitMs: 0, minBytes: 0, maxBytes: 1e9, isolation: 'uncommitted' }
  const entry = { ...at, offset: 0, maxBytes: 1e9 }
  const { bodies } = await peer.call('fetch', { ...fetch, partitions: [entry] })
  const size = bodies.reduce((sum, body) => sum + body.byteLength, 0)
  t.ok(size > 400 && size <= 2048, `${size} bytes`)
})

t.test('more partitions than max.partitions.per.request are refused by every api', async t => {
  const { peer, at } = await start(t, { maxPartitionsPerRequest: 3 })
  const four = (entry: object) => new Array(4).fill({ ...at, ...entry })
  const requests: [string, object, Uint8Array[]][] = [
    ['produce', { acks: 'all', timeoutMs: 1000 }, four({}).map(() => batchOf('x'))],
    ['list-offsets', {}, []],
    ['delete-records', {}, []],
  ]
  for (const [api, fields, bodies] of requests) {
    const partitions = four({ at: 'latest', before: 0 })
    const { error } = await peer.call(api, { ...fields, partitions }, bodies)
    t.match(
      error,
      { code: 'INVALID_REQUEST', message: /4 partitions in one request, limit 3/ },
      api,
    )
  }
  const { header } = await peer.call('list-offsets', { partitions: [{ ...at, at: 'latest' }] })
  t.match(header.partitions, [{ offset: 0 }], 'nothing of it was done, and all is served on')
})

t.test('a fetch that names a partition twice is refused: each name is woken by itself', async t => {
  const { peer, at } = await start(t, {})
  const fetch = { maxWaitMs: 0, minBytes: 0, maxBytes: 1e6, isolation: 'uncommitted' }
  const entry = { ...at, offset: 0, maxBytes: 1e6 }
  const { error } = await peer.call('fetch', { ...fetch, partitions: [entry, entry] })
  t.match(error, { code: 'INVALID_REQUEST', message: /more than once/ })
  const both = [entry, { ...entry, partition: 1 }]
  t.equal((await peer.call('fetch', { ...fetch, partitions: both })).error, undefined)
})

t.test('partitions above max.partitions are POLICY_VIOLATION, created or added', async t => {
  const { peer } = await start(t, { maxPartitions: 4 })
  const create = async (name: string, partitions: number) => {
    const { header } = await peer.call('create-topics', { topics: [{ name, partitions }] })
    return (header.topics as { error?: { code: string } }[])[0]?.error?.code
  }
  t.equal(await create('wide', 3), 'POLICY_VIOLATION')
  t.equal(await create('fits', 1), undefined)
  const added = await peer.call('add-partitions', { topic: 'fits', total: 3 })
  t.match(added.error, { code: 'POLICY_VIOLATION', message: /5 partitions, limit 4/ })
  t.equal((await peer.call('add-partitions', { topic: 'fits', total: 2 })).error, undefined)
  await peer.call('delete-topics', { topics: [{ name: 'fits' }] })
  t.equal(await create('again', 2), undefined, 'a deleted topic makes room')
})

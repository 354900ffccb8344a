/**
 * The fetch handler: credit, fairness, long poll, errors at once, lost tails, readers that do not
 * read.
 */
import t, { type Test } from 'tap'
import type { Answer, Peer } from '../../support/direct-network.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { batchOf, settled, startTestBroker } from '../../support/test-broker.ts'

interface Entry {
  partition: number
  error?: { code: string; message: string }
  bodies: number
  logStartOffset?: number
  highWatermark?: number
  diverging?: { epoch: number; endOffset: number }
}

async function start(t: Test, config: object = {}, partitions = 3) {
  const logs = new FakeLogs()
  const test = await startTestBroker(t, { logs, config, topics: { orders: partitions } })
  const peer = await test.connect()
  const { header } = await peer.call('metadata')
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  const fill = async (partition: number, ...values: string[]) => {
    for (const value of values) logs.named('orders', partition).appendAsLeader(batchOf(value))
    await settled()
  }
  const post = (wanted: object[], fields: object = {}, from: Peer = peer) =>
    from.post('fetch', {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1e6,
      isolation: 'uncommitted',
      partitions: wanted.map(one => ({
        topic: 'orders',
        topicId,
        partition: 0,
        offset: 0,
        maxBytes: 1e6,
        ...one,
      })),
      ...fields,
    })
  const call = (wanted: object[], fields: object = {}) => peer.answer(post(wanted, fields))
  return { ...test, peer, topicId, fill, post, call }
}

const entries = (answer: Answer | undefined) => (answer?.header.partitions ?? []) as Entry[]
const longPoll = { maxWaitMs: 1000, minBytes: 1 }

t.test('what was produced comes back byte for byte, with the positions of the log', async t => {
  const { call, fill, logs } = await start(t)
  await fill(0, 'a', 'b')
  const answer = await call([{}])
  t.match(entries(answer), [{ partition: 0, bodies: 2, logStartOffset: 0, highWatermark: 2 }])
  const read = await logs.named('orders', 0).read(0, 1e6, { isolation: 'uncommitted' })
  t.same(answer.bodies, read.bodies)
})

t.test('where an open transaction begins is told to who reads committed records', async t => {
  const { call, fill, logs } = await start(t)
  await fill(0, 'a', 'b')
  const stable = async (isolation: string) => entries(await call([{}], { isolation }))[0]
  t.notOk('lastStableOffset' in ((await stable('committed')) ?? {}), 'there is none')
  logs.named('orders', 0).openFrom = 1
  t.match(await stable('committed'), { lastStableOffset: 1, highWatermark: 2 })
  t.notOk('lastStableOffset' in ((await stable('uncommitted')) ?? {}))
})

t.test('a batch larger than the credit comes whole, and nothing after it', async t => {
  const { call, fill } = await start(t)
  await fill(0, 'x'.repeat(500))
  await fill(1, 'y'.repeat(500))
  const answer = await call([{}, { partition: 1 }], { maxBytes: 10 })
  t.equal(answer.bodies.length, 1)
  t.ok((answer.bodies[0]?.byteLength ?? 0) > 500)
})

t.test('the credit is never passed by what follows the first batch', async t => {
  const { call, fill } = await start(t)
  for (const partition of [0, 1, 2]) await fill(partition, 'x'.repeat(400))
  const answer = await call([{}, { partition: 1 }, { partition: 2 }], { maxBytes: 1100 })
  const total = answer.bodies.reduce((sum, body) => sum + body.byteLength, 0)
  t.equal(answer.bodies.length, 2)
  t.ok(total <= 1100, `${total} bytes`)
})

t.test('every partition comes first in turn', async t => {
  const { call, fill } = await start(t)
  for (const partition of [0, 1, 2]) await fill(partition, 'x'.repeat(400))
  const first = new Set<number>()
  for (let round = 0; round < 3; round++) {
    const answer = await call([{}, { partition: 1 }, { partition: 2 }], { maxBytes: 1 })
    first.add(entries(answer).find(entry => entry.bodies > 0)?.partition ?? -1)
  }
  t.same([...first].sort(), [0, 1, 2])
})

t.test('a long poll answers when there is something, at once', async t => {
  const { fill, peer, post } = await start(t)
  const id = post([{}, { partition: 1 }], longPoll)
  await settled()
  t.equal(peer.answers.get(id), undefined)
  await fill(1, 'news')
  t.match(entries(peer.answers.get(id)), [{ bodies: 0 }, { bodies: 1 }])
})

t.test('a long poll ends after maxWaitMs, empty and without an error', async t => {
  const { peer, post, world } = await start(t)
  const id = post([{}], longPoll)
  world.time.advance(999)
  await settled()
  t.equal(peer.answers.get(id), undefined)
  world.time.advance(200)
  await settled()
  t.match(entries(peer.answers.get(id)), [{ bodies: 0, error: undefined }])
})

t.test(
  'a long poll for more bytes than there are waits for the rest, over all partitions',
  async t => {
    const { fill, peer, post } = await start(t)
    await fill(0, 'x'.repeat(100))
    const id = post([{}, { partition: 1 }], { maxWaitMs: 1000, minBytes: 400 })
    await fill(0, 'x'.repeat(20))
    t.equal(peer.answers.get(id), undefined)
    await fill(1, 'x'.repeat(100))
    t.equal(entries(peer.answers.get(id))[0]?.bodies, 2)
  },
)

t.test('an error is answered at once, also beside partitions that have nothing yet', async t => {
  const { call } = await start(t)
  const answer = await call([{}, { partition: 7 }], longPoll)
  t.equal(entries(answer)[0]?.error, undefined)
  t.equal(entries(answer)[1]?.error?.code, 'UNKNOWN_TOPIC_OR_PARTITION')
})

t.test('an offset beyond either end is refused with the ends', async t => {
  const { call, fill, logs } = await start(t)
  await fill(0, 'a', 'b', 'c')
  t.match(entries(await call([{ offset: 4 }], longPoll)), [
    { error: { code: 'OFFSET_OUT_OF_RANGE' }, logStartOffset: 0, highWatermark: 3 },
  ])
  await logs.named('orders', 0).trim(2)
  t.match(entries(await call([{ offset: 1 }], longPoll)), [
    { error: { code: 'OFFSET_OUT_OF_RANGE' }, logStartOffset: 2 },
  ])
})

t.test('a trim wakes a reader that waits below the new start', async t => {
  const { fill, logs, peer, post } = await start(t)
  await fill(0, 'a')
  const id = post([{ offset: 0 }], { maxWaitMs: 1000, minBytes: 5000 })
  await logs.named('orders', 0).trim(1)
  await settled()
  t.equal(entries(peer.answers.get(id))[0]?.error?.code, 'OFFSET_OUT_OF_RANGE')
})

t.test('a topic deleted under a waiting fetch answers it, and leaves no subscription', async t => {
  const { logs, peer, post } = await start(t)
  const log = logs.named('orders', 0)
  const id = post([{}], longPoll)
  await peer.call('delete-topics', { topics: [{ name: 'orders' }] })
  await settled()
  t.equal(entries(peer.answers.get(id))[0]?.error?.code, 'UNKNOWN_TOPIC_OR_PARTITION')
  t.equal(log.listeners.size, 0)
})

t.test(
  'who read a tail that the log has lost is sent back, also where the offset exists again',
  async t => {
    const { call, fill, logs } = await start(t)
    await fill(0, 'a', 'b')
    logs.named('orders', 0).leaderEpoch = 5
    await fill(0, 'c', 'd')
    const lost = entries(await call([{ offset: 4, lastEpoch: 3 }], longPoll))
    t.match(lost, [
      { error: { code: 'OFFSET_OUT_OF_RANGE' }, diverging: { epoch: 0, endOffset: 2 }, bodies: 0 },
    ])
    t.match(entries(await call([{ offset: 3, lastEpoch: 7 }])), [
      { error: { code: 'OFFSET_OUT_OF_RANGE' }, diverging: { epoch: 5, endOffset: 3 }, bodies: 0 },
    ])
    t.match(entries(await call([{ offset: 4, lastEpoch: 5 }])), [{ error: undefined, bodies: 0 }])
    t.match(entries(await call([{ offset: 2, lastEpoch: 0 }])), [{ error: undefined, bodies: 2 }])
  },
)

t.test('a connection that closes takes its waiting fetch with it', async t => {
  const { logs, peer, post } = await start(t)
  post([{}], longPoll)
  t.equal(logs.named('orders', 0).listeners.size, 1)
  peer.drop()
  t.equal(logs.named('orders', 0).listeners.size, 0)
})

t.test('a thousand waiting fetches share a few timers', async t => {
  const { connect, post, world } = await start(t, { maxInFlightRequests: 2000 })
  const other = await connect()
  const before = world.time.waiting
  for (let i = 0; i < 1000; i++) post([{}], longPoll, other)
  t.ok(world.time.waiting - before <= 2, `${world.time.waiting - before} timers`)
  world.time.advance(1200)
  await settled()
  t.equal(other.answers.size, 1001)
})

t.test('a reader that does not take its answers gets no more of them into memory', async t => {
  const { fill, peer, post, logs } = await start(t, { maxBufferedBytes: 400_000 })
  await fill(0, ...new Array<string>(30).fill('x'.repeat(10_000)))
  let reads = 0
  const log = logs.named('orders', 0)
  const read = log.read.bind(log)
  log.read = (...given) => {
    reads++
    return read(...given)
  }
  peer.stalled = true
  const ids = Array.from({ length: 10 }, () => post([{}], { maxBytes: 60_000 }))
  await settled()
  t.ok(peer.heldBytes <= 250_000, `${peer.heldBytes} bytes are held`)
  t.ok(reads < 5, `${reads} reads`)
  peer.takeAll()
  await settled()
  t.ok(
    ids.every(id => peer.answers.has(id)),
    'once it reads, it gets everything',
  )
})

t.test('a small answer does not hold the large buffer that it was cut from', async t => {
  const { call, fill, logs } = await start(t)
  await fill(0, 'a')
  const log = logs.named('orders', 0)
  const { bodies } = await log.read(0, 1e6, { isolation: 'uncommitted' })
  const slab = new Uint8Array(1_000_000)
  slab.set(bodies[0] as Uint8Array)
  const view = slab.subarray(0, bodies[0]?.byteLength)
  log.read = () => ({ bodies: [view], sizeBytes: view.byteLength })
  const answer = await call([{}])
  t.equal(answer.bodies[0]?.buffer.byteLength, view.byteLength)
  t.same(answer.bodies[0], view)
})

t.test('reads that take time keep the order of the request', async t => {
  const { call, fill, logs } = await start(t)
  for (const partition of [0, 1, 2]) {
    await fill(partition, `value ${partition}`)
    logs.named('orders', partition).slowReads = true
  }
  const answer = await call([{ partition: 2 }, { partition: 0 }, { partition: 1 }])
  t.same(
    entries(answer).map(entry => entry.partition),
    [2, 0, 1],
  )
  const texts = answer.bodies.map(body => new TextDecoder().decode(body))
  t.match(texts, [/value 2/, /value 0/, /value 1/])
})

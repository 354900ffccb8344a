/**
 * sluice/testing over real sockets: ready at once, ordered failures, manual time, a disk that
 * outlives the broker.
 */
import t, { type Test } from 'tap'
import { startBroker, type TestBroker } from '../../../broker/testing/index.ts'
import { subprotocol } from '../../../protocol/frame.ts'
import { realClock, realTimers, realWorld } from '../../../protocol/real-world.ts'
import {
  openRequestChannel,
  type RequestChannel,
} from '../../../protocol/transport/request-channel.ts'
import { batchOf } from '../../support/test-broker.ts'

const timeoutMs = 5000

async function connect(t: Test, broker: TestBroker): Promise<RequestChannel> {
  const { network } = await realWorld()
  const channel = await openRequestChannel(
    network,
    { url: broker.url, subprotocol, maxMessageBytes: 2 ** 26, timeoutMs },
    {
      clock: realClock,
      timers: realTimers,
      maxInFlight: 10,
      maxQueued: 10,
      maxHeaderBytes: 2 ** 20,
    },
  )
  t.teardown(() => channel.close())
  await channel.request('hello', { client: { software: 'test', id: '' } }, [], { timeoutMs })
  return channel
}

async function topicId(channel: RequestChannel, name: string): Promise<string> {
  const { response } = await channel.request('metadata', { topics: [name] }, [], { timeoutMs })
  return response.topics[0]?.topicId ?? ''
}

t.test(
  'a test broker has its topics, takes records and gives them back, over a real socket',
  async t => {
    const broker = await startBroker({
      topics: { orders: 3, logs: { partitions: 1, configs: { flush: 'os' } } },
    })
    t.teardown(() => broker.close())
    const channel = await connect(t, broker)
    const { response } = await channel.request('metadata', {}, [], { timeoutMs })
    t.match(
      response.topics.map(({ name, partitions }) => [name, partitions.length]),
      [
        ['logs', 1],
        ['orders', 3],
      ],
    )
    t.equal(response.brokers[0]?.url, broker.url)
    const id = await topicId(channel, 'logs')
    const at = { topic: 'logs', topicId: id, partition: 0 }
    const produced = await channel.request(
      'produce',
      { acks: 'all', timeoutMs, partitions: [at] },
      [batchOf('hello')],
      { timeoutMs },
    )
    t.match(produced.response.partitions, [{ baseOffset: 0, reached: 'written' }])
    const fetched = await channel.request(
      'fetch',
      {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1e6,
        isolation: 'uncommitted',
        partitions: [{ ...at, offset: 0, maxBytes: 1e6 }],
      },
      [],
      { timeoutMs },
    )
    t.match(new TextDecoder().decode(fetched.bodies[0]), /hello/)
    t.equal(broker.died, null)
  },
)

t.test('ordered failures are answered as often as ordered, one order after the other', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const channel = await connect(t, broker)
  broker.fail('metadata', { code: 'NOT_LEADER_OR_FOLLOWER', times: 2 })
  broker.fail('metadata', { code: 'DISK_FULL', maybeApplied: true })
  const ask = () => channel.request('metadata', {}, [], { timeoutMs })
  await t.rejects(ask(), { code: 'NOT_LEADER_OR_FOLLOWER', maybeApplied: false })
  await t.rejects(ask(), { code: 'NOT_LEADER_OR_FOLLOWER' })
  await t.rejects(ask(), { code: 'DISK_FULL', maybeApplied: true })
  await t.resolves(ask())
  t.throws(() => broker.fail('fetch', { code: 'DISK_FUL' as 'DISK_FULL' }), {
    code: 'INVALID_ARGUMENT',
    hint: 'nearest: DISK_FULL',
  })
  t.throws(() => broker.fail('nothing' as 'fetch', { code: 'DISK_FULL' }), {
    code: 'INVALID_ARGUMENT',
  })
})

t.test('with a manual clock a long poll ends when the test says so', async t => {
  const broker = await startBroker({ topics: { orders: 1 }, clock: 'manual' })
  t.teardown(() => broker.close())
  const channel = await connect(t, broker)
  const id = await topicId(channel, 'orders')
  const before = broker.clock.wallMs()
  let answered = false
  const waiting = channel
    .request(
      'fetch',
      {
        maxWaitMs: 300_000,
        minBytes: 1,
        maxBytes: 1e6,
        isolation: 'uncommitted',
        partitions: [{ topic: 'orders', topicId: id, partition: 0, offset: 0, maxBytes: 1e6 }],
      },
      [],
      { timeoutMs },
    )
    .then(({ response }) => {
      answered = true
      return response
    })
  await channel.request('metadata', {}, [], { timeoutMs })
  t.notOk(answered)
  broker.clock.advance(310_000)
  t.match((await waiting).partitions, [{ bodies: 0 }])
  t.equal(broker.clock.wallMs(), before + 310_000)
  const real = await startBroker()
  t.throws(() => real.clock.advance(1), { code: 'INVALID_ARGUMENT', hint: /manual/ })
  await real.close()
})

t.test('a second broker on the disk of the first finds its topics', async t => {
  const first = await startBroker({ topics: { orders: 2 } })
  await t.rejects(startBroker({ disk: first.disk }), { code: 'DATA_DIR_IN_USE' })
  await first.close()
  const second = await startBroker({ disk: first.disk, topics: { orders: 2 } })
  t.teardown(() => second.close())
  t.equal(second.clusterId, first.clusterId)
  t.not(await topicId(await connect(t, second), 'orders'), '')
})

t.test('a port that is taken is refused by name, and the directory is free again', async t => {
  const first = await startBroker()
  t.teardown(() => first.close())
  const listen = first.url.replace('ws://', '')
  const second = startBroker({ config: { listen } })
  await t.rejects(second, { code: 'PORT_TAKEN' })
})

t.test('a test broker is ready in a moment, and closing it is closing it', async t => {
  await (await startBroker()).close()
  const start = realClock.monotonicMs()
  const broker = await startBroker({ topics: { orders: 3 } })
  const readyMs = realClock.monotonicMs() - start
  t.comment(`ready in ${readyMs.toFixed(1)} ms`)
  t.ok(readyMs < 1000, 'even on a busy machine')
  await broker.close()
  await broker[Symbol.asyncDispose]()
  await t.rejects(connect(t, broker), { code: 'NETWORK_ERROR' })
})

t.test('an option that does not exist is refused instead of doing nothing', async t => {
  for (const options of [{ topic: { orders: 1 } }, { clock: 'manuel' }] as object[]) {
    const started = startBroker(options).then(broker => broker.close())
    await t.rejects(started, { code: 'INVALID_ARGUMENT', message: 'startBroker: ' })
  }
})

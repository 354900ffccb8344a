/** Fetching through faults, ahead of the loop and within bounds. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { PartitionReader } from '../../../client/consumer/partition-reader.ts'
import { setUp } from '../../support/client-setup.ts'
import { wire } from '../../support/fake-broker.ts'
import type { Script } from '../../support/fake-request.ts'
import { settle } from '../../support/manual-world.ts'
import { batchOf, fill, partitionErrors } from '../../support/reading.ts'

t.test('reading goes on over cuts, restarts and retriable errors', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  fill(broker.log('a', 0), 40, 3)
  fill(broker.log('a', 1), 40, 3)
  broker.always('fetch', (request, proceed) => {
    const pick = Math.floor(world.random.fraction() * 6)
    if (pick === 0) request.end.cut()
    if (pick === 1) return { header: { error: wire('THROTTLED') } }
    if (pick === 2) return partitionErrors(request.header.partitions, 'NOT_LEADER_OR_FOLLOWER')
    return proceed()
  })
  const seen: number[][] = [[], []]
  const consumer = client.consumer({ topics: ['a'], fetchBytes: 200, stopAtEnd: true })
  const work = (async () => {
    for await (const { partition, offset } of consumer) {
      seen[partition]?.push(offset)
      if (offset === 50) broker.stop()
      if (offset === 50) broker.start()
    }
  })()
  await world.run(work)
  const all = Array.from({ length: 120 }, (_, i) => i)
  t.same(seen, [all, all])
})

t.test(
  'an error that waiting does not heal ends the loop, and the next loop tries again',
  async t => {
    const { world, broker, client } = await setUp(t)
    broker.createTopic('a')
    fill(broker.log('a'), 2)
    const consumer = client.consumer({ topics: ['a'], value: string(), fetchBytes: 1 })
    const loop = consumer[Symbol.asyncIterator]()
    const proceed: Script = (_, go) => go()
    broker.script('fetch', proceed, request =>
      partitionErrors(request.header.partitions, 'POLICY_VIOLATION'),
    )
    t.match(await world.run(loop.next()), { value: { value: '0' } }, 'what came before is shown')
    await t.rejects(world.run(loop.next()), { code: 'POLICY_VIOLATION', topic: 'a', partition: 0 })
    const again = consumer[Symbol.asyncIterator]()
    t.match(await world.run(again.next()), { value: { value: '1' } })
  },
)

t.test('a lost tail is followed: status event, position reset, nothing shown twice', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const log = broker.log('a')
  fill(log, 10)
  const events: object[] = []
  void (async () => {
    for await (const event of client.status()) if (event.type === 'truncated') events.push(event)
  })()
  const consumer = client.consumer({ topics: ['a'], value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  for (let i = 0; i < 10; i++) await world.run(loop.next())
  log.batches.length = 7
  log.epoch = 3
  log.diverging = { epoch: 0, endOffset: 7 }
  log.store(batchOf(['new 7']))
  const next = await world.run(loop.next())
  t.match(next, { value: { offset: 7, value: 'new 7' } })
  t.match(events, [{ type: 'truncated', topic: 'a', partition: 0, position: 7 }])
  log.diverging = undefined
  log.store(batchOf(['new 8']))
  t.match(await world.run(loop.next()), { value: { value: 'new 8' } })
  const asked = broker.requests.filter(({ api }) => api === 'fetch').at(-1)
  t.equal(asked?.header.partitions[0]?.lastEpoch, 3, 'each fetch says the epoch read last')
})

t.test(
  'a batch larger than a message may be is an error by name, not an endless refetch',
  async t => {
    const { world, broker, client } = await setUp(t)
    broker.createTopic('a', 2)
    fill(broker.log('a', 0), 2)
    broker.log('a', 1).store(batchOf(['x'.repeat(65 * 1024 * 1024)]))
    const consumer = client.consumer({ topics: ['a'] })
    const work = (async () => {
      for await (const _ of consumer);
    })()
    await t.rejects(world.run(work, 60_000), {
      code: 'FRAME_TOO_LARGE',
      partition: 1,
      hint: /seek/,
    })
  },
)

t.test('one fetch is ahead of the loop, so the wire works while the loop does', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 50)
  const consumer = client.consumer({ topics: ['a'], fetchBytes: 100 })
  const loop = consumer[Symbol.asyncIterator]()
  await world.run(loop.next())
  await settle(50)
  t.ok(broker.count('fetch') > 3, 'it went on fetching while nobody asked for more')
})

t.test('many consumers on one connection do not hold up anything else', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 3)
  for (let i = 0; i < 40; i++) {
    const loop = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
    void loop.next()
  }
  await settle(60)
  const started = world.nowMs
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'x' }))
  t.equal(world.nowMs, started, 'no long poll had to end first')
})

t.test('two thousand partitions are found and read in requests of legal size', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2000)
  fill(broker.log('a', 1999), 3)
  const consumer = client.consumer({ topics: ['a'], stopAtEnd: true })
  let count = 0
  const work = (async () => {
    for await (const _ of consumer) count++
  })()
  await world.run(work)
  t.equal(count, 3)
  const sizes = broker.requests.map(({ header }) => header.partitions?.length ?? 0)
  t.ok(Math.max(...sizes) <= broker.limits.maxPartitionsPerRequest, `${Math.max(...sizes)}`)
})

t.test('a record of one partition does not make all others be named again', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 1000)
  const loop = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
  const reading = loop.next()
  await settle(100)
  const named = () =>
    broker.requests.reduce((sum, { api, header }) => {
      return api === 'fetch' ? sum + (header.partitions?.length ?? 0) : sum
    }, 0)
  const before = named()
  t.equal(before, 1000, 'each is waited for once')
  fill(broker.log('a', 500), 1)
  t.match(await world.run(reading), { value: { partition: 500 } })
  await settle(100)
  t.equal(named() - before, 64, 'the fetch that it was part of is sent again')
  const sizes = broker.requests.map(({ header }) => header.maxBytes ?? 0)
  t.equal(Math.max(...sizes), 2 ** 20, 'together the answers fit the buffer')
})

t.test('what waits in the buffer does not keep the messages that it came in', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const loop = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
  const { value } = await world.run(loop.next())
  t.ok(value.value.buffer.byteLength < 200, `${value.value.buffer.byteLength} bytes are held`)
})

t.test(
  'reading many partitions to their ends looks at each a few times, not at all for each batch',
  async t => {
    const partitions = 100
    const { world, broker, client } = await setUp(t)
    broker.createTopic('a', partitions)
    for (let partition = 0; partition < partitions; partition++) fill(broker.log('a', partition), 2)
    let looks = 0
    const { get } = Object.getOwnPropertyDescriptor(PartitionReader.prototype, 'isDoubtful') ?? {}
    t.intercept(PartitionReader.prototype, 'isDoubtful', {
      configurable: true,
      get() {
        looks++
        return get?.call(this)
      },
    })
    const consumer = client.consumer({ topics: ['a'], stopAtEnd: true })
    let records = 0
    const work = (async () => {
      for await (const batch of consumer.batches()) records += batch.count
    })()
    await world.run(work)
    t.equal(records, 2 * partitions)
    t.ok(looks < 20 * partitions, `${looks} looks at ${partitions} partitions`)
  },
)

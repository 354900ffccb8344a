/** Admin calls: what they answer, what they retry, what they never repeat. */
import t from 'tap'
import { setUp } from '../../support/client-setup.ts'
import { wire } from '../../support/fake-broker.ts'
import { settle } from '../../support/manual-world.ts'
import { batchOf } from '../../support/reading.ts'

t.test('topics are created, listed, and deleted, and errors have their names', async t => {
  const { world, client } = await setUp(t)
  const { topics } = client.admin
  const created = await world.run(topics.create({ name: 'b', partitions: 3 }))
  t.match(created, { name: 'b', partitions: 3, replicationFactor: 1 })
  await world.run(topics.create({ name: 'a' }))
  await t.rejects(world.run(topics.create({ name: 'a' })), { code: 'TOPIC_ALREADY_EXISTS' })
  const listed = await world.run(topics.list())
  t.same(listed.map(({ name, partitions }) => `${name}:${partitions}`).sort(), ['a:1', 'b:3'])
  await world.run(topics.delete('a'))
  await t.rejects(world.run(topics.delete('a')), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  t.match(await world.run(client.admin.describeCluster()), {
    clusterId: 'cluster-1',
    controllerId: 1,
    brokers: [{ id: 1 }],
  })
})

t.test('a topic made anew by this client is written to at once', async t => {
  const { world, client } = await setUp(t)
  const topic = client.topic('a')
  const value = new Uint8Array(1)
  await t.rejects(world.run(topic.send({ value })), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  await world.run(client.admin.topics.create({ name: 'a' }))
  t.equal((await world.run(topic.send({ value }))).offset, 0)
})

t.test('questions are asked again, over errors and cuts, until the deadline', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  broker.script(
    'metadata',
    () => ({ header: { error: wire('THROTTLED') } }),
    request => {
      request.end.cut()
      return undefined
    },
  )
  t.equal((await world.run(client.admin.topics.list())).length, 1)
  broker.always('metadata', () => undefined)
  const started = world.nowMs
  await t.rejects(world.run(client.admin.topics.list({ timeoutMs: 2000 })), {
    code: /REQUEST_TIMED_OUT|NETWORK_ERROR/,
  })
  t.ok(world.nowMs - started <= 2000)
  const abort = new AbortController()
  const aborted = client.admin.topics.list({ signal: abort.signal })
  await settle()
  abort.abort()
  await t.rejects(world.run(aborted), { code: 'ABORTED' })
})

t.test('a change whose outcome is unknown is not repeated and says so', async t => {
  const { world, broker, client } = await setUp(t)
  broker.script('create-topics', async (request, proceed) => {
    await proceed()
    request.end.cut()
    return undefined
  })
  await t.rejects(world.run(client.admin.topics.create({ name: 'a' })), {
    code: 'NETWORK_ERROR',
    maybeApplied: true,
  })
  t.equal(broker.count('create-topics'), 1)
  broker.script('create-topics', () => ({ header: { error: wire('DISK_FULL') } }))
  await world.run(client.admin.topics.create({ name: 'b' }))
  t.equal(broker.count('create-topics'), 3, 'a definite refusal may be tried again')
})

t.test('offsets come from the leaders, null where no record is that late', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  broker.log('a', 1).store(batchOf(['x', 'y']))
  broker.script('list-offsets', ({ header }) => ({
    header: {
      partitions: header.partitions.map(({ partition }) => ({
        partition,
        error: wire('NOT_LEADER_OR_FOLLOWER'),
      })),
    },
  }))
  const answers = await world.run(
    client.admin.offsets([
      { topic: 'a', partition: 0, at: 'latest' },
      { topic: 'a', partition: 1, at: 'latest' },
      { topic: 'a', partition: 1, at: 'timestamp', timestamp: 10 ** 12 },
    ]),
  )
  t.same(
    answers.map(({ offset }) => offset),
    [0, 2, null],
  )
  const unknown = client.admin.offsets([{ topic: 'nope', partition: 0, at: 'latest' }])
  await t.rejects(world.run(unknown), { code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  const range = client.admin.offsets([{ topic: 'a', partition: 7, at: 'latest' }])
  await t.rejects(world.run(range), { code: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 7 })
  const untimed = client.admin.offsets([{ topic: 'a', partition: 0, at: 'timestamp' }])
  await t.rejects(world.run(untimed), { code: 'INVALID_ARGUMENT' })
})

t.test('trim answers the new log start', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  broker.log('a').store(batchOf(['x', 'y', 'z']))
  t.equal(await world.run(client.admin.topics.trim('a', 0, 2)), 2)
  t.equal(await world.run(client.admin.topics.trim('a', 0, -1)), 3)
  await t.rejects(world.run(client.admin.topics.trim('a', 0, 1.5)), { code: 'INVALID_ARGUMENT' })
})

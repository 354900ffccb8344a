/** Retries: what happens to batches when answers fail, get lost or come from elsewhere. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import type { RecordAck } from '../../../client/types/producing.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { FakeBroker, wire } from '../../support/fake-broker.ts'
import type { Script } from '../../support/fake-request.ts'
import { settle } from '../../support/manual-world.ts'
import { applyAndCut, cut, range, refuse, silence, stampOf } from '../../support/produce-scripts.ts'

t.test('an answer lost after the append is asked for again and gives the same offset', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.script('produce', applyAndCut)
  const ack = await world.run(topic.send({ value: '1' }))
  t.equal(ack.offset, 1)
  t.same(broker.log('a').values(world.compression), ['0', '1'])
  const produced = broker.requests.filter(({ api }) => api === 'produce')
  t.equal(stampOf(produced[1]), stampOf(produced[2]), 'under the same id, epoch and sequence')
})

t.test('pipelined batches keep their order over a cut at every place', async t => {
  for (const [name, script] of Object.entries({ cut, applyAndCut, disk: refuse('DISK_FULL') })) {
    for (let at = 0; at < 6; at++) {
      const { world, broker, client } = await setUp(t, { producer: { batchBytes: 1000 } })
      broker.createTopic('a')
      const topic = client.topic('a', { value: string() })
      const proceed: Script = (_, go) => go()
      broker.script('produce', ...Array.from({ length: at }, () => proceed), script)
      const sends = range(100).map(i => topic.send({ value: i.padEnd(90) }))
      const acks = await world.run(Promise.all(sends))
      const values = broker
        .log('a')
        .values(world.compression)
        .map(value => value.trim())
      t.same(values, range(100), `${name} at request ${at}: each once, in order`)
      t.same(
        acks.map(ack => ack.offset),
        range(100).map(Number),
      )
    }
  }
})

t.test('a broker that restarts is invisible within the delivery timeout', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.stop()
  const sent = topic.send({ value: '1' })
  await world.advance(5000)
  broker.start()
  t.equal((await world.run(sent)).offset, 1)
})

t.test(
  'the delivery timeout is the only limit, and says whether it may have been applied',
  async t => {
    const { world, broker, client } = await setUp(t, { producer: { deliveryTimeoutMs: 8000 } })
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    await world.run(topic.send({ value: '0' }))
    const started = world.nowMs
    broker.stop()
    const unsent = topic.send({ value: '1' })
    await t.rejects(world.run(unsent), {
      code: 'DELIVERY_TIMEOUT',
      maybeApplied: false,
      cause: { code: 'NETWORK_ERROR' },
    })
    t.equal(world.nowMs - started, 8000)
    broker.start()
    broker.always('produce', silence)
    const unanswered = topic.send({ value: '2' })
    await t.rejects(world.run(unanswered), { code: 'DELIVERY_TIMEOUT', maybeApplied: true })
    broker.always('produce', (_, proceed) => proceed())
    const next = await world.run(topic.send({ value: '3' }))
    t.same(broker.log('a').values(world.compression), ['0', '3'], 'goes on under a new epoch')
    t.equal(next.offset, 1)
  },
)

t.test('retriable refusals are tried again with growing pauses', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  const started = world.nowMs
  broker.script('produce', ...Array.from({ length: 6 }, () => refuse('DISK_FULL')))
  broker.script('produce', refuse('THROTTLED', { retryAfterMs: 3000 }))
  t.equal((await world.run(topic.send({ value: '1' }))).offset, 1)
  t.ok(world.nowMs - started >= 3000 && world.nowMs - started < 6000)
})

t.test('one bad batch does not fail its neighbours in the same request', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 3)
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'w', partition: 0 }))
  broker.script('produce', async (_, proceed) => {
    const answer = await proceed()
    const list = answer.header['partitions'] as { error?: unknown }[]
    list[1] = { ...list[1], error: wire('INVALID_RECORD') }
    return answer
  })
  const results = await world.run(
    Promise.allSettled([0, 1, 2].map(partition => topic.send({ value: 'x', partition }))),
  )
  t.same(
    results.map(result => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

t.test('a silent connection is dropped at the deadline and dialled anew', async t => {
  const { world, broker, client } = await setUp(t, { requestTimeoutMs: 3000 })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  const end = broker.ends[0]
  if (end !== undefined) end.isBlackHole = true
  if (end?.other !== undefined) end.other.isBlackHole = true
  const dials = world.network.dials
  const started = world.nowMs
  t.equal((await world.run(topic.send({ value: '1' }))).offset, 1)
  t.ok(world.nowMs - started < 4000)
  t.equal(world.network.dials, dials + 1)
  t.same(broker.log('a').values(world.compression), ['0', '1'])
})

t.test('a recreated topic gets nothing that was sealed for the old one', async t => {
  const { world, broker, client } = await setUp(t)
  const old = broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.createTopic('a')
  const sealed = topic.send({ value: '1' })
  await t.rejects(world.run(sealed), { code: 'UNKNOWN_TOPIC_ID', maybeApplied: false })
  await settle()
  t.equal((await world.run(topic.send({ value: '2' }))).offset, 0)
  t.same(broker.log('a').values(world.compression), ['2'])
  t.equal(old.logs[0]?.end, 1)
})

t.test('a partition that moves to another broker is followed, in order', async t => {
  const { world, broker, client } = await setUp(t, { producer: { batchBytes: 1000 } })
  broker.createTopic('a')
  const second = new FakeBroker(world, { id: 2, topics: broker.topics })
  let leader = 1
  for (const one of [broker, second]) {
    one.peers = [broker, second]
    one.leaderOf = () => leader
  }
  const topic = client.topic('a', { value: string() })
  const acks: Promise<RecordAck>[] = []
  for (let round = 0; round < 10; round++) {
    leader = (round % 2) + 1
    for (let i = 0; i < 30; i++) acks.push(topic.send({ value: `${acks.length}`.padEnd(90) }))
    await settle(2)
  }
  await world.run(Promise.all(acks))
  const values = broker
    .log('a')
    .values(world.compression)
    .map(value => value.trim())
  t.same(values, range(300))
  t.ok(second.count('produce') > 0)
})

t.test('a partition without a leader waits for one', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  let leader = -1
  broker.leaderOf = () => leader
  const sent = client.topic('a', { value: string() }).send({ value: '0' })
  await world.advance(2000)
  const asked = broker.count('metadata')
  t.ok(asked > 3 && asked < 60, `asked ${asked} times in two seconds`)
  leader = 1
  t.equal((await world.run(sent)).offset, 0)
})

t.test(
  'random faults: every record at most once, every acked one exactly once, in order',
  async t => {
    for (let seed = 1; seed <= 40; seed++) {
      const { world, broker, client } = await setUp(t, { producer: { batchBytes: 700 } })
      for (let i = 0; i < seed; i++) world.random.fraction()
      broker.createTopic('a', 2)
      const topic = client.topic('a', { value: string() })
      const faults: Script[] = [
        cut,
        applyAndCut,
        refuse('DISK_FULL'),
        refuse('NOT_LEADER_OR_FOLLOWER'),
      ]
      broker.always('produce', (request, proceed) => {
        const pick = Math.floor(world.random.fraction() * 8)
        return faults[pick]?.(request, proceed) ?? proceed()
      })
      const sends: Promise<RecordAck>[] = []
      for (let i = 0; i < 120; i++) {
        sends.push(topic.send({ value: `${i}`.padEnd(60), partition: i % 2 }))
        if (i % 17 === 0) await settle(1)
      }
      const results = await world.run(Promise.allSettled(sends))
      const logs = [0, 1].map(partition =>
        broker.log('a', partition).values(world.compression).map(Number),
      )
      const inOrder = logs.map(log => [...new Set(log)].sort((a, b) => a - b))
      t.same(logs, inOrder, `seed ${seed}: once and in order`)
      const astray = results.flatMap((result, i) => {
        if (result.status !== 'fulfilled') return [`${i} failed`]
        const { partition, offset } = result.value
        return logs[partition]?.[offset] === i ? [] : [`${i} is not at ${partition}/${offset}`]
      })
      t.same(astray, [], `seed ${seed}: every record lies at its offset`)
    }
  },
)

t.test('nothing goes to a new leader before the old one has answered', async t => {
  const { world, broker, client } = await setUp(t, { metadataMaxAgeMs: 100 })
  broker.createTopic('a')
  const second = new FakeBroker(world, { id: 2, topics: broker.topics })
  let leader = 1
  for (const one of [broker, second]) {
    one.peers = [broker, second]
    one.leaderOf = () => leader
  }
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  const { opened, open } = gate()
  broker.script('produce', async (_, proceed) => {
    await opened
    return proceed()
  })
  const first = topic.send({ value: '1' })
  await settle()
  leader = 2
  await world.advance(300)
  const large = topic.send({ value: 'x'.repeat(2_000_000) })
  const next = topic.send({ value: '2' })
  await settle(50)
  t.equal(second.count('produce'), 0, 'full batches wait as well')
  open()
  await world.run(Promise.all([first, large, next]))
  const values = broker
    .log('a')
    .values(world.compression)
    .map(value => value.slice(0, 1))
  t.same(values, ['0', '1', 'x', '2'])
})

/** Retries and idempotence: what happens to batches when answers fail, get lost, or say that state was lost. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import type { RecordAck } from '../../../client/types/producing.ts'
import { readBatchHeader } from '../../../protocol/records/batch-header.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { type FakeAnswer, type FakeRequest, type Script, wire } from '../../support/fake-broker.ts'
import { settle } from '../../support/manual-world.ts'

const range = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)

/** Answers every partition of a produce request with one error. */
const refuse =
  (code: Parameters<typeof wire>[0], details = {}): Script =>
  request =>
    partitionError(request, code, details)

function partitionError(
  { header }: FakeRequest,
  code: Parameters<typeof wire>[0],
  details = {},
): FakeAnswer {
  const partitions = header.partitions.map((entry: { partition: number; topicId: string }) => ({
    partition: entry.partition,
    topicId: entry.topicId,
    error: wire(code, details),
  }))
  return { header: { partitions } }
}

const applyAndCut: Script = async (request, proceed) => {
  await proceed()
  request.end.cut()
  return undefined
}
const cut: Script = async request => {
  request.end.cut()
  return undefined
}
const silence: Script = () => undefined

const stampOf = (request: FakeRequest | undefined): string => {
  const { producerId, producerEpoch, baseSequence } = readBatchHeader(
    request?.bodies[0] ?? new Uint8Array(0),
  )
  return `${producerId}/${producerEpoch}/${baseSequence}`
}

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

t.test(
  'after lost state what was written rejects, and what was not goes on under a new epoch',
  async t => {
    for (const code of [
      'UNKNOWN_PRODUCER_ID',
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      'INVALID_PRODUCER_EPOCH',
    ] as const) {
      const { world, broker, client } = await setUp(t)
      broker.createTopic('a')
      const topic = client.topic('a', { value: string() })
      await world.run(topic.send({ value: '0' }))
      const { opened, open } = gate()
      // Applied, the answer lost; then the broker forgets the producer.
      broker.script('produce', async (request, proceed) => {
        await proceed()
        await opened
        request.end.cut()
        return undefined
      })
      broker.script('produce', refuse(code))
      const written = topic.send({ value: '1' })
      await settle()
      const waiting = topic.send({ value: '2' })
      open()
      await t.rejects(world.run(written), { code, maybeApplied: true })
      t.equal((await world.run(waiting)).offset, 2, 'the never-written one arrives')
      t.same(broker.log('a').values(world.compression), ['0', '1', '2'], 'nothing twice')
      const [first, last] = [
        broker.requests.find(({ api }) => api === 'produce'),
        broker.requests.at(-1),
      ]
      t.equal(stampOf(last), stampOf(first).replace('/0/0', '/1/0'), 'epoch 1, sequence 0')
    }
  },
)

t.test('a refusal of the first sending proves that nothing was applied', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: '0' }))
  broker.log('a').producers.clear()
  const sent = topic.send({ value: '1' })
  await t.rejects(world.run(sent), { code: 'UNKNOWN_PRODUCER_ID', maybeApplied: false })
  t.equal((await world.run(topic.send({ value: '2' }))).offset, 1)
})

t.test('after epoch 32767 a new producer id is taken', async t => {
  const { PartitionSequences } = await import('../../../client/producer/partition-sequences.ts')
  const { world } = await setUp(t)
  const sequences = new PartitionSequences(7, world.random)
  const epochs: number[] = []
  for (let epoch = 0; epoch <= 32_767; epoch++) {
    const { producerId, producerEpoch, baseSequence } = sequences.peek()
    if (producerId === 7 && baseSequence === 0) epochs.push(producerEpoch)
    sequences.stale = true
  }
  t.equal(epochs.length, 32_768)
  t.ok(epochs.every((epoch, i) => epoch === i))
  const next = sequences.peek()
  t.not(next.producerId, 7)
  t.ok(next.producerId >= 0 && next.producerId < 2 ** 52)
  t.equal(next.producerEpoch, 0)
})

t.test('sequences wrap from 2^31 - 1 to 0', async t => {
  const { PartitionSequences } = await import('../../../client/producer/partition-sequences.ts')
  const { world } = await setUp(t)
  const sequences = new PartitionSequences(7, world.random)
  sequences.advance(2 ** 31 - 3)
  t.equal(sequences.peek().baseSequence, 2 ** 31 - 3)
  sequences.advance(3)
  t.equal(sequences.peek().baseSequence, 0)
  sequences.advance(2 ** 31 - 1)
  sequences.advance(4)
  t.equal(sequences.peek().baseSequence, 3)
})

t.test('a batch stored long ago is a success whose offset nobody knows', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  broker.script('produce', refuse('DUPLICATE_SEQUENCE_NUMBER'))
  t.equal((await world.run(topic.send({ value: '0' }))).offset, -1)
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

t.test('without idempotence an unknown outcome rejects and is never sent again', async t => {
  for (const script of [cut, applyAndCut, silence]) {
    const { world, broker, client } = await setUp(t, { producer: { idempotent: false } })
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    await world.run(topic.send({ value: '0' }))
    broker.script('produce', script)
    const sent = topic.send({ value: '1' })
    await t.rejects(world.run(sent), {
      code: /NETWORK_ERROR|REQUEST_TIMED_OUT/,
      maybeApplied: true,
    })
    await world.advance(60_000)
    t.equal(broker.count('produce'), 2, 'not sent again')
    await world.run(topic.send({ value: '2' }))
  }
})

t.test(
  'without idempotence a definite refusal is tried again, if nothing else is in flight',
  async t => {
    const producer = { idempotent: false, batchBytes: 1000 }
    const { world, broker, client } = await setUp(t, { producer })
    broker.createTopic('a')
    const topic = client.topic('a', { value: string() })
    broker.script('produce', refuse('DISK_FULL'))
    t.equal((await world.run(topic.send({ value: '0' }))).offset, 0)
    broker.script('produce', refuse('DISK_FULL'))
    const sends = range(40).map(i => topic.send({ value: i.padEnd(90) }))
    const results = await world.run(Promise.allSettled(sends))
    const refused = results.filter(result => result.status === 'rejected')
    t.ok(refused.length > 0, 'with others in flight behind it, order would break')
    t.match(refused[0], { reason: { code: 'DISK_FULL', maybeApplied: false } })
    const landed = results.filter(result => result.status === 'fulfilled')
    const values = broker.log('a').values(world.compression)
    t.equal(values.length, landed.length + 1)
    t.same(
      values.slice(1).map(Number),
      values
        .slice(1)
        .map(Number)
        .sort((a, b) => a - b),
    )
  },
)

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
  const { FakeBroker } = await import('../../support/fake-broker.ts')
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
      for (const partition of [0, 1]) {
        const log = broker.log('a', partition).values(world.compression).map(Number)
        t.same(
          log,
          [...new Set(log)].sort((a, b) => a - b),
          `seed ${seed}: once and in order`,
        )
        results.forEach((result, i) => {
          if (i % 2 !== partition || result.status !== 'fulfilled') return
          t.equal(log[result.value.offset], i, `seed ${seed}: record ${i} lies at its offset`)
        })
      }
      t.ok(
        results.every(result => result.status === 'fulfilled'),
        `seed ${seed}: all delivered`,
      )
    }
  },
)

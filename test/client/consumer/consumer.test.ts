/** Reading: start positions, ends, gaps, faults, pause and seek, transactions, codecs, the buffer's bounds. */
import t from 'tap'
import { json, string } from '../../../client/codecs/codecs.ts'
import type { Client } from '../../../client/types/client.ts'
import type { ReceivedRecord } from '../../../client/types/consuming.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import { patchBatch } from '../../../protocol/records/batch-header.ts'
import { buildControlBatch } from '../../../protocol/records/control-record.ts'
import { setUp } from '../../support/client-setup.ts'
import { type FakeAnswer, type Script, wire } from '../../support/fake-broker.ts'
import type { FakeLog } from '../../support/fake-log.ts'
import { settle } from '../../support/manual-world.ts'

const encoder = new TextEncoder()

/** A batch of text values; `producerId` makes it one of a transaction. */
function batchOf(values: readonly string[], producerId = -1): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 2 ** 26 })
  values.forEach((value, i) => {
    builder.append({ timestamp: 1000 + i, key: null, value: encoder.encode(value) })
  })
  const inTransaction = producerId >= 0
  return builder.build({
    codec: 'none',
    producerId,
    producerEpoch: inTransaction ? 0 : -1,
    baseSequence: inTransaction ? 0 : -1,
    isTransactional: inTransaction,
  })
}

/** `count` batches of `size` records whose values are their offsets. */
function fill(log: FakeLog, count: number, size = 1): void {
  for (let i = 0; i < count; i++) {
    log.store(batchOf(Array.from({ length: size }, (_, j) => `${log.end + j}`)))
  }
}

async function readAll(
  { client }: { client: Client },
  options: Parameters<Client['consumer']>[0],
): Promise<ReceivedRecord<Uint8Array, string>[]> {
  const seen: ReceivedRecord<Uint8Array, string>[] = []
  const all = { stopAtEnd: true, ...options, value: string() } as object
  for await (const record of client.consumer<Uint8Array, string>(all)) seen.push(record)
  return seen
}
const valuesOf = (records: readonly { value: unknown }[]): unknown[] => records.map(r => r.value)
const offsetsOf = (records: readonly { offset: number }[]): number[] => records.map(r => r.offset)

t.test('each start position begins where it says', async t => {
  const setup = await setUp(t)
  const { world, broker } = setup
  broker.createTopic('a')
  fill(broker.log('a'), 10)
  const read = async (start: object | string): Promise<number[]> =>
    offsetsOf(await world.run(readAll(setup, { topics: ['a'], start: start as never })))
  t.same(await read('earliest'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.same(await read('latest'), [])
  t.same(await read({ offset: 7 }), [7, 8, 9])
  t.same(await read({ last: 3 }), [7, 8, 9])
  t.same(await read({ last: 300 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.same(await read({ last: 0 }), [])
  t.same(await read({ timestamp: 5000 }), [], 'later than everything: the end')
  t.equal((await read({ timestamp: 900 })).length, 10)
  for (const start of ['middle', { offset: -1 }, { offset: 1.5 }, {}, { last: 1, offset: 2 }]) {
    await t.rejects(read(start), { code: 'INVALID_ARGUMENT' })
  }
})

t.test('records below the asked offset are dropped, and the batch view says so', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 2, 5)
  const consumer = client.consumer({ topics: ['a'], start: { offset: 3 }, stopAtEnd: true })
  const views: object[] = []
  const work = (async () => {
    for await (const { firstOffset, nextOffset, count, lag, ...batch } of consumer.batches()) {
      void batch
      views.push({ firstOffset, nextOffset, count, lag })
    }
  })()
  await world.run(work)
  t.same(views, [
    { firstOffset: 3, nextOffset: 5, count: 2, lag: 5 },
    { firstOffset: 5, nextOffset: 10, count: 5, lag: 0 },
  ])
})

t.test('stopAtEnd stops at the end that was there, inside a batch if need be', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  fill(broker.log('a', 0), 3)
  const consumer = client.consumer({ topics: ['a'], stopAtEnd: true, value: string() })
  const seen: number[] = []
  const work = (async () => {
    for await (const record of consumer) {
      if (seen.length === 0) fill(broker.log('a', 0), 3)
      seen.push(record.offset)
    }
  })()
  await world.run(work)
  t.same(seen, [0, 1, 2])
})

t.test('a reader at the end gets new records without a timer', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const loop = client.consumer({ topics: ['a'], value: string() })[Symbol.asyncIterator]()
  const next = loop.next()
  await settle()
  const started = world.nowMs
  fill(broker.log('a'), 1)
  t.match(await world.run(next), { value: { value: '0' }, done: false })
  t.equal(world.nowMs, started)
})

t.test('leaving a loop keeps the place; only one loop at a time', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 2, 5)
  const consumer = client.consumer({ topics: ['a'], value: string(), stopAtEnd: true })
  const firstPass: number[] = []
  const work = (async () => {
    for await (const { offset } of consumer) {
      t.throws(() => consumer[Symbol.asyncIterator](), { code: 'INVALID_ARGUMENT' })
      firstPass.push(offset)
      if (offset === 2) break
    }
  })()
  await world.run(work)
  t.same(consumer.positions(), [{ topic: 'a', partition: 0, offset: 3, lag: 7 }])
  const rest: number[] = []
  const more = (async () => {
    for await (const { offset } of consumer) rest.push(offset)
  })()
  await world.run(more)
  t.same(
    [firstPass, rest],
    [
      [0, 1, 2],
      [3, 4, 5, 6, 7, 8, 9],
    ],
  )
})

t.test('close ends a waiting loop; its signal too; the signal of batches() throws', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const abort = new AbortController()
  for (const end of ['close', 'consumer signal', 'client'] as const) {
    const consumer = client.consumer({ topics: ['a'], signal: abort.signal })
    const next = consumer[Symbol.asyncIterator]().next()
    await settle()
    if (end === 'close') await consumer.close()
    else if (end === 'consumer signal') {
      const other = new AbortController()
      const own = client.consumer({ topics: ['a'], signal: other.signal })
      const waiting = own[Symbol.asyncIterator]().next()
      await settle()
      other.abort()
      t.match(await world.run(waiting), { done: true })
      continue
    } else await world.run(client.close())
    t.match(await world.run(next), { done: true }, end)
    if (end !== 'client') await t.rejects(consumer.seek('a', 0, 'earliest'), { code: 'CLOSED' })
  }
  const fresh = await setUp(t)
  fresh.broker.createTopic('a')
  const batches = fresh.client.consumer({ topics: ['a'] }).batches({ signal: abort.signal })
  const waiting = batches[Symbol.asyncIterator]().next()
  await settle()
  abort.abort()
  await t.rejects(fresh.world.run(waiting), { code: 'ABORTED' })
})

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

function partitionErrors(
  asked: { partition: number; topicId: string }[],
  code: Parameters<typeof wire>[0],
): FakeAnswer {
  const partitions = asked.map(({ partition, topicId }) => ({
    partition,
    topicId,
    bodies: 0,
    error: wire(code),
  }))
  return { header: { partitions } }
}

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

t.test('below the log start: error, earliest or latest, as noOffset says', async t => {
  const setup = await setUp(t)
  const { world, broker } = setup
  broker.createTopic('a')
  const log = broker.log('a')
  fill(log, 10)
  log.logStart = 6
  const options = { topics: ['a'], start: { offset: 2 } }
  const failed = readAll(setup, options)
  await t.rejects(world.run(failed), { code: 'OFFSET_OUT_OF_RANGE', hint: /noOffset/ })
  const read = async (noOffset: 'earliest' | 'latest') =>
    offsetsOf(await world.run(readAll(setup, { ...options, noOffset })))
  t.same(await read('earliest'), [6, 7, 8, 9])
  t.same(await read('latest'), [])
})

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
  t.equal(asked?.header.partitions[0].lastEpoch, 3, 'each fetch says the epoch read last')
})

t.test('a damaged batch is fetched again, and is an error when it stays damaged', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 3)
  const damage: Script = async (_, proceed) => {
    const answer = await proceed()
    const bodies = (answer.bodies ?? []).map(body => {
      const bad = Uint8Array.from(body)
      bad[70] = (bad[70] ?? 0) ^ 0xff
      return bad
    })
    return { ...answer, bodies }
  }
  broker.script('fetch', damage, damage)
  const loop = client.consumer({ topics: ['a'], value: string() })[Symbol.asyncIterator]()
  t.match(await world.run(loop.next()), { value: { value: '0' } })
  broker.always('fetch', damage)
  const second = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
  await t.rejects(world.run(second.next()), { code: 'CORRUPT_MESSAGE', partition: 0 })
})

t.test(
  'a hole inside one body, offsets that go back or a falling epoch are never shown',
  async t => {
    const { answerBatches } = await import('../../../client/consumer/answer-batches.ts')
    const { world } = await setUp(t)
    const at = (offset: number, epoch = 0): Uint8Array => {
      const bytes = batchOf(['x', 'y'])
      patchBatch(bytes, offset, epoch)
      return bytes
    }
    const answer = { topicId: 't', partition: 0, bodies: 1 }
    const check = (bodies: Uint8Array[], offset = 10, lastEpoch?: number) =>
      answerBatches(answer, bodies, {
        offset,
        lastEpoch,
        checkCrc: true,
        compression: world.compression,
      }).map(({ from, next }) => [from, next])
    t.same(check([Buffer.concat([at(10), at(12)])]), [
      [10, 12],
      [12, 14],
    ])
    t.same(check([at(9)]), [[10, 11]], 'begins below what was asked')
    t.same(check([at(20)]), [[20, 22]], 'trimmed or compacted away before it')
    t.same(
      check([at(10), at(30)]),
      [
        [10, 12],
        [30, 32],
      ],
      'a gap between bodies',
    )
    const corrupt = { code: 'CORRUPT_MESSAGE' }
    t.throws(() => check([Buffer.concat([at(10), at(13)])]), corrupt, 'hole')
    t.throws(() => check([Buffer.concat([at(10), at(10)])]), corrupt, 'twice')
    t.throws(() => check([at(4)]), corrupt, 'wholly below')
    t.throws(() => check([at(10, 5), at(12, 4)]), corrupt, 'epoch falls')
    t.throws(() => check([at(10, 5)], 10, 6), corrupt, 'epoch below the last one read')
    t.throws(() => check([at(10).subarray(0, 60)]), corrupt, 'cut off')
  },
)

t.test(
  'markers are hidden, aborted transactions too, and uncommitted shows their records',
  async t => {
    const setup = await setUp(t)
    const { world, broker } = setup
    broker.createTopic('a')
    const log = broker.log('a')
    const marker = (type: 'abort' | 'commit', producerId: number): Uint8Array =>
      buildControlBatch({ type, coordinatorEpoch: 0, timestamp: 1, producerId, producerEpoch: 0 })
    log.store(batchOf(['gone 0', 'gone 1'], 5))
    log.store(batchOf(['kept 2'], 6))
    log.store(batchOf(['plain 3']))
    log.store(marker('abort', 5))
    log.store(batchOf(['kept 5'], 5))
    log.store(marker('commit', 5))
    log.store(marker('commit', 6))
    log.aborted = [{ producerId: 5, firstOffset: 0 }]
    const committed = await world.run(readAll(setup, { topics: ['a'] }))
    t.same(valuesOf(committed), ['kept 2', 'plain 3', 'kept 5'])
    log.aborted = []
    const all = await world.run(readAll(setup, { topics: ['a'], isolation: 'uncommitted' }))
    t.same(offsetsOf(all), [0, 1, 2, 3, 5])
  },
)

t.test('a slow or paused partition never stops the others, and buffers stay bounded', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  for (const partition of [0, 1]) {
    for (let i = 0; i < 100; i++) broker.log('a', partition).store(batchOf(['x'.repeat(900)]))
  }
  const consumer = client.consumer({ topics: ['a'], bufferBytes: 10_000, fetchBytes: 5000 })
  const loop = consumer[Symbol.asyncIterator]()
  await world.run(loop.next())
  consumer.pause([{ topic: 'a', partition: 0 }])
  const seen: number[] = []
  for (let i = 0; i < 90; i++) {
    const { value } = await world.run(loop.next())
    t.equal(value.partition, 1)
    seen.push(value.offset)
  }
  await settle(50)
  const fetched = broker.requests
    .filter(({ api }) => api === 'fetch')
    .flatMap(({ header }) => header.partitions)
    .filter(({ partition }: { partition: number }) => partition === 0)
  const highest = Math.max(...fetched.map(({ offset }: { offset: number }) => offset))
  t.ok(highest <= 12, `partition 0 was read ahead to ${highest} only`)
  consumer.resume()
  const { value } = await world.run(loop.next())
  t.ok(value.partition === 0 || value.partition === 1)
  consumer.pause()
  let more = false
  void loop.next().then(() => {
    more = true
  })
  await settle()
  t.equal(more, false, 'with everything paused the loop waits')
  consumer.resume()
  await settle()
  t.equal(more, true)
})

t.test('seek moves the loop at once, whatever was fetched ahead', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 5, 10)
  const consumer = client.consumer({ topics: ['a'], value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) await world.run(loop.next())
  await world.run(consumer.seek('a', 0, { offset: 44 }))
  t.match(await world.run(loop.next()), { value: { offset: 44 } })
  await world.run(consumer.seek('a', 0, 'earliest'))
  t.match(await world.run(loop.next()), { value: { offset: 0 } })
  await world.run(consumer.seek('a', 0, { last: 1 }))
  t.match(await world.run(loop.next()), { value: { offset: 49 } })
  await t.rejects(world.run(consumer.seek('a', 3, 'latest')), { code: 'INVALID_ARGUMENT' })
  const fresh = client.consumer({ topics: ['a'] })
  await world.run(fresh.seek('a', 0, { offset: 20 }))
  t.match(await world.run(fresh[Symbol.asyncIterator]().next()), { value: { offset: 20 } })
})

t.test('new partitions are noticed within 30 s and read from their first record', async t => {
  const { world, broker, client } = await setUp(t)
  const topic = broker.createTopic('a')
  const consumer = client.consumer({ topics: ['a'], start: 'latest', value: string() })
  const loop = consumer[Symbol.asyncIterator]()
  const next = loop.next()
  await world.advance(1000)
  const { FakeLog } = await import('../../support/fake-log.ts')
  topic.logs.push(new FakeLog())
  fill(broker.log('a', 1), 2)
  const started = world.nowMs
  t.match(await world.run(next), { value: { partition: 1, offset: 0 } })
  t.ok(world.nowMs - started <= 30_000)
})

t.test('assigned partitions are read and no others, each from its own start', async t => {
  const setup = await setUp(t)
  const { world, broker } = setup
  broker.createTopic('a', 3)
  for (const partition of [0, 1, 2]) fill(broker.log('a', partition), 4)
  const assign = [
    { topic: 'a', partition: 0, start: { last: 1 } },
    { topic: 'a', partition: 2 },
  ]
  const seen = await world.run(readAll(setup, { assign, start: { offset: 2 } }))
  const places = seen.map(({ partition, offset }) => `${partition}/${offset}`).sort()
  t.same(places, ['0/3', '2/2', '2/3'])
  const wrong = readAll(setup, { assign: [{ topic: 'a', partition: 9 }] })
  await t.rejects(world.run(wrong), { code: 'UNKNOWN_TOPIC_OR_PARTITION', partition: 9 })
})

t.test('a topic deleted and created again ends the loop and is never mixed in', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const loop = client.consumer({ topics: ['a'] })[Symbol.asyncIterator]()
  await world.run(loop.next())
  const next = loop.next()
  broker.createTopic('a')
  fill(broker.log('a'), 5)
  await t.rejects(world.run(next), { code: 'UNKNOWN_TOPIC_ID' })
})

t.test('records that do not decode: fail, skip or raw', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  broker.log('a').store(batchOf(['{"n":1}', 'not json', '{"n":3}']))
  const read = async (onDecodeError: 'fail' | 'skip' | 'raw') => {
    const seen: ReceivedRecord<Uint8Array, unknown>[] = []
    const options = { topics: ['a'], value: json(), onDecodeError, stopAtEnd: true }
    for await (const record of client.consumer<Uint8Array, unknown>(options)) seen.push(record)
    return seen
  }
  await t.rejects(world.run(read('fail')), { code: 'DECODE_FAILED', message: /offset 1 of a\/0/ })
  t.same(offsetsOf(await world.run(read('skip'))), [0, 2])
  const raw = await world.run(read('raw'))
  t.same(valuesOf(raw), [{ n: 1 }, null, { n: 3 }])
  t.match(raw[1], { decodeError: { code: 'DECODE_FAILED' } })
  t.same(raw[1]?.raw.value, Buffer.from('not json'))
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

t.test('topic handles bring their codecs along', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  fill(broker.log('a'), 1)
  const topic = client.topic('a', { value: json<number>() })
  const loop = client.consumer<Uint8Array, number>({ topics: [topic] })[Symbol.asyncIterator]()
  t.match(await world.run(loop.next()), { value: { value: 0 } })
})

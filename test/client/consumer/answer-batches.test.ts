/** What is checked in an answer, and what of it is hidden. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { answerBatches } from '../../../client/consumer/answer-batches.ts'
import { patchBatch } from '../../../protocol/records/batch-header.ts'
import { buildControlBatch } from '../../../protocol/records/control-record.ts'
import { setUp } from '../../support/client-setup.ts'
import type { Script } from '../../support/fake-request.ts'
import { batchOf, fill, offsetsOf, readAll, valuesOf } from '../../support/reading.ts'

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

t.test('with stopAtEnd an open transaction is the end, wherever reading began', async t => {
  const setup = await setUp(t)
  const { world, broker, client } = setup
  broker.createTopic('a')
  const log = broker.log('a')
  fill(log, 3)
  log.store(batchOf(['open 3', 'open 4'], 5))
  log.openFrom = 3
  t.same(offsetsOf(await world.run(readAll(setup, { topics: ['a'] }))), [0, 1, 2])
  for (const start of [{ offset: 3 }, { offset: 4 }, 'latest'] as const) {
    t.same(await world.run(readAll(setup, { topics: ['a'], start })), [])
  }
  const loop = client.consumer({ topics: ['a'], start: { offset: 2 } })[Symbol.asyncIterator]()
  t.match(await world.run(loop.next()), { value: { offset: 2 } })
  const waiting = loop.next()
  await world.advance(5000)
  log.openFrom = undefined
  t.match(await world.run(waiting), { value: { offset: 3 } }, 'without it the loop waits')
})

t.test('what one body gave is not given again by the next', async t => {
  const [first, second] = [batchOf(['0', '1', '2']), batchOf(['1', '2', '3', '4'])]
  patchBatch(second, 1, -1)
  const answer = { topicId: 'a', partition: 0, bodies: 2 }
  const { compression } = (await setUp(t)).world
  const options = { offset: 0, lastEpoch: undefined, checkCrc: true, compression }
  const batches = answerBatches(answer, [first, second], options)
  t.same(
    batches.map(({ from, next }) => [from, next]),
    [
      [0, 3],
      [3, 5],
    ],
  )
})

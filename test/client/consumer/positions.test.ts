/** Start positions, and positions that the log does not have. */
import t from 'tap'
import { setUp } from '../../support/client-setup.ts'
import { settle } from '../../support/manual-world.ts'
import { fill, offsetsOf, readAll } from '../../support/reading.ts'

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

t.test('what was fetched before the log was trimmed is shown before reading goes on', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const log = broker.log('a')
  fill(log, 20)
  const options = { topics: ['a'], fetchBytes: 150, bufferBytes: 500, stopAtEnd: true }
  const consumer = client.consumer({ ...options, noOffset: 'earliest' })
  const seen: number[] = []
  let received = 0
  const work = (async () => {
    for await (const { offset } of consumer) {
      // Slow enough for answers to come in between.
      await settle(20)
      if (seen.length === 0) {
        const asked = broker.requests.flatMap(({ header }) => header.partitions ?? [])
        received = Math.max(...asked.map(entry => entry.offset ?? 0))
        log.logStart = 15
      }
      seen.push(offset)
    }
  })()
  await world.run(work)
  const ahead = seen.findIndex(offset => offset >= 15)
  t.ok(received > 2 && ahead >= received, `${received} had been fetched, ${ahead} were shown`)
  t.same(
    seen.slice(0, ahead),
    Array.from({ length: ahead }, (_, i) => i),
  )
  t.same(seen.slice(ahead), [15, 16, 17, 18, 19])
})

t.test('beyond the end: error, earliest or latest, with stopAtEnd too', async t => {
  const setup = await setUp(t)
  const { world, broker } = setup
  broker.createTopic('a')
  fill(broker.log('a'), 10)
  const options = { topics: ['a'], start: { offset: 11 } }
  const failed = readAll(setup, options)
  await t.rejects(world.run(failed), {
    code: 'OFFSET_OUT_OF_RANGE',
    message: /a\/0, offset 11/,
    hint: /noOffset/,
  })
  const read = async (more: { noOffset?: 'earliest' | 'latest'; start?: { offset: number } }) =>
    offsetsOf(await world.run(readAll(setup, { ...options, ...more })))
  t.same(await read({ noOffset: 'earliest' }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.same(await read({ noOffset: 'latest' }), [])
  t.same(await read({ start: { offset: 10 } }), [], 'the end itself is a place to begin')
})

/** What the calls of a topic give back: acks, failures, aborts. */
import t from 'tap'
import { string } from '../../../client/codecs/codecs.ts'
import { readBatchHeader } from '../../../protocol/records/batch-header.ts'
import { gate, setUp } from '../../support/client-setup.ts'
import { settle } from '../../support/manual-world.ts'

t.test('a record aborted before its batch is sealed is not written', async t => {
  const { world, broker, client } = await setUp(t, { producer: { lingerMs: 50 } })
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  await world.run(topic.send({ value: 'warm' }))
  const abort = new AbortController()
  const late = new AbortController()
  const one = topic.send({ value: '1' })
  const two = topic.send({ value: '2', headers: { h: 'x' } }, { signal: abort.signal })
  const three = topic.send({ value: '3' }, { signal: late.signal })
  await settle()
  abort.abort()
  await t.rejects(two, { code: 'ABORTED', maybeApplied: false })
  const { opened, open } = gate()
  broker.script('produce', async (_, proceed) => {
    await opened
    return proceed()
  })
  await world.advance(60)
  late.abort()
  await t.rejects(three, { code: 'ABORTED', maybeApplied: true })
  open()
  t.equal((await world.run(one)).offset, 1)
  t.same(broker.log('a').values(world.compression), ['warm', '1', '3'])
  const all = new AbortController()
  const gone = topic.send({ value: 'gone' }, { signal: all.signal })
  await settle()
  all.abort()
  await t.rejects(gone, { code: 'ABORTED', maybeApplied: false })
  await world.run(client.flush())
  t.equal(broker.log('a').end, 3, 'a batch with nothing left is not sent')
  await t.rejects(topic.send({ value: 'x' }, { signal: all.signal }), { code: 'ABORTED' })
})

t.test('sendAll rejects with what became of each record', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a', 2)
  const topic = client.topic('a', { value: string() })
  const acks = await world.run(topic.sendAll([{ value: '1' }, { value: '2' }]))
  t.equal(acks.length, 2)
  const failed = topic.sendAll([
    { value: '3', partition: 0 },
    { value: '4', partition: 7 },
    { value: 5 as never },
  ])
  const error = await world.run(failed.catch(e => e))
  t.match(error, { code: 'INVALID_ARGUMENT', message: /2 of 3/ })
  t.match(error.results, [
    { partition: 0 },
    { code: 'INVALID_ARGUMENT', message: /partition 7/ },
    { code: 'ENCODE_FAILED' },
  ])
})

t.test('failures of posted records reach onError with their record', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const failures: unknown[] = []
  const onError = (error: Error, record: unknown): void => {
    failures.push([error.message, record])
  }
  const topic = client.topic('a', { value: string(), onError })
  broker.script('produce', () => ({
    header: {
      partitions: [
        {
          partition: 0,
          topicId: 't',
          error: { code: 'INVALID_RECORD', message: 'no', retriable: false, maybeApplied: false },
        },
      ],
    },
  }))
  topic.post({ value: 'a' })
  await world.run(topic.flush())
  t.match(failures, [['no', { value: 'a' }]])
  topic.post({ value: 'b' })
  await world.run(client.flush())
  t.same(broker.log('a').values(world.compression), ['b'])
})

t.test('an onError that throws keeps nothing from the rest of its batch', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const onError = (): void => {
    throw new Error('a bug of the user')
  }
  const topic = client.topic('a', { value: string(), onError })
  const error = { code: 'INVALID_RECORD', message: 'no', retriable: false, maybeApplied: false }
  broker.script('produce', () => ({
    header: { partitions: [{ partition: 0, topicId: 't', error }] },
  }))
  topic.post({ value: 'a' })
  const sent = topic.send({ value: 'b' })
  topic.post({ value: 'c' })
  await t.rejects(world.run(sent), { code: 'INVALID_RECORD' })
  await world.run(topic.flush())
  await world.run(topic.send({ value: 'd' }))
  t.same(broker.log('a').values(world.compression), ['d'])
})

t.test('acks none is answered when the bytes have left', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string(), acks: 'none' })
  const ack = await world.run(topic.send({ value: 'a' }))
  t.match(ack, { offset: -1, reached: 'sent' })
  await settle()
  t.same(broker.log('a').values(world.compression), ['a'])
  const bytes = broker.log('a').batches[0]?.bytes ?? new Uint8Array(0)
  t.equal(readBatchHeader(bytes).producerId, -1, 'no sequence that could get a hole')
})

t.test('a batch above the limits of the broker is refused here, with a hint', async t => {
  const { world, broker, client } = await setUp(t, { producer: { batchBytes: 1000 } })
  broker.limits = { ...broker.limits, maxFrameBytes: 4000 }
  for (const end of broker.ends.splice(0)) end.cut()
  broker.createTopic('a')
  const topic = client.topic('a', { value: string() })
  const large = topic.send({ value: 'x'.repeat(5000) })
  await t.rejects(world.run(large), { code: 'MESSAGE_TOO_LARGE', hint: /batchBytes/ })
  t.equal(broker.count('produce'), 0)
  t.equal((await world.run(topic.send({ value: 'ok' }))).offset, 0)
})

t.test('gzip travels as gzip and reads back', async t => {
  const { world, broker, client } = await setUp(t)
  broker.createTopic('a')
  const topic = client.topic('a', { value: string(), compression: 'gzip' })
  await world.run(topic.sendAll([{ value: 'x'.repeat(5000) }, { value: 'y' }]))
  t.equal(broker.log('a').batches[0]?.header.codec, 'gzip')
  t.same(broker.log('a').values(world.compression), ['x'.repeat(5000), 'y'])
  t.throws(() => client.topic('a', { compression: 'zstd' }), {
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
  })
})

/** Requests and answers over one connection: matching, limits, order, one-way, pushes. */
import t from 'tap'
import { decodeFrame, encodeFrame } from '../../../protocol/frame.ts'
import { openRequestChannel } from '../../../protocol/transport/request-channel.ts'
import {
  failure,
  fetchHeader,
  ManualTime,
  makeChannel,
  patient,
  produced,
  produceHeader,
} from './fakes.ts'
import { network, startListener } from './harness.ts'

t.test('a request carries id, api, version and bodies; its answer comes back checked', async t => {
  const { connection, channel } = makeChannel()
  const body = Uint8Array.of(1, 2, 3)
  const answer = channel.request('produce', produceHeader(), [body], patient)
  const { header, bodies } = connection.sent[0] ?? { header: {}, bodies: [] }
  t.match(header, { id: 1, api: 'produce', v: 1, acks: 'all', body: [3] })
  t.strictSame(bodies[0], body)
  connection.receive({ id: 1, ...produced }, [Uint8Array.of(9)])
  const { response, bodies: answered } = await answer
  t.equal(response.partitions[0]?.baseOffset, 7)
  t.strictSame(answered, [Uint8Array.of(9)])
})

t.test('answers match by id, in whatever order they come', async t => {
  const { connection, channel } = makeChannel()
  const first = channel.request('produce', produceHeader(1), [], patient)
  const second = channel.request('produce', produceHeader(2), [], patient)
  connection.receive({ id: connection.id(1), partitions: [{ partition: 2, topicId: 'A' }] })
  connection.receive({ id: connection.id(0), partitions: [{ partition: 1, topicId: 'A' }] })
  t.equal((await first).response.partitions[0]?.partition, 1)
  t.equal((await second).response.partitions[0]?.partition, 2)
  t.equal(channel.pendingCount, 0)
})

t.test('an error of one partition is data', async t => {
  const { connection, channel } = makeChannel()
  const answer = channel.request('produce', produceHeader(), [], patient)
  const error = {
    code: 'NOT_LEADER_OR_FOLLOWER',
    message: 'm',
    retriable: true,
    maybeApplied: false,
  }
  connection.receive({ id: 1, partitions: [{ partition: 0, topicId: 'A', error }] })
  t.equal((await answer).response.partitions[0]?.error?.code, 'NOT_LEADER_OR_FOLLOWER')
})

t.test(
  'an error of the whole request rejects with the row of the table, as the broker said',
  async t => {
    const { connection, channel } = makeChannel()
    const answer = channel.request('produce', produceHeader(), [], patient)
    const error = { code: 'THROTTLED', message: 'later', retriable: true, maybeApplied: false }
    connection.receive({ id: 1, error: { ...error, hint: 'wait', retryAfterMs: 50 } })
    t.match(await failure(t, answer), { code: 'THROTTLED', hint: 'wait', retryAfterMs: 50 })
    t.ok(channel.isOpen, 'the channel goes on')
  },
)

t.test('the broker knows its own outcome: its maybeApplied stands', async t => {
  const { connection, channel } = makeChannel()
  const answer = channel.request('fetch', fetchHeader, [], patient)
  const error = { code: 'NETWORK_ERROR', message: 'm', retriable: true, maybeApplied: true }
  connection.receive({ id: 1, error })
  t.equal((await failure(t, answer)).maybeApplied, true)
})

t.test('at most maxInFlight are sent; the rest wait their turn, in order', async t => {
  const { connection, channel } = makeChannel({ maxInFlight: 2, maxQueued: 3 })
  for (let i = 0; i < 5; i++) {
    void channel.request('produce', produceHeader(i), [], patient).catch(() => {})
  }
  t.equal(connection.sent.length, 2)
  t.equal(channel.pendingCount, 5)
  const refused = channel.request('produce', produceHeader(9), [], patient)
  t.match(await failure(t, refused), { code: 'TOO_MANY_REQUESTS', retriable: true })
  connection.receive({ id: 2, ...produced })
  t.equal(connection.sent.length, 3)
  for (const id of [1, 3, 4, 5]) connection.receive({ id, ...produced })
  const order = connection.sent.map(({ header }) => {
    return (header.partitions as { partition: number }[])[0]?.partition
  })
  t.strictSame(order, [0, 1, 2, 3, 4])
})

t.test(
  'a deadline rejects with REQUEST_TIMED_OUT; only a sent write may have been applied',
  async t => {
    const { time, channel } = makeChannel({ maxInFlight: 2 })
    const write = channel.request('produce', produceHeader(), [], { timeoutMs: 100 })
    const read = channel.request('fetch', fetchHeader, [], { timeoutMs: 30_000 })
    const waiting = channel.request('produce', produceHeader(), [], { timeoutMs: 200 })
    const all = [write, waiting].map(promise => failure(t, promise))
    time.advance(99)
    t.equal(channel.pendingCount, 3)
    time.advance(101)
    const [writeError, waitingError] = await Promise.all(all)
    t.match(writeError, { code: 'REQUEST_TIMED_OUT', maybeApplied: true, message: /no answer/ })
    t.match(waitingError, {
      code: 'REQUEST_TIMED_OUT',
      maybeApplied: false,
      message: /not even sent/,
    })
    time.advance(30_000)
    t.match(await failure(t, read), { code: 'REQUEST_TIMED_OUT', maybeApplied: false })
  },
)

t.test('a thousand requests set one timer', async t => {
  const { time, connection, channel } = makeChannel({ maxInFlight: 2000 })
  const answers = []
  for (let i = 0; i < 1000; i++) {
    answers.push(channel.request('produce', produceHeader(i), [], patient))
    connection.receive({ id: connection.id(i), ...produced })
    time.advance(1)
  }
  await Promise.all(answers)
  t.equal(time.timersSet, 1)
})

t.test(
  'when the connection closes, all pending requests are rejected, then onClose runs',
  async t => {
    const { connection, channel, closes } = makeChannel({ maxInFlight: 2 })
    const errors = [
      channel.request('produce', produceHeader(), [], patient),
      channel.request('fetch', fetchHeader, [], patient),
      channel.request('produce', produceHeader(), [], patient),
    ].map(promise => failure(t, promise))
    connection.events?.onClose({ code: 1006, reason: 'cut', error: new Error('ECONNRESET') })
    const [write, read, waiting] = await Promise.all(errors)
    t.match(write, { code: 'NETWORK_ERROR', maybeApplied: true, message: /1006, cut/ })
    t.match(read, { code: 'NETWORK_ERROR', maybeApplied: false })
    t.match(waiting, { code: 'NETWORK_ERROR', maybeApplied: false }, 'never sent')
    t.equal(closes.length, 1)
    const after = channel.request('fetch', fetchHeader, [], patient)
    t.match(await failure(t, after), { code: 'NETWORK_ERROR', maybeApplied: false })
  },
)

t.test('one-way requests have no answer and no slot', async t => {
  const { connection, channel } = makeChannel({ maxInFlight: 1 })
  const header = { ...produceHeader(), acks: 'none' as const }
  const sent = channel.sendOneWay('produce', header, [Uint8Array.of(1)])
  t.match(connection.sent[0]?.header, { id: 0, api: 'produce', acks: 'none' })
  t.equal(channel.pendingCount, 0)
  connection.flushes[0]?.()
  await sent
  connection.receive({ id: 0, ...produced })
  t.ok(channel.isOpen, 'an answer that nobody wanted is dropped')
})

t.test('pushes go to their listener', async t => {
  const pushes: unknown[] = []
  const { connection, channel } = makeChannel({
    onPush: (header, bodies) => pushes.push([header.push, bodies.length]),
  })
  connection.receive({ push: 'stopping' }, [Uint8Array.of(1)])
  t.strictSame(pushes, [['stopping', 1]])
  t.ok(channel.isOpen)
})

t.test('ids are never taken while an answer to them may come', async t => {
  const { connection, channel } = makeChannel({ maxInFlight: 3 })
  void channel.request('produce', produceHeader(), [], patient).catch(() => {})
  for (let i = 0; i < 10; i++) {
    const next = channel.request('produce', produceHeader(), [], patient)
    connection.receive({ id: connection.id(i + 1), ...produced })
    await next
  }
  const ids = connection.sent.map(({ header }) => header.id)
  t.equal(new Set(ids).size, ids.length)
})

t.test('over a real socket: a hundred requests in flight, answered backwards', async t => {
  const listener = await startListener(t)
  const time = new ManualTime()
  const dialOptions = {
    url: listener.url,
    subprotocol: 'sluice.v1',
    maxMessageBytes: 1_000_000,
    timeoutMs: 10_000,
  }
  const channel = await openRequestChannel(network, dialOptions, {
    clock: time,
    timers: time,
    maxInFlight: 100,
    maxQueued: 0,
    maxHeaderBytes: 10_000,
  })
  const far = await listener.inbox()
  const answers = Array.from({ length: 100 }, (_, i) => {
    return channel.request('produce', produceHeader(i), [new Uint8Array(20_000)], patient)
  })
  await far.until(() => far.messages.length === 100)
  for (const message of far.messages.toReversed()) {
    const { header, bodies } = decodeFrame([message], 10_000)
    t.equal(bodies[0]?.byteLength, 20_000)
    const asked = header.partitions as { partition: number }[]
    const partitions = [{ topicId: 'A', partition: asked[0]?.partition }]
    far.connection.send(encodeFrame({ id: header.id, partitions }))
  }
  const got = await Promise.all(answers)
  t.ok(got.every(({ response }, i) => response.partitions[0]?.partition === i))
  channel.close()
  await far.closed()
})

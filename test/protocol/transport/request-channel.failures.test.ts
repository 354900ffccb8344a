/** Requests that fail: deadlines, aborts, broken peers, ends; and what may have been applied. */
import t from 'tap'
import {
  type FakeConnection,
  failure,
  fetchHeader,
  makeChannel,
  patient,
  produced,
  produceHeader,
} from './fakes.ts'

t.test('isWrite overrides what the api says', async t => {
  const { time, channel } = makeChannel()
  const answer = channel.request('fetch', fetchHeader, [], { timeoutMs: 10, isWrite: true })
  time.advance(10)
  t.equal((await failure(t, answer)).maybeApplied, true)
})

t.test('the late answer of a request that timed out is dropped, and frees its slot', async t => {
  const { time, connection, channel } = makeChannel({ maxInFlight: 2 })
  const late = failure(t, channel.request('produce', produceHeader(1), [], { timeoutMs: 10 }))
  const other = channel.request('produce', produceHeader(2), [], patient)
  time.advance(10)
  await late
  const waiting = channel.request('produce', produceHeader(3), [], patient)
  t.equal(connection.sent.length, 2, 'the slot is held: the broker still works on it')
  connection.receive({ id: 1, ...produced })
  t.equal(connection.sent.length, 3)
  connection.receive({ id: connection.id(1), ...produced })
  connection.receive({ id: connection.id(2), ...produced })
  await Promise.all([other, waiting])
})

t.test('when every slot is held by an unanswered request, the peer counts as gone', async t => {
  const { time, connection, channel } = makeChannel({ maxInFlight: 2 })
  const first = failure(t, channel.request('produce', produceHeader(1), [], { timeoutMs: 10 }))
  const second = failure(t, channel.request('produce', produceHeader(2), [], { timeoutMs: 20 }))
  const third = failure(t, channel.request('produce', produceHeader(3), [], patient))
  time.advance(20)
  t.equal((await first).code, 'REQUEST_TIMED_OUT')
  t.equal((await second).code, 'REQUEST_TIMED_OUT')
  t.match(await third, { code: 'NETWORK_ERROR', maybeApplied: false })
  t.equal(connection.terminated, 1)
  t.equal(channel.isOpen, false)
})

t.test('abort rejects with ABORTED at any stage', async t => {
  const { connection, channel } = makeChannel({ maxInFlight: 1 })
  const before = AbortSignal.abort('no')
  const never = channel.request('produce', produceHeader(), [], { ...patient, signal: before })
  t.match(await failure(t, never), { code: 'ABORTED', maybeApplied: false, cause: 'no' })
  t.equal(connection.sent.length, 0)

  const sending = channel.request('produce', produceHeader(), [], patient)
  const queued = new AbortController()
  const waiting = channel.request('produce', produceHeader(), [], {
    ...patient,
    signal: queued.signal,
  })
  queued.abort()
  t.match(await failure(t, waiting), { code: 'ABORTED', maybeApplied: false })
  t.equal(channel.pendingCount, 1, 'it waits no longer')
  connection.receive({ id: 1, ...produced })
  await sending
  t.equal(connection.sent.length, 1, 'what was aborted in the queue is never sent')
})

t.test('an aborted write that was sent may have been applied', async t => {
  const { connection, channel } = makeChannel()
  const controller = new AbortController()
  const { signal } = controller
  const sent = channel.request('produce', produceHeader(), [], { ...patient, signal })
  controller.abort()
  t.match(await failure(t, sent), { code: 'ABORTED', maybeApplied: true })
  connection.receive({ id: 1, ...produced })
  t.ok(channel.isOpen, 'its late answer is no offence')
})

t.test('close rejects what is pending with CLOSED and closes in order', async t => {
  const { connection, channel } = makeChannel()
  const pending = failure(t, channel.request('produce', produceHeader(), [], patient))
  channel.close()
  channel.close()
  t.match(await pending, { code: 'CLOSED', maybeApplied: true })
  t.equal(connection.closes[0]?.code, 1000)
  const after = failure(t, channel.request('fetch', fetchHeader, [], patient))
  t.equal((await after).code, 'CLOSED')
})

t.test('a one-way request that the connection did not survive is rejected', async t => {
  const { connection, channel } = makeChannel()
  const sent = failure(t, channel.sendOneWay('produce', produceHeader(), []))
  connection.events?.onClose({ code: 1006, reason: '' })
  connection.flushes[0]?.()
  t.equal((await sent).code, 'NETWORK_ERROR')
  const after = failure(t, channel.sendOneWay('produce', produceHeader(), []))
  t.equal((await after).code, 'NETWORK_ERROR')
})

const broken: [string, (connection: FakeConnection) => void][] = [
  ['bytes that are no frame', c => c.events?.onMessage([Uint8Array.of(1, 2, 3)])],
  ['an empty message', c => c.events?.onMessage([])],
  ['a text message', c => c.events?.onText()],
  ['an answer to an unknown id', c => c.receive({ id: 99, ...produced })],
  ['an id that is no number', c => c.receive({ id: '1', ...produced })],
  ['an answer without id', c => c.receive({ ...produced })],
  ['an answer that lacks a field', c => c.receive({ id: 1, partitions: [{ partition: 0 }] })],
  ['an error that is none', c => c.receive({ error: 'oops' })],
]
for (const [name, say] of broken) {
  t.test(`${name} closes the connection with 1002 and rejects with PROTOCOL_MISMATCH`, async t => {
    const { connection, channel } = makeChannel()
    const pending = failure(t, channel.request('produce', produceHeader(), [], patient))
    say(connection)
    t.match(await pending, { code: 'PROTOCOL_MISMATCH', maybeApplied: true, hint: /version/ })
    t.equal(connection.closes[0]?.code, 1002)
    t.match(connection.closes[0]?.reason, /malformed/)
    connection.receive({ id: 1, ...produced })
    t.equal(connection.closes.length, 1, 'nothing more is believed')
  })
}

t.test('an error without id is the reason of the end that follows', async t => {
  const { connection, channel } = makeChannel()
  const pending = failure(t, channel.request('produce', produceHeader(), [], patient))
  const error = { code: 'FRAME_TOO_LARGE', message: 'big', retriable: false, maybeApplied: false }
  connection.receive({ error })
  t.match(await pending, { code: 'FRAME_TOO_LARGE', message: 'big', maybeApplied: true })
  t.equal(channel.isOpen, false)
})

t.test('an abort blames nobody: the slot is held, and the connection stays', async t => {
  const { time, connection, channel } = makeChannel({ maxInFlight: 1 })
  const controller = new AbortController()
  const { signal } = controller
  const polled = channel.request('fetch', fetchHeader, [], { timeoutMs: 1000, signal })
  controller.abort()
  t.equal((await failure(t, polled)).code, 'ABORTED')
  const waiting = channel.request('fetch', fetchHeader, [], { timeoutMs: 5000 })
  time.advance(999)
  t.equal(connection.terminated, 0)
  connection.receive({ id: 1, partitions: [] })
  connection.receive({ id: connection.id(1), partitions: [] })
  t.strictSame((await waiting).response.partitions, [])
})

t.test(
  'an aborted request that stays unanswered past its deadline is held against the peer',
  async t => {
    const { time, connection, channel } = makeChannel({ maxInFlight: 1 })
    const controller = new AbortController()
    const { signal } = controller
    const polled = channel.request('fetch', fetchHeader, [], { timeoutMs: 1000, signal })
    controller.abort()
    t.equal((await failure(t, polled)).code, 'ABORTED')
    time.advance(1000)
    t.equal(connection.terminated, 1)
  },
)

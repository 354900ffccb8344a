/**
 * The small parts that keep memory and time bounded: deadlines, output meter, receive budget, hello
 * time-out.
 */
import t from 'tap'
import { Deadlines } from '../../../broker/server/deadlines.ts'
import { OutputMeter } from '../../../broker/server/output-meter.ts'
import { ReceiveBudget } from '../../../broker/server/receive-budget.ts'
import { SendBudget } from '../../../broker/server/send-budget.ts'
import { ManualTime } from '../../../broker/testing/manual-time.ts'
import { realTimers } from '../../../protocol/real-world.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { batchOf, settled, startTestBroker } from '../../support/test-broker.ts'

t.test('a deadline never comes early, and not much late', async t => {
  const time = new ManualTime(0, realTimers)
  const deadlines = new Deadlines(time)
  for (const delay of [0, 1, 7, 100, 999, 5000, 30_000, 300_000]) {
    const start = time.clock.monotonicMs()
    let at = -1
    deadlines.after(delay, () => {
      at = time.clock.monotonicMs() - start
    })
    time.advance(delay + 3000)
    t.ok(at >= delay, `${delay} ms came after ${at}`)
    t.ok(at <= delay + Math.max(1, Math.min(delay / 8, 1024)), `${delay} ms came after ${at}`)
  }
})

t.test('a cancelled deadline never comes, and its neighbours in the slot do', async t => {
  const time = new ManualTime(0, realTimers)
  const deadlines = new Deadlines(time)
  const came: number[] = []
  const handles = [0, 1, 2].map(number => deadlines.after(1000, () => came.push(number)))
  handles[1]?.cancel()
  time.advance(2000)
  t.same(came, [0, 2])
  deadlines.after(10, () => came.push(9))
  deadlines.close()
  deadlines.after(10, () => came.push(9))
  time.advance(2000)
  t.same(came, [0, 2], 'nothing comes after close')
  t.equal(time.waiting, 0)
})

const roomy = () => new SendBudget(1e9)
const waiting = (bytes: number, run: (grantedBytes: number) => void, park = () => {}) => ({
  bytes,
  requestBytes: 10,
  park,
  run,
})

t.test('an answer that is being read counts before it is there', async t => {
  const meter = new OutputMeter(4000, roomy(), () => {})
  const ran: string[] = []
  for (const name of ['a', 'b']) meter.reserve(waiting(600, () => ran.push(name)))
  t.same(ran, ['a'])
  const taken = meter.admit([new Uint8Array(600)])
  meter.release(600)
  t.same(ran, ['a'], 'what was sent and not taken still counts')
  taken?.()
  t.same(ran, ['a', 'b'])
})

t.test('one answer fits however large it is, and a second one does not', async t => {
  const pauses: boolean[] = []
  const meter = new OutputMeter(1000, roomy(), paused => pauses.push(paused))
  const taken = meter.admit([new Uint8Array(5000)])
  t.not(taken, null)
  t.equal(meter.admit([new Uint8Array(10)]), null)
  taken?.()
  t.not(meter.admit([new Uint8Array(10)]), null)
  t.same(pauses, [true, false])
})

t.test('a large body is charged with the whole buffer that it keeps', async t => {
  const pauses: boolean[] = []
  const meter = new OutputMeter(4_000_000, roomy(), paused => pauses.push(paused))
  meter.admit([new Uint8Array(3_000_000).subarray(0, 70_000)])
  t.same(pauses, [true])
})

function budgetOf(maxBytes: number) {
  const calls: string[] = []
  const budget = new ReceiveBudget(maxBytes, isCrowded => calls.push(isCrowded ? 'full' : 'room'))
  const reader = (name: string) => {
    const own = {
      pauseForMemory: () => void calls.push(`pause ${name}`),
      resumeFromMemory: () => void calls.push(`resume ${name}`),
    }
    budget.join(own)
    return own
  }
  return { budget, reader, calls }
}

t.test('a crowded receive budget pauses who holds much, and asks for what only waits', async t => {
  const { budget, reader, calls } = budgetOf(6400)
  const [flood, calm] = [reader('flood'), reader('calm')]
  budget.charge(calm, 100)
  budget.charge(flood, 5500)
  t.same(calls, [], 'seven eighths of it')
  budget.charge(calm, 1)
  t.same(calls, ['pause flood', 'pause calm', 'full'], 'more than a 64th is much')
  budget.release(calm, 101)
  budget.release(flood, 2299)
  t.same(calls.slice(3), [], 'not before half of it is free')
  budget.release(flood, 1)
  t.same(calls.slice(3), ['room', 'resume flood', 'resume calm'])
  t.equal(budget.heldBytes, 3200)
})

t.test('who holds little is read from while others flood the broker', async t => {
  const { budget, reader, calls } = budgetOf(6400)
  const floods = [reader('1'), reader('2')]
  const calm = reader('calm')
  for (const flood of floods) budget.charge(flood, 2850)
  t.same(calls, ['pause 1', 'pause 2', 'full'])
  for (let request = 0; request < 100; request++) {
    budget.charge(calm, 90)
    budget.release(calm, 90)
  }
  const late = reader('late')
  budget.charge(late, 100)
  t.same(calls.slice(3), [])
  budget.charge(late, 1)
  t.same(calls.slice(3), ['pause late'], 'who begins to flood waits too')
})

t.test('at its limit the receive budget pauses everybody, and who comes then', async t => {
  const { budget, reader, calls } = budgetOf(6400)
  const [flood, calm] = [reader('flood'), reader('calm')]
  budget.charge(flood, 6400)
  t.same(calls, ['pause flood', 'full'])
  budget.charge(calm, 1)
  t.same(calls.slice(2), ['pause calm'])
  const late = reader('late')
  t.same(calls.slice(3), ['pause late'])
  budget.leave(late)
  budget.release(flood, 6400)
  t.same(calls.slice(4), ['room', 'resume flood', 'resume calm'])
})

t.test(
  'waiting fetches are answered early when their requests fill the receive budget',
  async t => {
    const config = { maxReceiveBytes: 20_000 }
    const { connect } = await startTestBroker(t, { config, topics: { orders: 15 } })
    const peer = await connect()
    const { header } = await peer.call('metadata')
    const topicId = (header.topics as { topicId: string }[])[0]?.topicId
    const partitions = Array.from({ length: 15 }, (_, partition) => ({
      ...{ topic: 'orders', topicId, partition, offset: 0, maxBytes: 1e6 },
    }))
    const fields = { maxWaitMs: 300_000, minBytes: 1, maxBytes: 1e6, isolation: 'uncommitted' }
    const post = () => peer.post('fetch', { ...fields, partitions })
    const early = [post(), post()]
    await settled()
    t.notOk(
      early.some(id => peer.answers.has(id)),
      'two of them fit and wait',
    )
    const all = [...early, post()]
    await settled()
    t.ok(
      all.every(id => peer.answers.get(id)?.error === undefined && peer.answers.has(id)),
      'all are answered, empty',
    )
    t.equal(peer.paused, false)
  },
)

t.test('requests that wait for a peer to read do not keep others from being read', async t => {
  const config = { maxReceiveBytes: 20_000, maxBufferedBytes: 8000 }
  const { connect } = await startTestBroker(t, { config, topics: { orders: 1 } })
  const [deaf, other] = [await connect(), await connect()]
  const { header } = await deaf.call('metadata')
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId
  const at = { topic: 'orders', topicId, partition: 0 }
  const produce = { acks: 'leader', timeoutMs: 1000, partitions: [at] }
  await deaf.call('produce', produce, [batchOf('x'.repeat(3000))])
  deaf.stalled = true
  const fields = { maxWaitMs: 0, minBytes: 1, maxBytes: 1e6, isolation: 'uncommitted' }
  const partitions = [{ ...at, offset: 0, maxBytes: 1e6 }]
  for (let i = 0; i < 20; i++) {
    deaf.post('fetch', { ...fields, partitions, padding: 'x'.repeat(3000) })
    await settled()
  }
  t.equal(deaf.closed, null)
  t.equal(other.paused, false, 'they are off the receive budget')
  t.equal((await other.call('produce', produce, [batchOf('y')])).error, undefined)
  deaf.drop()
})

t.test('a connection that never says hello is closed in time, one that did is not', async t => {
  const { world, connect } = await startTestBroker(t, { config: { helloTimeoutMs: 1000 } })
  const silent = world.network.connect()
  const polite = await connect()
  world.time.advance(2000)
  t.match(silent.closed, { code: 1008, reason: /no hello within 1000 ms/ })
  t.equal(polite.closed, null)
})

t.test('a broker that was closed leaves no timer behind', async t => {
  const { broker, world, connect } = await startTestBroker(t, { logs: new FakeLogs() })
  const peer = await connect()
  world.network.connect()
  t.equal(peer.closed, null)
  await broker.close()
  t.equal(world.time.waiting, 0)
})

/**
 * The produce handler: order, waiting for the commit, time-outs, acks, memory of what it was given.
 */
import t from 'tap'
import { SluiceError } from '../../../protocol/errors.ts'
import { invariant } from '../../../protocol/invariant.ts'
import type { Answer, Peer } from '../../support/direct-network.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { batchOf, settled, startTestBroker } from '../../support/test-broker.ts'

interface Entry {
  error?: { code: string; maybeApplied: boolean; topic: string; partition: number }
  baseOffset?: number
  reached?: string
  logStartOffset?: number
}

async function idOf(peer: Peer, name: string): Promise<string> {
  const { header } = await peer.call('metadata', { topics: [name] })
  return (header.topics as { topicId: string }[])[0]?.topicId ?? ''
}

const entries = (answer: Answer) => answer.header.partitions as Entry[]

async function start(t: import('tap').Test, options: { autoCommit?: boolean } = {}) {
  const logs = new FakeLogs()
  logs.autoCommit = options.autoCommit ?? true
  const test = await startTestBroker(t, { logs, topics: { orders: 2 } })
  const peer = await test.connect()
  const topicId = await idOf(peer, 'orders')
  const post = (partition: number, batch: Uint8Array, fields: object = {}) =>
    peer.post(
      'produce',
      {
        acks: 'all',
        timeoutMs: 5000,
        partitions: [{ topic: 'orders', topicId, partition }],
        ...fields,
      },
      [batch],
    )
  return { ...test, peer, topicId, post }
}

t.test('batches of one connection get offsets in the order in which they were sent', async t => {
  const { peer, post } = await start(t)
  const ids = [post(0, batchOf('a', 'b')), post(0, batchOf('c')), post(0, batchOf('d', 'e'))]
  const answers = await Promise.all(ids.map(id => peer.answer(id)))
  t.same(
    answers.map(answer => entries(answer)[0]?.baseOffset),
    [0, 2, 3],
  )
  t.equal(entries(answers[0] as Answer)[0]?.reached, 'fsynced')
})

t.test('no answer goes out before the record is committed', async t => {
  const { logs, peer, post } = await start(t, { autoCommit: false })
  const id = post(0, batchOf('a'))
  await settled()
  t.equal(peer.answers.get(id), undefined)
  logs.named('orders', 0).commit()
  t.equal(entries(await peer.answer(id))[0]?.baseOffset, 0)
})

t.test(
  'a record that is not committed in time is REQUEST_TIMED_OUT and may be applied',
  async t => {
    const { logs, peer, post, world } = await start(t, { autoCommit: false })
    const id = post(0, batchOf('a'))
    await settled()
    world.time.advance(4999)
    t.equal(peer.answers.get(id), undefined)
    world.time.advance(1100)
    const answer = await peer.answer(id)
    t.match(entries(answer)[0]?.error, { code: 'REQUEST_TIMED_OUT', maybeApplied: true })
    logs.named('orders', 0).commit()
    await settled()
    t.equal(peer.answers.size, 3, 'the late commit is not answered a second time')
  },
)

t.test('a commit that fails tells the producer what the log said', async t => {
  const { logs, peer, post } = await start(t, { autoCommit: false })
  const id = post(1, batchOf('a'))
  logs.named('orders', 1).failWaiting(new SluiceError('DISK_FULL', 'full'))
  t.match(entries(await peer.answer(id))[0]?.error, {
    code: 'DISK_FULL',
    maybeApplied: false,
    topic: 'orders',
    partition: 1,
  })
})

t.test('the answer waits for the slowest entry, and each entry has its own result', async t => {
  const { logs, peer, topicId } = await start(t, { autoCommit: false })
  const partitions = [0, 1].map(partition => ({ topic: 'orders', topicId, partition }))
  const fields = { acks: 'leader', timeoutMs: 5000, partitions }
  const id = peer.post('produce', fields, [batchOf('a'), batchOf('b')])
  logs.named('orders', 1).commit()
  await settled()
  t.equal(peer.answers.get(id), undefined)
  logs.named('orders', 0).commit()
  t.same(
    entries(await peer.answer(id)).map(entry => entry.baseOffset),
    [0, 0],
  )
})

t.test('a time-out is only that of the entries which are not committed yet', async t => {
  const { logs, peer, topicId, world } = await start(t, { autoCommit: false })
  const partitions = [0, 1].map(partition => ({ topic: 'orders', topicId, partition }))
  const fields = { acks: 'all', timeoutMs: 100, partitions }
  const id = peer.post('produce', fields, [batchOf('a'), batchOf('b')])
  logs.named('orders', 0).commit()
  world.time.advance(200)
  t.match(entries(await peer.answer(id)), [
    { baseOffset: 0, error: undefined },
    { error: { code: 'REQUEST_TIMED_OUT' } },
  ])
})

t.test('acks none appends and answers nothing, and the next request is served', async t => {
  const { logs, peer, post } = await start(t)
  const id = post(0, batchOf('a'), { acks: 'none' })
  await peer.call('metadata')
  t.equal(peer.answers.get(id), undefined)
  t.equal(logs.named('orders', 0).logEndOffset, 1)
})

t.test('a batch that lay in a larger buffer does not keep that buffer', async t => {
  const { logs, peer, topicId } = await start(t)
  let kept: Uint8Array | null = null
  const log = logs.named('orders', 0)
  const append = log.appendAsLeader.bind(log)
  log.appendAsLeader = batch => {
    kept = batch
    return append(batch)
  }
  const batch = batchOf('small')
  const slab = new Uint8Array(1_000_000)
  slab.set(batch)
  const partitions = [{ topic: 'orders', topicId, partition: 0 }]
  await peer.call('produce', { acks: 'all', timeoutMs: 1000, partitions }, [
    slab.subarray(0, batch.byteLength),
  ])
  t.equal((kept as Uint8Array | null)?.buffer.byteLength, batch.byteLength)
})

t.test(
  'an unforeseen error is one entry’s, named and logged, and says that it may be applied',
  async t => {
    const { logs, peer, post } = await start(t)
    logs.named('orders', 0).appendAsLeader = () => {
      throw new TypeError('a bug')
    }
    const answer = await peer.answer(post(0, batchOf('a')))
    t.match(entries(answer)[0]?.error, { code: 'UNKNOWN_SERVER_ERROR', maybeApplied: true })
  },
)

t.test('a broken invariant ends the process instead of being answered', async t => {
  const { logs, peer, post, world } = await start(t)
  logs.named('orders', 0).appendAsLeader = () => {
    invariant(false, 'offsets grow', { was: 3 })
    throw new Error('not reached')
  }
  const id = post(0, batchOf('a'))
  await settled()
  t.equal(peer.answers.get(id), undefined)
  t.match(world.deaths, [/offsets grow/])
})

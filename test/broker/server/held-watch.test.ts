/** Half-received messages: bounded over all connections; who stands still goes first. */
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Deadlines } from '../../../broker/server/deadlines.ts'
import { HeldWatch } from '../../../broker/server/held-watch.ts'
import { startBroker, type TestBroker } from '../../../broker/testing/index.ts'
import { ManualTime } from '../../../broker/testing/manual-time.ts'
import { connect as connectClient } from '../../../client/index.ts'
import { realTimers } from '../../../protocol/real-world.ts'

class FakeReceiver {
  receivingBytes = 0
  isPaused = false
  isDropped = false

  drop(): void {
    this.isDropped = true
    this.receivingBytes = 0
  }
}

function setUp(t: Test, maxBytes: number) {
  const time = new ManualTime(0, realTimers)
  const deadlines = new Deadlines(time)
  t.teardown(() => deadlines.close())
  const options = {
    maxBytes,
    patienceLooks: 1,
    reason: '',
    sight: ({ receivingBytes, isPaused }: FakeReceiver) => ({
      bytes: receivingBytes,
      progress: receivingBytes,
      isExcused: isPaused,
    }),
  }
  const watch = new HeldWatch(options, deadlines)
  const receivers = [0, 1, 2, 3].map(() => new FakeReceiver())
  for (const receiver of receivers) watch.join(receiver)
  const look = (...bytes: number[]) => {
    bytes.forEach((value, i) => {
      const receiver = receivers[i]
      if (receiver !== undefined && !receiver.isDropped) receiver.receivingBytes = value
    })
    time.advance(1000)
    return receivers.map(receiver => receiver.isDropped)
  }
  return { watch, receivers, look, time }
}

t.test('within the limit nobody is dropped, however slow', async t => {
  const { look } = setUp(t, 1000)
  t.strictSame(look(250, 250, 250, 250), [false, false, false, false])
  t.strictSame(look(250, 250, 250, 250), [false, false, false, false])
})

t.test('above it who stands still is dropped first, then who holds most', async t => {
  const { look } = setUp(t, 1000)
  look(100, 300, 400, 100)
  // The third one stands still; the second one grew beyond it.
  t.strictSame(look(200, 500, 400, 200), [false, true, true, false])
})

t.test('who is paused by the broker is not blamed for standing still', async t => {
  const { look, receivers } = setUp(t, 1000)
  const [first] = receivers
  if (first !== undefined) first.isPaused = true
  look(400, 0, 300, 300)
  t.strictSame(look(400, 100, 300, 300), [false, false, true, true])
})

interface Peer {
  taken: number
  isDropped: boolean
  drop: () => void
}

t.test(
  'who takes nothing for long is dropped at half the limit, who takes a little is not',
  async t => {
    const time = new ManualTime(0, realTimers)
    const deadlines = new Deadlines(time)
    t.teardown(() => deadlines.close())
    const peers: Peer[] = [0, 1].map(() => ({ taken: 0, isDropped: false, drop: () => {} }))
    for (const peer of peers) {
      peer.drop = () => {
        peer.isDropped = true
      }
    }
    const options = {
      maxBytes: 1000,
      stalledAboveBytes: 500,
      patienceLooks: 8,
      reason: '',
      sight: ({ taken, isDropped }: Peer) => ({
        bytes: isDropped ? 0 : 300,
        progress: taken,
        isExcused: false,
      }),
    }
    const watch = new HeldWatch(options, deadlines)
    for (const peer of peers) watch.join(peer)
    const look = (): boolean[] => {
      const [, slow] = peers
      if (slow !== undefined) slow.taken++
      time.advance(300)
      return peers.map(({ isDropped }) => isDropped)
    }
    for (let i = 0; i < 5; i++) t.same(look(), [false, false])
    for (let i = 0; i < 8; i++) look()
    t.same(look(), [true, false])
  },
)

t.test('what has grown by much is not left until the next look', async t => {
  const { watch, receivers } = setUp(t, 1000)
  const [first, second] = receivers
  if (first === undefined || second === undefined) return
  first.receivingBytes = 900
  watch.grown(first)
  t.equal(first.isDropped, false)
  second.receivingBytes = 200
  watch.grown(second)
  t.same([first.isDropped, second.isDropped], [true, false])
})

t.test('without connections no timer is left', async t => {
  const { watch, receivers, time } = setUp(t, 1000)
  for (const receiver of receivers) watch.leave(receiver)
  time.advance(1000)
  t.equal(time.waiting, 0)
})

/** Opens a WebSocket by hand and sends the begin of a 12 MiB message, never its end. */
async function halfSend(broker: TestBroker, bytes: number): Promise<Socket> {
  const socket = connect(Number(new URL(broker.url).port), '127.0.0.1')
  const lines = [
    'GET / HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: sluice.v1',
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  await new Promise(resolve => socket.once('data', resolve))
  const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0])
  socket.write(Buffer.concat([head, Buffer.alloc(bytes)]))
  return socket
}

t.test('slow connections are dropped by a real broker, and its clients do not notice', async t => {
  const config = { maxReceiveBytes: 4 * 1024 * 1024 }
  await using broker = await startBroker({ topics: { orders: 1 }, config })
  await using client = await connectClient({ servers: broker.url })
  const orders = client.topic('orders')
  await orders.send({ value: new Uint8Array(10) })
  const sockets = await Promise.all([1, 2, 3, 4].map(() => halfSend(broker, 2 * 1024 * 1024)))
  const gone = sockets.map(socket => {
    socket.on('error', () => {})
    return new Promise(resolve => socket.once('close', resolve))
  })
  await Promise.race(gone)
  const ack = await orders.send({ value: new Uint8Array(10) })
  t.equal(ack.offset, 1)
  for (const socket of sockets) socket.destroy()
})

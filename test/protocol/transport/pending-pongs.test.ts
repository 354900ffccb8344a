/** Pings whose pongs the peer does not take: bounded by themselves, whatever else is bounded. */
import t, { type Test } from 'tap'
import { maxPendingPongs } from '../../../protocol/transport/websocket.ts'
import { maxControlFrames } from '../../../protocol/transport/websocket-connection.ts'
import { opcodes, RawPeer, rawFrame, startListener } from './harness.ts'

/** More than the buffers of both sockets take. */
const stuffing = new Uint8Array(24 * 1024 * 1024)

/** Sends pings to a connection that can write nothing, then a message; how it was closed, if at all. */
async function afterPings(t: Test, count: number) {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const far = await listener.inbox()
  raw.socket.pause()
  far.connection.send([stuffing])
  far.connection.flush()
  const pings = Array.from({ length: count }, () => rawFrame(opcodes.ping, new Uint8Array(125)))
  raw.socket.write(Buffer.concat([...pings, rawFrame(opcodes.binary, new Uint8Array(1))]))
  await far.until(() => far.messages.length + far.closes.length > 0)
  // The socket is destroyed at once, and tells of it in the next turns.
  for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
  t.ok(far.connection.bufferedBytes > 0 || far.closes.length > 0, 'nothing could be written')
  return far.closes.map(({ code }) => code)
}

t.test('a peer that takes no pongs may be owed sixty, at the next ping it is cut off', async t => {
  t.ok(maxPendingPongs + 1 < maxControlFrames, 'so few are no flood of control frames')
  t.same(await afterPings(t, maxPendingPongs), [])
  t.same(await afterPings(t, maxPendingPongs + 1), [1006])
})

/** Whatever bytes a peer sends, before or after the handshake: nobody else notices. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import t from 'tap'
import {
  dial,
  opcodes,
  patternBytes,
  RawPeer,
  rawFrame,
  startListener,
  upgradeRequest,
} from './harness.ts'

/** Sends `bytes`, hangs up, and waits until the socket is gone. */
async function sayAndLeave(raw: RawPeer, bytes: Uint8Array): Promise<void> {
  raw.socket.end(bytes)
  await raw.until(() => raw.isEnded)
}

t.test('random bytes on fresh connections never disturb the listener', async t => {
  const listener = await startListener(t, { maxMessageBytes: 10_000 })
  const near = await dial(t, listener)
  const far = await listener.inbox()
  const start = Buffer.from(upgradeRequest())
  const random = fc.uint8Array({ maxLength: 300 })
  const broken = fc
    .tuple(fc.nat({ max: start.length - 1 }), fc.nat({ max: 255 }))
    .map(([at, byte]) => {
      const damaged = Buffer.from(start)
      damaged[at] = byte
      return damaged
    })
  let rounds = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(random, broken), async bytes => {
      await sayAndLeave(new RawPeer(t, listener.port), bytes)
      near.connection.send([patternBytes(10, rounds)])
      await far.until(() => far.messages.length === rounds + 1)
      return far.messages[rounds++]?.equals(patternBytes(10, rounds - 1)) === true
    }),
    { numRuns: 100 },
  )
  t.equal(far.closes.length, 0)
})

t.test(
  'random frames after the handshake end at most their own connection, exactly once',
  async t => {
    const listener = await startListener(t, { maxMessageBytes: 10_000 })
    const near = await dial(t, listener)
    const far = await listener.inbox()
    const frame = fc
      .tuple(fc.nat({ max: 15 }), fc.uint8Array({ maxLength: 400 }), fc.boolean())
      .map(([opcode, payload, isFinal]) => rawFrame(opcode, payload, isFinal))
    const bytes = fc.oneof(
      fc.array(frame, { maxLength: 5 }).map(frames => Buffer.concat(frames)),
      fc.uint8Array({ maxLength: 100 }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async said => {
        const index = listener.inboxes.length
        const raw = new RawPeer(t, listener.port)
        await raw.upgrade()
        const victim = await listener.inbox(index)
        await sayAndLeave(raw, said)
        await victim.closed()
        return victim.closes.length === 1
      }),
      { numRuns: 100 },
    )
    t.equal(far.closes.length, 0)
    near.connection.send([patternBytes(10, 1)])
    await far.until(() => far.messages.length === 1)
    t.equal(listener.inboxes.filter(inbox => inbox.closes.length === 0).length, 1)
  },
)

t.test('a message in more fragments than allowed is refused, not collected', async t => {
  const listener = await startListener(t, { maxMessageBytes: 100_000 })
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const far = await listener.inbox()
  const empty = rawFrame(opcodes.continuation, new Uint8Array(0), false)
  raw.socket.write(rawFrame(opcodes.binary, new Uint8Array(1), false))
  raw.socket.write(Buffer.concat(Array.from({ length: 17_000 }, () => empty)))
  t.equal((await far.closed()).code, 1008)
})

t.test('a flood of pings is answered or cut off, and the neighbour is served', async t => {
  const listener = await startListener(t)
  const near = await dial(t, listener)
  const far = await listener.inbox()
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  raw.socket.pause()
  const ping = rawFrame(opcodes.ping, new Uint8Array(125))
  raw.socket.write(Buffer.concat(Array.from({ length: 50_000 }, () => ping)))
  near.connection.send([patternBytes(10, 1)])
  await far.until(() => far.messages.length === 1)
  raw.socket.destroy()
  await (await listener.inbox(1)).closed()
})

t.test('pieces of a message count as what they cost, control frames as nothing', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const far = await listener.inbox()
  const receives = async (least: number) => {
    const { connection } = far
    for (let turn = 0; turn < 50_000 && connection.receivingBytes < least; turn++) {
      await new Promise(resolve => setImmediate(resolve))
    }
    return connection.receivingBytes
  }
  raw.socket.write(rawFrame(opcodes.binary, new Uint8Array(1)))
  await far.until(() => far.messages.length === 1)
  for (let i = 0; i < 20; i++) raw.socket.write(rawFrame(opcodes.pong, new Uint8Array(100)))
  raw.socket.write(rawFrame(opcodes.ping, Buffer.from('are they read?')))
  await raw.until(() => raw.text.includes('are they read?'))
  t.equal(far.connection.receivingBytes, 0, 'nothing is left of control frames')
  for (let i = 0; i < 10; i++) {
    raw.socket.write(rawFrame(i === 0 ? opcodes.binary : 0, new Uint8Array(1), false))
  }
  const fragments = await receives(2560)
  t.ok(fragments >= 2560 && fragments < 8192, `ten fragments of a byte: ${fragments}`)
  raw.socket.write(rawFrame(opcodes.continuation, new Uint8Array(1)))
  await far.until(() => far.messages.length === 2)
  raw.socket.write(rawFrame(opcodes.binary, new Uint8Array(100_000)).subarray(0, 50_000))
  const half = await receives(49_000)
  t.ok(half >= 49_000 && half < 52_000, `half a frame: ${half}`)
})

t.test('more control frames in a turn than anybody needs close the connection', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const far = await listener.inbox()
  const pong = rawFrame(opcodes.pong, new Uint8Array(0))
  raw.socket.write(Buffer.concat(Array.from({ length: 10_000 }, () => pong)))
  await raw.until(() => raw.text.includes('too many control frames') || raw.isEnded)
  t.ok(raw.text.includes(`${String.fromCharCode(1008 >> 8, 1008 & 255)}too many`), raw.text)
  raw.socket.destroy()
  await far.closed()
})

t.test('a socket with too many plain requests in a row is closed', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  const request = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
  let begun = 0
  const count = (): void => {
    begun++
  }
  subscribe('http.server.request.start', count)
  t.teardown(() => unsubscribe('http.server.request.start', count))
  raw.socket.write(request.repeat(500))
  const answers = (await raw.answer()).match(/HTTP\/1\.1 404/g) ?? []
  t.ok(answers.length <= 100, `${answers.length} answers`)
  t.equal(begun, 101, 'what comes behind them in the same read is not even looked at')
})

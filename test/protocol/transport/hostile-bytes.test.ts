/** Whatever bytes a peer sends, before or after the handshake: nobody else notices. */
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

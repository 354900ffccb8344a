/**
 * Messages over real sockets: order, integrity, back-pressure, hostile frames, ends of a
 * connection.
 */
import t from 'tap'
import {
  dial,
  opcodes,
  openPair,
  patternBytes,
  RawPeer,
  rawFrame,
  startListener,
  upgradeRequest,
} from './harness.ts'

const MiB = 1024 * 1024

t.test('messages of any size arrive unharmed in both directions', async t => {
  const { near, far } = await openPair(t)
  const sizes = [0, 1, 125, 126, 16_383, 16_384, 65_535, 65_536, 300_001, 10 * MiB]
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    sizes.forEach((size, seed) => {
      from.connection.send([patternBytes(size, seed)])
    })
    await to.until(() => to.messages.length === sizes.length)
    sizes.forEach((size, seed) => {
      t.ok(to.messages[seed]?.equals(patternBytes(size, seed)), `${size} bytes`)
    })
    t.equal(to.partCounts[0], 0, 'an empty message has no parts')
  }
})

t.test('the parts of a message arrive as one message', async t => {
  const { near, far } = await openPair(t)
  const parts = [3, 20_000, 5, 6, 100_000, 0, 7].map((size, seed) => patternBytes(size, seed))
  near.connection.send(parts)
  await far.until(() => far.messages.length === 1)
  t.ok(far.messages[0]?.equals(Buffer.concat(parts)))
  t.ok((far.partCounts[0] ?? 0) > 1, 'large parts are not joined by the sender')
})

t.test('many messages of one turn arrive in order', async t => {
  const { near, far } = await openPair(t)
  const count = 20_000
  const flushed: number[] = []
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(i)
    near.connection.send([bytes.subarray(0, 4), bytes.subarray(4)], () => flushed.push(i))
  }
  await far.until(() => far.messages.length === count)
  t.ok(far.messages.every((message, i) => message.readUInt32BE(0) === i))
  await near.until(() => flushed.length === count)
  t.ok(
    flushed.every((n, i) => n === i),
    'onFlushed runs in the order of send',
  )
})

t.test('what is sent in one turn leaves when the turn ends, or with flush', async t => {
  const { near, far } = await openPair(t)
  near.connection.send([new Uint8Array(100)])
  near.connection.flush()
  t.equal(near.connection.bufferedBytes, 0)
  near.connection.send([new Uint8Array(100)])
  t.ok(near.connection.bufferedBytes > 100, 'corked')
  await near.until(() => near.connection.bufferedBytes === 0)
  await far.until(() => far.messages.length === 2)
})

t.test(
  'bufferedBytes grows against a paused reader, and onDrain tells when it is empty',
  async t => {
    const { near, far } = await openPair(t)
    far.connection.pause()
    const sent = 64
    for (let i = 0; i < sent; i++) near.connection.send([patternBytes(MiB, i)])
    await new Promise(resolve => setImmediate(resolve))
    t.ok(near.connection.bufferedBytes > 16 * MiB, `${near.connection.bufferedBytes} bytes wait`)
    t.equal(near.drains, 0)
    t.ok(far.messages.length < sent)
    far.connection.resume()
    await near.until(() => near.drains > 0)
    t.equal(near.connection.bufferedBytes, 0)
    await far.until(() => far.messages.length === sent)
    t.ok(far.messages.every((message, i) => message.equals(patternBytes(MiB, i))))
  },
)

t.test('a paused end delivers nothing new until it resumes', async t => {
  const { near, far } = await openPair(t)
  far.connection.pause()
  near.connection.send([patternBytes(10, 1)])
  await near.until(() => near.drains === 1)
  // A round trip on another connection gives the bytes time to arrive.
  const other = await openPair(t)
  other.near.connection.send([patternBytes(1, 1)])
  await other.far.until(() => other.far.messages.length === 1)
  t.equal(far.messages.length, 0)
  far.connection.resume()
  await far.until(() => far.messages.length === 1)
})

t.test('a message written byte by byte is one message', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const payload = patternBytes(300, 7)
  await raw.writeByteByByte(rawFrame(opcodes.binary, payload))
  const far = await listener.inbox()
  await far.until(() => far.messages.length === 1)
  t.ok(far.messages[0]?.equals(payload))
})

t.test('a handshake written byte by byte is accepted', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.writeByteByByte(Buffer.from(upgradeRequest()))
  await listener.inbox()
  await raw.until(() => raw.text.includes('\r\n\r\n'))
  t.match(raw.text, /^HTTP\/1\.1 101 /)
  t.match(raw.text, /Sec-WebSocket-Protocol: sluice\.v1/)
})

t.test('control frames between the fragments of a message do not disturb it', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const parts = [
    patternBytes(10, 1),
    patternBytes(70_000, 2),
    patternBytes(0, 3),
    patternBytes(5, 4),
  ]
  raw.socket.write(rawFrame(opcodes.binary, parts[0] as Uint8Array, false))
  raw.socket.write(rawFrame(opcodes.ping, Buffer.from('are you there')))
  raw.socket.write(rawFrame(opcodes.continuation, parts[1] as Uint8Array, false))
  raw.socket.write(rawFrame(opcodes.pong, Buffer.from('unasked')))
  raw.socket.write(rawFrame(opcodes.continuation, parts[2] as Uint8Array, false))
  raw.socket.write(rawFrame(opcodes.continuation, parts[3] as Uint8Array))
  const far = await listener.inbox()
  await far.until(() => far.messages.length === 1)
  t.ok(far.messages[0]?.equals(Buffer.concat(parts)))
  await raw.until(() => raw.text.includes('are you there'))
  t.ok(raw.text.includes('\x8a\x0dare you there'), 'the ping was answered')
})

t.test('a message over the limit closes the connection with 1009 and harms no other', async t => {
  const { listener, near, far } = await openPair(t, { maxMessageBytes: 1000 })
  const other = await dial(t, listener)
  near.connection.send([patternBytes(600, 1), patternBytes(401, 2)])
  const closed = await far.closed()
  t.equal(closed.code, 1009)
  t.equal(far.messages.length, 0)
  t.equal((await near.closed()).code, 1009, 'the sender is told')
  other.connection.send([patternBytes(1000, 3)])
  const survivor = await listener.inbox(1)
  await survivor.until(() => survivor.messages.length === 1)
})

t.test('a message over the limit of the dialling end closes with 1009 too', async t => {
  const listener = await startListener(t)
  const near = await dial(t, listener, { maxMessageBytes: 1000 })
  const far = await listener.inbox()
  far.connection.send([patternBytes(1001, 1)])
  t.equal((await near.closed()).code, 1009)
  t.equal((await far.closed()).code, 1009)
})

t.test('an announced length beyond memory is refused before anything is allocated', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  raw.socket.write(Buffer.from([0x82, 0xff, 0, 0, 0x10, 0, 0, 0, 0, 0, 1, 2, 3, 4]))
  const far = await listener.inbox()
  t.equal((await far.closed()).code, 1009)
})

t.test('text is reported as text, never as a message', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  raw.socket.write(rawFrame(opcodes.text, Buffer.from('{"id":1}')))
  const far = await listener.inbox()
  await far.until(() => far.texts === 1)
  t.equal(far.messages.length, 0)
})

const brokenFrames: [string, Buffer][] = [
  ['an unmasked frame', Buffer.from([0x82, 0x01, 0x00])],
  ['a reserved bit', Buffer.from([0xc2, 0x81, 1, 2, 3, 4, 5])],
  ['an unknown opcode', Buffer.from([0x83, 0x81, 1, 2, 3, 4, 5])],
  ['a continuation of nothing', rawFrame(opcodes.continuation, Buffer.from('x'))],
  ['a fragmented ping', rawFrame(opcodes.ping, Buffer.from('x'), false)],
]
for (const [name, bytes] of brokenFrames) {
  t.test(`${name} closes the connection with 1002`, async t => {
    const listener = await startListener(t)
    const raw = new RawPeer(t, listener.port)
    await raw.upgrade()
    raw.socket.write(bytes)
    const far = await listener.inbox()
    const closed = await far.closed()
    t.equal(closed.code, 1002)
    t.match(closed.error?.message, /Invalid WebSocket frame/)
    t.equal(far.messages.length, 0)
  })
}

t.test('close carries code and reason to the other end, cut to what fits a frame', async t => {
  const { near, far } = await openPair(t)
  far.connection.close(4001, `${'ü'.repeat(61)}${'ö'.repeat(10)}`)
  const closed = await near.closed()
  t.equal(closed.code, 4001)
  t.equal(closed.reason, 'ü'.repeat(61))
  t.equal((await far.closed()).code, 4001)
})

t.test('close works while this end is paused', async t => {
  const { near, far } = await openPair(t)
  far.connection.pause()
  const startMs = performance.now()
  far.connection.close(1000, 'done')
  t.equal((await far.closed()).code, 1000)
  t.equal((await near.closed()).code, 1000)
  t.ok(performance.now() - startMs < 1500, 'before the close timer fires')
})

t.test('after close here no message is delivered any more', async t => {
  const { near, far } = await openPair(t)
  far.connection.close(1000, 'enough')
  near.connection.send([patternBytes(10, 1)])
  await far.closed()
  t.equal(far.messages.length, 0)
})

t.test(
  'terminate while corked still runs every onFlushed, in order and before onClose',
  async t => {
    const { near, far } = await openPair(t)
    const events: string[] = []
    far.connection.pause()
    for (let i = 0; i < 8; i++)
      near.connection.send([patternBytes(4 * MiB, i)], () => events.push(`${i}`))
    await new Promise(resolve => setImmediate(resolve))
    near.connection.send([patternBytes(10, 9)], () => events.push('last'))
    near.connection.terminate()
    await near.closed()
    events.push('closed')
    t.strictSame(events, ['0', '1', '2', '3', '4', '5', '6', '7', 'last', 'closed'])
    t.equal(near.connection.bufferedBytes, 0)
  },
)

t.test('send after the end does nothing but run onFlushed', async t => {
  const { near } = await openPair(t)
  near.connection.terminate()
  await near.closed()
  await new Promise<void>(resolve => near.connection.send([patternBytes(10, 1)], resolve))
  near.connection.close(1000, 'again')
  near.connection.terminate()
  t.equal(near.closes.length, 1, 'onClose ran once')
})

t.test('the death of a peer is reported once, with code 1006', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade()
  const far = await listener.inbox()
  raw.socket.resetAndDestroy()
  const closed = await far.closed()
  t.equal(closed.code, 1006)
  t.match(closed.error?.message, /ECONNRESET/)
  t.equal(far.closes.length, 1)
})

t.test('the peer is named by address and port', async t => {
  const { near, far, listener } = await openPair(t)
  t.equal(near.connection.peer, `127.0.0.1:${listener.port}`)
  t.match(far.connection.peer, /^127\.0\.0\.1:\d+$/)
})

t.test('ten megabytes in messages of random sizes arrive unharmed', async t => {
  const { near, far } = await openPair(t)
  const sizes: number[] = []
  for (let left = 10 * MiB, i = 0; left > 0; i++) {
    const size = Math.min(left, 1 + (patternBytes(4, i).reduce((n, b) => n * 256 + b, 0) % 200_000))
    sizes.push(size)
    left -= size
  }
  sizes.forEach((size, i) => {
    near.connection.send([patternBytes(size, i)])
  })
  await far.until(() => far.messages.length === sizes.length)
  t.ok(far.messages.every((message, i) => message.equals(patternBytes(sizes[i] as number, i))))
})

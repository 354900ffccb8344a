/** Who may connect, who is refused and how, and what is left behind when the listener goes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { SluiceError } from '../../../protocol/errors.ts'
import {
  dial,
  listenDefaults,
  network,
  openPair,
  patternBytes,
  RawPeer,
  startListener,
  type TestListener,
  upgradeRequest,
} from './harness.ts'

/** Sends one request head and returns everything the server said until it closed the connection. */
async function say(t: Parameters<typeof startListener>[0], port: number, bytes: string | Buffer) {
  const raw = new RawPeer(t, port)
  raw.socket.write(bytes)
  return await raw.answer()
}

/** The listener still serves others. */
async function servesOthers(t: Parameters<typeof startListener>[0], listener: TestListener) {
  const index = listener.inboxes.length
  const near = await dial(t, listener)
  near.connection.send([patternBytes(100, 1)])
  const far = await listener.inbox(index)
  await far.until(() => far.messages.length === 1)
  near.connection.close(1000, '')
  await far.closed()
}

t.test('a wrong or missing subprotocol is refused with 400', async t => {
  const listener = await startListener(t)
  const wrong = upgradeRequest({ 'Sec-WebSocket-Protocol': 'mqtt' })
  t.match(await say(t, listener.port, wrong), /^HTTP\/1\.1 400 [\s\S]*sluice\.v1 expected, "mqtt"/)
  const none = upgradeRequest().replace(/Sec-WebSocket-Protocol.*\r\n/, '')
  t.match(await say(t, listener.port, none), /^HTTP\/1\.1 400 [\s\S]*none offered\n$/)
  t.equal(listener.refused.length, 2)
  t.equal(listener.inboxes.length, 0)
  await servesOthers(t, listener)
})

t.test('the right subprotocol is found among others', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade({ 'Sec-WebSocket-Protocol': 'sluice.v9, sluice.v1' })
  t.match(raw.text, /^HTTP\/1\.1 101 [\s\S]*Sec-WebSocket-Protocol: sluice\.v1\r\n/)
})

t.test('a browser page may connect only from an allowed origin', async t => {
  const listener = await startListener(t, { allowedOrigins: ['http://localhost:3000'] })
  for (const origin of ['http://evil.example', 'http://localhost:3001', 'null']) {
    const answer = await say(t, listener.port, upgradeRequest({ Origin: origin }))
    t.match(answer, /^HTTP\/1\.1 403 /, origin)
  }
  t.match(listener.refused[0], /Origin "http:\/\/evil\.example" is not allowed/)
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade({ Origin: 'http://localhost:3000' })
  t.match(raw.text, /^HTTP\/1\.1 101 /)
})

t.test('on a loopback bind a foreign Host is refused: DNS rebinding', async t => {
  const listener = await startListener(t, { allowedHosts: ['broker.test'] })
  const answer = await say(t, listener.port, upgradeRequest({ Host: 'evil.example:80' }))
  t.match(answer, /^HTTP\/1\.1 403 [\s\S]*Host "evil\.example:80" is not a name of this broker/)
  const plain = 'GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n'
  t.match(await say(t, listener.port, plain), /^HTTP\/1\.1 403 /, 'plain HTTP too')
  t.equal(listener.refused.length, 2)
  for (const host of ['localhost:1', 'LOCALHOST', '127.0.0.1', '[::1]:9', 'broker.test:2']) {
    const raw = new RawPeer(t, listener.port)
    await raw.upgrade({ Host: host })
    t.match(raw.text, /^HTTP\/1\.1 101 /, host)
  }
})

t.test('off loopback any Host is accepted', async t => {
  const listener = await startListener(t, { host: '0.0.0.0' })
  const raw = new RawPeer(t, listener.port)
  await raw.upgrade({ Host: 'broker.example' })
  t.match(raw.text, /^HTTP\/1\.1 101 /)
})

t.test('the limit of connections per address is kept, and a closed one makes room', async t => {
  const listener = await startListener(t, { maxConnectionsPerAddress: 2 })
  const pair = [await dial(t, listener), await dial(t, listener)]
  await t.rejects(dial(t, listener), { code: 'NETWORK_ERROR', message: /503.*from one address/ })
  t.match(listener.refused[0], /limit of 2 connections from one address/)
  for (const { connection } of pair) connection.close(1000, '')
  for (const inbox of listener.inboxes) await inbox.closed()
  await dial(t, listener)
  await servesOthers(t, listener)
})

t.test('the limit of all connections is kept', async t => {
  const listener = await startListener(t, { maxConnections: 1 })
  await dial(t, listener)
  await t.rejects(dial(t, listener), { message: /503: limit of 1 connections reached/ })
})

t.test('handshakes that are no WebSocket handshakes are refused with 400', async t => {
  const listener = await startListener(t)
  const badKey = upgradeRequest({ 'Sec-WebSocket-Key': 'short' })
  t.match(await say(t, listener.port, badKey), /^HTTP\/1\.1 400 /)
  const badVersion = upgradeRequest({ 'Sec-WebSocket-Version': '7' })
  t.match(await say(t, listener.port, badVersion), /^HTTP\/1\.1 400 /)
  const h2c = upgradeRequest({ Upgrade: 'h2c' })
  t.match(await say(t, listener.port, h2c), /^HTTP\/1\.1 400 /)
  const post = upgradeRequest().replace(/^GET/, 'POST')
  t.match(await say(t, listener.port, post), /^HTTP\/1\.1 400 /)
  t.equal(listener.refused.length, 4, 'each is reported once')
  await servesOthers(t, listener)
})

t.test('what is not HTTP is cut off and reported', async t => {
  const listener = await startListener(t)
  const tls = Buffer.from('16030100050100000100', 'hex')
  t.equal(await say(t, listener.port, tls), '')
  t.match(listener.refused[0], /^not HTTP .*TLS/)
  t.equal(await say(t, listener.port, Buffer.from([0, 1, 2, 255, 254])), '')
  t.equal(await say(t, listener.port, 'SSH-2.0-OpenSSH\r\n'), '')
  t.strictSame(listener.refused.slice(1), ['not HTTP', 'not HTTP'])
  await servesOthers(t, listener)
})

t.test('a head larger than 16 KiB is refused with 431', async t => {
  const listener = await startListener(t)
  const raw = new RawPeer(t, listener.port)
  raw.socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}`)
  t.match(await raw.answer(), /^HTTP\/1\.1 431 /)
  t.match(listener.refused[0], /headers too large/)
})

t.test('a peer that never finishes its request is dropped', async t => {
  const listener = await startListener(t, {}, 60)
  const slow = new RawPeer(t, listener.port)
  slow.socket.write('GET / HTTP/1.1\r\nHost: loc')
  const mute = new RawPeer(t, listener.port)
  t.match(await slow.answer(), /^HTTP\/1\.1 408 /)
  await mute.answer()
  t.match(listener.refused[0], /no complete request in time/)
})

t.test('plain HTTP: GET and HEAD reach onHttp, everything else is 405', async t => {
  const paths: string[] = []
  const listener = await startListener(t, {
    onHttp: path => {
      paths.push(path)
      if (path === '/bad') throw new Error('handler failed')
      return { status: 200, contentType: 'text/plain', body: 'grüezi' }
    },
  })
  const url = `http://127.0.0.1:${listener.port}`
  const got = await fetch(`${url}/healthz?verbose=1`)
  t.equal(await got.text(), 'grüezi')
  t.equal(got.headers.get('content-type'), 'text/plain')
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), '7')
  t.equal(await head.text(), '')
  const failed = await fetch(`${url}/bad`)
  t.equal(failed.status, 500)
  t.match(await failed.text(), /handler failed/)
  const posted = await fetch(`${url}/healthz`, { method: 'POST', body: 'x' })
  t.equal(posted.status, 405)
  t.equal(posted.headers.get('allow'), 'GET, HEAD')
  t.match(listener.refused, [/POST/])
  t.strictSame(paths, ['/healthz', '/healthz', '/bad'])
})

t.test('a peer that answers no ping is dropped; one that answers is not', async t => {
  const listener = await startListener(t, { pingIntervalMs: 20 })
  const mute = new RawPeer(t, listener.port)
  await mute.upgrade()
  const gone = await listener.inbox(0)
  const alive = await dial(t, listener)
  const closed = await gone.closed()
  t.match(closed.error?.message, /silent peer/)
  t.equal(closed.code, 1006)
  const dropped = new RawPeer(t, listener.port)
  await dropped.upgrade()
  await (await listener.inbox(2)).closed()
  t.equal(alive.closes.length, 0, 'ws answers pings by itself')
})

t.test('a peer is not blamed for silence while we do not listen', async t => {
  const { listener, near, far } = await openPair(t, { pingIntervalMs: 10 })
  far.connection.pause()
  // More than all buffers on the way hold: answers to pings wait behind it, unread.
  near.connection.send([patternBytes(24 * 1024 * 1024, 1)])
  const mute = new RawPeer(t, listener.port)
  await mute.upgrade()
  await (await listener.inbox(1)).closed()
  t.equal(far.closes.length, 0)
  t.equal(near.closes.length, 0)
})

t.test('a peer that takes nothing is dropped, although we do not listen to it', async t => {
  const listener = await startListener(t, { pingIntervalMs: 20 })
  const deaf = new RawPeer(t, listener.port)
  await deaf.upgrade()
  deaf.socket.pause()
  const { connection, closed } = await deafInbox(listener)
  connection.pause()
  connection.send([patternBytes(24 * 1024 * 1024, 1)])
  t.match((await closed).error?.message, /silent peer/)
})

async function deafInbox(listener: TestListener) {
  const inbox = await listener.inbox()
  return { connection: inbox.connection, closed: inbox.closed() }
}

t.test('a port in use is PORT_TAKEN, with a hint', async t => {
  const listener = await startListener(t)
  const again = startListener(t, { port: listener.port })
  await t.rejects(again, { code: 'PORT_TAKEN', hint: /another port/ })
})

t.test('an address that is not ours, or none, is BAD_LISTEN_ADDRESS', async t => {
  for (const host of ['192.0.2.1', 'no such host.invalid']) {
    await t.rejects(startListener(t, { host }), { code: 'BAD_LISTEN_ADDRESS' }, host)
  }
  await t.rejects(startListener(t, { port: 65_536 }), { code: 'BAD_LISTEN_ADDRESS' })
  await t.rejects(startListener(t, { port: -1 }), { code: 'BAD_LISTEN_ADDRESS' })
})

t.test('a limit that ws cannot hold is refused', async t => {
  for (const maxMessageBytes of [0, 1.5, 2 ** 31]) {
    await t.rejects(startListener(t, { maxMessageBytes }), { code: 'INVALID_ARGUMENT' })
  }
})

t.test('stopAccepting refuses new connections and leaves open ones alone', async t => {
  const { listener, near, far } = await openPair(t)
  listener.listening?.stopAccepting()
  listener.listening?.stopAccepting()
  const socket = connect(listener.port, '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNREFUSED')
  near.connection.send([patternBytes(10, 1)])
  await far.until(() => far.messages.length === 1)
})

t.test('close ends everything, and the port is free when it resolves', async t => {
  const { listener, near, far } = await openPair(t)
  const idle = new RawPeer(t, listener.port)
  await once(idle.socket, 'connect')
  await listener.listening?.close()
  t.equal(far.closes.length, 1, 'onClose ran before close resolved')
  await near.closed()
  await idle.answer()
  const again = await startListener(t, { port: listener.port })
  t.equal(again.port, listener.port)
  await listener.listening?.close()
})

t.test('one listener, two closers: both resolve', async t => {
  const { listener } = await openPair(t)
  await Promise.all([listener.listening?.close(), listener.listening?.close()])
  t.ok(true)
})

for (const ending of ['close', 'stopAccepting']) {
  t.test(`no handle is left behind: a process exits by itself after ${ending}`, async t => {
    const program = fileURLToPath(new URL('./exits-by-itself.js', import.meta.url))
    const stdio = ['ignore', 'pipe', 'inherit'] as const
    const child = spawn(process.execPath, [program, ending], { stdio: [...stdio] })
    t.teardown(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    const [code, signal] = await once(child, 'exit')
    t.strictSame([code, signal, output], [0, null, 'echoed 100000 bytes\n'])
  })
}

t.test('a failed dial and a failed listen are SluiceErrors', async t => {
  const error = await network
    .listen({
      ...listenDefaults,
      host: '192.0.2.1',
      onConnection: () => t.fail('nobody can connect') as never,
      onRefused: () => {},
    })
    .catch((error: unknown) => error)
  t.ok(SluiceError.is(error, 'BAD_LISTEN_ADDRESS'))
})

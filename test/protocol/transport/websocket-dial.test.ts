/**
 * What a dialler is told when it cannot connect: the step that failed, and whether to try again.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { realTimers } from '../../../protocol/real-world.ts'
import { dialError, requireDialTarget } from '../../../protocol/transport/websocket-dial.ts'
import { dial, network, startListener } from './harness.ts'

type TcpAnswer = string | null | ((request: string) => string)

/** A TCP server that answers every connection with `answer`, or stays mute. */
async function tcpServer(t: Test, answer: TcpAnswer): Promise<string> {
  const server: Server = createServer(socket => {
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    if (answer === null) return
    socket.once('data', request => {
      socket.end(typeof answer === 'string' ? answer : answer(request.toString()))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a refused connection is NETWORK_ERROR naming the TCP step', async t => {
  const listener = await startListener(t)
  const { url } = listener
  await listener.listening?.close()
  await t.rejects(dial(t, { url }), {
    code: 'NETWORK_ERROR',
    retriable: true,
    message: /TCP connect failed: connect ECONNREFUSED/,
    hint: /sluice start/,
  })
})

t.test('a name that does not resolve is NETWORK_ERROR naming the DNS step', async t => {
  await t.rejects(dial(t, { url: 'ws://no-such-host.invalid:9290' }), {
    code: 'NETWORK_ERROR',
    message: /DNS lookup failed/,
  })
})

t.test('a mute server is given up at the deadline, naming the HTTP step', async t => {
  const url = await tcpServer(t, null)
  await t.rejects(dial(t, { url }, { timeoutMs: 400 }), {
    code: 'NETWORK_ERROR',
    message: /HTTP upgrade not done after 400 ms/,
  })
})

t.test('a server that dribbles its answer is given up at the deadline all the same', async t => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nX-Slow: ')
    const dribble = () => {
      if (socket.destroyed) return
      socket.write('x')
      realTimers.after(5, dribble, { background: true })
    }
    dribble()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  const { port } = server.address() as AddressInfo
  await t.rejects(dial(t, { url: `ws://127.0.0.1:${port}` }, { timeoutMs: 60 }), {
    code: 'NETWORK_ERROR',
    message: /HTTP upgrade not done after 60 ms/,
  })
})

t.test('a connection cut in the handshake is NETWORK_ERROR', async t => {
  const url = await tcpServer(t, '')
  await t.rejects(dial(t, { url }), { code: 'NETWORK_ERROR', message: /HTTP upgrade failed/ })
})

t.test('TLS against a plain port is NETWORK_ERROR naming the TLS step', async t => {
  const listener = await startListener(t)
  const url = listener.url.replace('ws:', 'wss:')
  await t.rejects(dial(t, { url }), { code: 'NETWORK_ERROR', message: /TLS handshake failed/ })
})

const foreign: [string, string, RegExp][] = [
  [
    'a web server',
    'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot here\n',
    /404: not here/,
  ],
  ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n', /status 302/],
  ['something that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /Parse Error/],
  [
    'an upgrade that is no WebSocket handshake',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    /Sec-WebSocket-Accept/,
  ],
]
for (const [name, answer, message] of foreign) {
  t.test(`${name} is PROTOCOL_MISMATCH`, async t => {
    const url = await tcpServer(t, answer)
    await t.rejects(dial(t, { url }), { code: 'PROTOCOL_MISMATCH', retriable: false, message })
  })
}

t.test('a WebSocket server that agrees on no subprotocol is PROTOCOL_MISMATCH', async t => {
  const url = await tcpServer(t, request => {
    const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1]
    const seal = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    return `${head}Sec-WebSocket-Accept: ${seal.digest('base64')}\r\n\r\n`
  })
  await t.rejects(dial(t, { url }), { code: 'PROTOCOL_MISMATCH', message: /no subprotocol/ })
})

t.test('a broker of another subprotocol is PROTOCOL_MISMATCH and says what it expects', async t => {
  const listener = await startListener(t, { subprotocol: 'sluice.v2' })
  await t.rejects(dial(t, listener), {
    code: 'PROTOCOL_MISMATCH',
    message: /not a Sluice broker: HTTP status 400: subprotocol sluice\.v2 expected/,
  })
})

t.test('a 5xx may pass: NETWORK_ERROR', async t => {
  const url = await tcpServer(t, 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
  await t.rejects(dial(t, { url }), { code: 'NETWORK_ERROR', message: /HTTP status 502/ })
})

t.test('a URL that cannot be one of a broker is INVALID_ARGUMENT', async t => {
  for (const url of ['', 'localhost:9290', 'http://h:1', 'ws://', 'ws://h/#x', 'ws://u:p@h:1']) {
    await t.rejects(dial(t, { url }), { code: 'INVALID_ARGUMENT', hint: /ws:\/\/host:port/ }, url)
  }
})

t.test('only loopback and TLS count as a path on which nobody can listen', async t => {
  const trusted = [
    'ws://localhost:1',
    'ws://127.0.0.1',
    'ws://127.9.9.9',
    'ws://[::1]:1',
    'wss://h',
  ]
  for (const url of trusted) t.ok(requireDialTarget(url).isTrustedPath, url)
  const open = ['ws://h', 'ws://10.0.0.1:1', 'ws://127.0.0.1.example', 'ws://localhost.example']
  for (const url of open) t.notOk(requireDialTarget(url).isTrustedPath, url)
})

t.test('several failed addresses of one name are all told', async t => {
  const causes = [
    new Error('connect ECONNREFUSED ::1:1'),
    new Error('connect ECONNREFUSED 1.2.3.4:1'),
  ]
  const error = Object.assign(new AggregateError(causes), { code: 'ECONNREFUSED' })
  t.match(dialError('ws://h:1', 'TCP connect', error).message, /::1:1; connect .*1\.2\.3\.4:1/)
})

t.test('an attach that throws closes the connection and rejects the dial', async t => {
  const listener = await startListener(t)
  const options = {
    url: listener.url,
    subprotocol: 'sluice.v1',
    maxMessageBytes: 10,
    timeoutMs: 9000,
  }
  const dialled = network.dial(options, () => {
    throw new Error('no room')
  })
  await t.rejects(dialled, { message: 'no room' })
  await (await listener.inbox()).closed()
})

/**
 * Attacks before there is a connection: sockets that say nothing, little, or something else than
 * they should.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { upgradeRequest } from '../../protocol/transport/harness.ts'
import { type Attack, addressOf, during, openMany, openSocket, settle } from './attack.ts'
import { HostileSocket, Verdicts } from './hostile-socket.ts'

/** TCP sockets that say nothing at all. */
export const muteSockets: Attack = async target => {
  const sockets = await openMany(target, target.count, socket =>
    socket.until(() => !socket.socket.connecting),
  )
  await sleep(target.holdMs)
  return settle(sockets)
}

/** The upgrade, one byte at a time: slow-loris. */
export const slowUpgrades: Attack = async target => {
  const bytes = Buffer.from(upgradeRequest({ 'X-Padding': 'x'.repeat(2000) }))
  const sockets = await openMany(target, target.count, socket =>
    socket.until(() => !socket.socket.connecting),
  )
  const steps = Math.max(1, Math.floor(target.holdMs / 20))
  for (let i = 0; i < steps; i++) {
    for (const socket of sockets) if (socket.isOpen) socket.socket.write(bytes.subarray(i, i + 1))
    await sleep(20)
  }
  return settle(sockets)
}

/** WebSockets that never say hello. */
export const noHello: Attack = async target => {
  const sockets = await openMany(target, target.count, socket => socket.upgrade())
  await sleep(target.holdMs)
  return settle(sockets)
}

/** WebSockets that said hello and then nothing, not even a pong: over before one is missed. */
export const idleSockets: Attack = async target => {
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await sleep(target.holdMs)
  return settle(sockets)
}

/** More connections from one address than it may have. */
export const oneAddress: Attack = async target => {
  const sockets = Array.from(
    { length: target.count },
    () => new HostileSocket({ port: target.port, from: addressOf(7) }),
  )
  await Promise.all(sockets.map(socket => socket.greet()))
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Connections that come and go as fast as they can; every third is whole, the others break off. */
export const churn: Attack = async target => {
  const verdicts = new Verdicts()
  let opened = 0
  const one = async (): Promise<void> => {
    while (opened < target.count) {
      const index = opened++
      const socket = openSocket(target, index)
      if (index % 3 === 0) await socket.greet()
      else if (index % 3 === 1) await socket.upgrade()
      else await socket.until(() => !socket.socket.connecting)
      socket.reset()
      await socket.ended
      verdicts.note(socket)
    }
  }
  await Promise.all(Array.from({ length: 50 }, one))
  verdicts.add('opened', opened)
  return verdicts
}

const crlf = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`

const smuggling = crlf(
  'POST / HTTP/1.1',
  'Host: 127.0.0.1',
  'Content-Length: 4',
  'Transfer-Encoding: chunked',
)

/** What a browser sends for a page of somebody else. */
const foreign: readonly (readonly [string, string])[] = [
  ['Origin', upgradeRequest({ Origin: 'http://evil.example' })],
  ['Host', upgradeRequest({ Host: 'rebound.example:80' })],
  ['Host of a page', crlf('GET /metrics HTTP/1.1', 'Host: rebound.example')],
]
/** HTTP that is not what the port is for, or that two readers may read differently. */
const malformed: readonly string[] = [
  crlf('POST / HTTP/1.1', 'Host: 127.0.0.1', 'Content-Length: 1000000000'),
  `${smuggling}0\r\n\r\nGET /x HTTP/1.1\r\n`,
  crlf('GET / HTTP/1.1', 'Host: 127.0.0.1', 'Host: localhost', 'Transfer-Encoding: x'),
  crlf('GET / HTTP/1.1', 'Host: 127.0.0.1', `X: ${'x'.repeat(40_000)}`),
  crlf('GET / HTTP/1.1', 'Host: 127.0.0.1', ...Array.from({ length: 3000 }, (_, i) => `X${i}: 1`)),
  crlf('GET / HTTP/1.1', ' Host: 127.0.0.1'),
  crlf('GET /\u0000 HTTP/1.1', 'Host: 127.0.0.1'),
  crlf('PRI * HTTP/2.0', ''),
  'GET / HTTP/9.9\r\n\r\n',
  'SSH-2.0-x\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
  '\u0000\u0000\u0000\u0000',
  crlf('CONNECT 127.0.0.1:80 HTTP/1.1', 'Host: 127.0.0.1'),
  crlf('GET / HTTP/1.1', 'Host: 127.0.0.1', 'Upgrade: h2c', 'Connection: Upgrade'),
  upgradeRequest({ 'Sec-WebSocket-Key': 'short' }),
  upgradeRequest({ 'Sec-WebSocket-Protocol': 'mqtt' }),
]

/** With the name under which its verdicts are counted, so that one check cannot stand for another. */
const junk: readonly (readonly [string, string])[] = [
  ...foreign,
  ...malformed.map(text => ['junk', text] as const),
]

/** `count` pieces of junk, each on a socket of its own, ended by the broker or by us. */
export const httpJunk: Attack = async target => {
  const verdicts = new Verdicts()
  let sent = 0
  const one = async (): Promise<void> => {
    while (sent < target.count) {
      const index = sent++
      const socket = openSocket(target, index)
      await socket.until(() => !socket.socket.connecting)
      const [name, text] = junk[index % junk.length] as readonly [string, string]
      socket.socket.write(Buffer.from(text, 'latin1'))
      const quiet = sleep(1000)
      await Promise.race([socket.ended, socket.until(() => socket.status !== 0), quiet])
      const silence = socket.isOpen ? 'still open' : 'cut off'
      verdicts.add(`${name}: ${socket.status === 0 ? silence : `HTTP ${socket.status}`}`)
      socket.reset()
    }
  }
  await Promise.all(Array.from({ length: 20 }, one))
  return verdicts
}

/** Many plain requests in one socket, whose answers nobody reads. */
export const unreadHttp: Attack = async target => {
  const request = crlf('GET /readyz HTTP/1.1', 'Host: 127.0.0.1')
  const many = Buffer.from(request.repeat(500))
  const sockets = await openMany(target, target.count, async socket => {
    await socket.until(() => !socket.socket.connecting)
    socket.socket.pause()
  })
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many, 100))))
  return settle(sockets)
}

/**
 * Attacks on the framing: messages that never end, are nothing, are too much, or control frames
 * without number.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFrame } from '../../../protocol/frame.ts'
import { opcodes, rawFrame } from '../../protocol/transport/harness.ts'
import { type Attack, during, openMany, openSocket, settle } from './attack.ts'
import { HostileSocket, Verdicts } from './hostile-socket.ts'

const MiB = 1024 * 1024

/** The head of a frame of `length` bytes with a mask of zeros. */
function frameHead(length: number): Buffer {
  const head = Buffer.alloc(14)
  head[0] = 0x80 | opcodes.binary
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

/** 12 MiB of a 15 MiB message over each of many connections, and then silence. */
export const halfMessages: Attack = async target => {
  const body = Buffer.alloc(MiB)
  const sockets = await openMany(target, target.count, async socket => {
    if (!(await socket.greet())) return
    socket.socket.write(frameHead(15 * MiB))
    for (let i = 0; i < 12 && socket.isOpen; i++) await socket.write(body)
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** One large message in pieces of a byte: each piece costs the reader an object. */
export const byteByByte: Attack = async target => {
  const sockets = await openMany(target, target.count, async socket => {
    if (await socket.greet()) socket.socket.write(frameHead(8 * MiB))
  })
  const byte = Buffer.alloc(1)
  const endMs = performance.now() + target.holdMs
  const drip = async (socket: HostileSocket): Promise<void> => {
    while (performance.now() < endMs && socket.isOpen) {
      for (let i = 0; i < 20; i++) {
        socket.socket.write(byte)
        await new Promise(resolve => setImmediate(resolve))
      }
    }
  }
  await Promise.all(sockets.map(drip))
  return settle(sockets)
}

/** One message in fragments of a byte, without end. */
export const endlessFragments: Attack = async target => {
  const one = rawFrame(opcodes.continuation, new Uint8Array(1), false)
  const many = Buffer.concat(Array.from({ length: 1000 }, () => one))
  const sockets = await openMany(target, target.count, async socket => {
    if (await socket.greet())
      socket.socket.write(rawFrame(opcodes.binary, new Uint8Array(1), false))
  })
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many))))
  return settle(sockets)
}

/** As many fragments as are allowed, held in many connections. */
export const heldFragments: Attack = async target => {
  const one = rawFrame(opcodes.continuation, new Uint8Array(1), false)
  const many = Buffer.concat(Array.from({ length: 16_000 }, () => one))
  const sockets = await openMany(target, target.count, async socket => {
    if (!(await socket.greet())) return
    socket.socket.write(rawFrame(opcodes.binary, new Uint8Array(1), false))
    await socket.write(many, 5000)
  })
  await sleep(target.holdMs)
  return settle(sockets)
}

/** Pings whose answers nobody reads. */
export const unreadPongs: Attack = async target => {
  const ping = rawFrame(opcodes.ping, new Uint8Array(125))
  const many = Buffer.concat(Array.from({ length: 2000 }, () => ping))
  const sockets = await openMany(target, target.count, async socket => {
    await socket.greet()
    socket.socket.pause()
  })
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many))))
  return settle(sockets)
}

/** Pongs that nobody asked for, in a stream. */
export const pongFlood: Attack = async target => {
  const pong = rawFrame(opcodes.pong, new Uint8Array(0))
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => pong))
  const sockets = await openMany(target, target.count, socket => socket.greet())
  await during(target.holdMs, () => Promise.all(sockets.map(socket => socket.write(many))))
  return settle(sockets)
}

/** Bad messages, each on a connection of its own, since each costs one. */
const badMessages: readonly (() => Buffer)[] = [
  () => HostileSocket.message(),
  () => rawFrame(opcodes.text, Buffer.from('hello')),
  () => frameHead(2 ** 40),
  () => frameHead(64 * MiB),
  () => HostileSocket.message(Buffer.from('ffffffff7b7d', 'hex')),
  () => HostileSocket.message(...encodeFrame({ id: 1 }).slice(0, 1), Buffer.alloc(100)),
  () => nested('['.repeat(100_000)),
  () => nested('{"a":'.repeat(50_000)),
  () => HostileSocket.requestBytes({ id: 1, api: 'metadata' }),
  () => HostileSocket.requestBytes({ id: 1, api: 'hello', client: 'x'.repeat(2 * MiB) }),
  () => HostileSocket.requestBytes({ id: 1, api: 'x'.repeat(500_000) }),
  () => HostileSocket.requestBytes({ id: -1, api: 'hello' }),
  () => rawFrame(opcodes.continuation, Buffer.alloc(10)),
  () => rawFrame(0xb, Buffer.alloc(10)),
  () => Buffer.from([0x82, 0x01, 0x00]),
  () => rawFrame(opcodes.close, Buffer.from([0xff])),
]

function nested(json: string): Buffer {
  const header = Buffer.from(`{"id":1,"x":${json}`)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  return HostileSocket.message(length, header)
}

export const badFrames: Attack = async target => {
  const verdicts = new Verdicts()
  let sent = 0
  const one = async (): Promise<void> => {
    while (sent < target.count) {
      const index = sent++
      const socket = openSocket(target, index)
      if (!(await socket.upgrade())) continue
      socket.socket.write((badMessages[index % badMessages.length] ?? (() => Buffer.alloc(0)))())
      await Promise.race([
        socket.until(() => socket.closeCode > 0 || socket.answers > 0),
        sleep(3000),
      ])
      verdicts.note(socket)
      if (socket.closeCode === 0 && socket.answers === 0) verdicts.add('no verdict')
      socket.reset()
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
  return verdicts
}

/**
 * Attack: what one does, as a function of its target, and the steps that many share.
 *
 * Always true: an attack ends by itself; the sockets that it opened are gone when it has.
 * Implemented in attacks-….ts; run by attacker.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { HostileSocket, Verdicts } from './hostile-socket.ts'

export interface AttackTarget {
  readonly port: number
  /** How many sockets, or how much of whatever the attack does much of. */
  readonly count: number
  /** How long to keep it up once it is under way. */
  readonly holdMs: number
  /** The topic that setup filled, or the victim's. */
  readonly topic: string
  readonly topicId: string
  readonly partitions: number
}

export type Attack = (target: AttackTarget) => Promise<Verdicts>

/** Loopback has many addresses, so that limits per address can be stepped around. */
export const addressOf = (index: number): string =>
  `127.0.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`

export function openSocket(target: AttackTarget, index = 0): HostileSocket {
  return new HostileSocket({ port: target.port, from: addressOf(index % 50) })
}

/** `count` sockets, at most 200 of them under way at a time, each prepared by `prepare`. */
export async function openMany(
  target: AttackTarget,
  count: number,
  prepare: (socket: HostileSocket, index: number) => Promise<unknown>,
): Promise<HostileSocket[]> {
  const sockets: HostileSocket[] = []
  const one = async (): Promise<void> => {
    while (sockets.length < count) {
      const index = sockets.length
      const socket = openSocket(target, index)
      sockets.push(socket)
      await prepare(socket, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(200, count) }, one))
  return sockets
}

/** What became of all; closes what is still open. */
export async function settle(sockets: readonly HostileSocket[]): Promise<Verdicts> {
  const verdicts = new Verdicts()
  // Who does not read does not see either that it was cut off.
  const deaf = sockets.filter(({ socket }) => socket.isPaused())
  for (const { socket } of deaf) socket.resume()
  await Promise.race([Promise.all(deaf.map(({ ended }) => ended)), sleep(2000)])
  for (const socket of sockets) verdicts.note(socket)
  // One that was told to close may keep its end open: that is no connection any more.
  const isOpen = (socket: HostileSocket): boolean => socket.isOpen && socket.closeCode === 0
  verdicts.add('still open', sockets.filter(isOpen).length)
  for (const socket of sockets) socket.reset()
  await Promise.all(sockets.map(socket => socket.ended))
  return verdicts
}

/** Calls `step` again and again until `ms` are over; turns of the event loop pass in between. */
export async function during(ms: number, step: () => unknown): Promise<void> {
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    await step()
    await new Promise(resolve => setImmediate(resolve))
  }
}

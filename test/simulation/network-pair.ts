/**
 * Network pair: what the tests of the simulated network share: two connected ends that note what
 * they hear.
 *
 * Always true: the client's end is `near`, the server's `far`; the server listens on `server:9000`.
 * Called by sim-network.test.ts and sim-network-door.test.ts.
 */
import type { Test } from 'tap'
import type { Connection, ListenOptions, World } from '../../protocol/world.ts'
import { SimWorld } from './sim-world.ts'

/** One end of a connection and all that it heard. */
export interface End {
  connection: Connection
  readonly messages: string[]
  readonly parts: Uint8Array[][]
  readonly arrivedMs: number[]
  readonly closed: { code: number; reason: string; error?: Error }[]
  drains: number
}

export interface Pair {
  readonly world: SimWorld
  readonly near: End
  readonly far: End
}

type Heard = Partial<ReturnType<ListenOptions['onConnection']>>

/** Runs `body` with a client and a server that are connected. */
export async function withPair(
  body: (pair: Pair) => Promise<void>,
  pingIntervalMs = 0,
): Promise<void> {
  const world = new SimWorld({ seed: 1 })
  await world.run(async () => {
    let far: End | undefined
    let near: End | undefined
    const accept = (connection: Connection): Heard =>
      recording(world, connection, end => (far = end))
    await listen(world, accept, pingIntervalMs)
    await world.client('client').network.dial(dialOptions('ws://server:9000'), connection => ({
      ...silent,
      ...recording(world, connection, end => (near = end)),
    }))
    if (near === undefined || far === undefined) throw new Error('not connected')
    await body({ world, near, far })
  })
}

function recording(world: SimWorld, connection: Connection, keep: (end: End) => void): Heard {
  const end: End = { connection, messages: [], parts: [], arrivedMs: [], closed: [], drains: 0 }
  keep(end)
  return {
    onMessage: parts => {
      end.messages.push(asText(parts))
      end.parts.push(parts)
      end.arrivedMs.push(world.scheduler.nowMs)
    },
    onDrain: () => {
      end.drains++
    },
    onClose: closed => void end.closed.push(closed),
  }
}

export async function listen(
  world: SimWorld,
  accept: (connection: Connection) => Heard,
  pingIntervalMs = 0,
): Promise<void> {
  const onConnection = (connection: Connection) => ({ ...silent, ...accept(connection) })
  const options = { ...listenOptions('server'), pingIntervalMs, onConnection }
  await world.node('server').network.listen(options)
}

const silent = { onMessage: () => {}, onText: () => {}, onDrain: () => {}, onClose: () => {} }

export function listenOptions(host: string): ListenOptions {
  return {
    host,
    port: 9000,
    subprotocol: 'test',
    maxMessageBytes: 1_000_000,
    maxConnections: 100,
    maxConnectionsPerAddress: 100,
    pingIntervalMs: 0,
    allowedOrigins: [],
    allowedHosts: [],
    onConnection: () => silent,
    onHttp: () => ({ status: 404, contentType: 'text/plain', body: '' }),
    onRefused: () => {},
  }
}

function dialOptions(url: string, subprotocol = 'test') {
  return { url, subprotocol, maxMessageBytes: 1_000_000, timeoutMs: 300 }
}

export function dial(world: World, url: string, subprotocol = 'test'): Promise<Connection> {
  return world.network.dial(dialOptions(url, subprotocol), () => silent)
}

/** Checks that a dial is rejected with a SluiceError that says why. */
export async function refused(t: Test, dial: Promise<unknown>, why: RegExp): Promise<void> {
  await t.rejects(dial, { name: 'SluiceError', message: why })
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function asText(parts: Uint8Array[]): string {
  return Buffer.concat(parts).toString()
}

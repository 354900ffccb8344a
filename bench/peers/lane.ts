/**
 * Peers lane: starts the servers of one class, lets each do each work in each round, and stops
 * them.
 *
 * Always true: each load is a process of its own; the order turns round with each round (A B, B A),
 * so that what grows or warms with time favours nobody; servers and directories are gone when it
 * returns or throws.
 * Called by run.ts.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Lane } from '../support/lane.ts'
import type { Sample } from './comparison.ts'
import type { LoadOrder } from './load.ts'
import { type DurabilityClass, type Peer, type PeerServer, Skip } from './peer.ts'
import type { WorkFigures, WorkName } from './works.ts'

export interface PeerWork {
  readonly label: string
  readonly work: WorkName
  readonly sizeBytes: number
}

export const peerWorks: readonly PeerWork[] = [
  { label: 'stream 100 B', work: 'stream', sizeBytes: 100 },
  { label: 'stream 1 KiB', work: 'stream', sizeBytes: 1024 },
  { label: 'single 100 B', work: 'single', sizeBytes: 100 },
  { label: 'paced 100 B', work: 'paced', sizeBytes: 100 },
]

export interface LaneOptions {
  readonly peers: readonly Peer[]
  readonly rounds: number
  readonly seconds: number
  /** Where the servers' directories go: a real disk. */
  readonly root: string
  readonly lane: Lane
}

export interface ServerNote {
  readonly peer: string
  readonly durability: DurabilityClass
  readonly version: string
  readonly setting: string
  readonly client: string
  /** Before the first round, uncounted. */
  readonly warmUpSeconds: number
}

export interface LaneOutcome {
  readonly samples: Sample[]
  readonly servers: ServerNote[]
  readonly skipped: { readonly peer: string; durability: DurabilityClass; reason: string }[]
  /** A peer that failed, or whose records were not those that were sent. */
  readonly failures: string[]
}

interface Running {
  readonly peer: Peer
  readonly server: PeerServer
  readonly directory: string
}

const program = fileURLToPath(new URL('./load.js', import.meta.url))
/** A load that says nothing for this long beyond its time has hung. */
const graceMs = 60_000

/** @throws Error with what the load said on stderr */
async function runLoad(order: LoadOrder, signal: AbortSignal): Promise<WorkFigures> {
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: order.seconds * 4000 + graceMs,
    killSignal: 'SIGKILL',
    signal,
  })
  const failed = once(child, 'error').then(([error]) => Promise.reject(error))
  let said = ''
  let complaints = ''
  child.stdout.on('data', chunk => {
    said += String(chunk)
  })
  child.stderr.on('data', chunk => {
    complaints = (complaints + String(chunk)).slice(-3000)
  })
  const [code, by] = await Promise.race([once(child, 'close'), failed])
  if (code === 0) return JSON.parse(said)
  const { peer, work, sizeBytes } = order
  throw new Error(`${peer}, ${work} ${sizeBytes} bytes: exit ${code ?? by}: ${complaints.trim()}`)
}

async function startAll(
  options: LaneOptions,
  durability: DurabilityClass,
  outcome: LaneOutcome,
): Promise<Running[]> {
  const { lane } = options
  const running: Running[] = []
  for (const peer of options.peers) {
    const directory = lane.directory(options.root, `sluice-peers-${peer.name}-`)
    try {
      const server = await peer.start({ durability, directory, signal: lane.signal })
      running.push({ peer, server, directory })
      const { version, setting } = server
      const { name, client, warmUpSeconds = 0 } = peer
      outcome.servers.push({ peer: name, durability, version, setting, client, warmUpSeconds })
      const warm = warmUpSeconds > 0 ? `; streams ${warmUpSeconds} s before the first round` : ''
      lane.say(`${durability}  ${name} ${version}: ${setting}; client: ${client}${warm}`)
    } catch (error) {
      await lane.remove(directory)
      if (!(error instanceof Skip)) {
        await stopAll(running, lane)
        throw error
      }
      outcome.skipped.push({ peer: peer.name, durability, reason: error.message })
      options.lane.say(`SKIP  ${durability}  ${peer.name}: ${error.message}`)
    }
  }
  return running
}

async function stopAll(running: readonly Running[], lane: Lane): Promise<void> {
  for (const { server, directory } of running) {
    await server.stop()
    await lane.remove(directory)
  }
}

/** What the peers that need it stream before anything counts. @throws what a load said */
async function warmUp(
  { lane }: LaneOptions,
  durability: DurabilityClass,
  running: readonly Running[],
): Promise<void> {
  for (const { peer, server } of running) {
    const { name, warmUpSeconds: seconds = 0 } = peer
    if (seconds === 0) continue
    const { address, pid: serverPid } = server
    const work = { work: 'stream', sizeBytes: 100, seconds, round: -1 } as const
    await runLoad({ peer: name, address, durability, serverPid, ...work }, lane.signal)
  }
}

async function runRound(
  options: LaneOptions,
  durability: DurabilityClass,
  given: { running: readonly Running[]; round: number; outcome: LaneOutcome },
): Promise<void> {
  const { running, round, outcome } = given
  const inOrder = round % 2 === 0 ? running : [...running].reverse()
  for (const { label, work, sizeBytes } of peerWorks) {
    for (const { peer, server } of inOrder) {
      const { address, pid: serverPid } = server
      const { name } = peer
      const load = { durability, serverPid, work, sizeBytes, seconds: options.seconds, round }
      try {
        const figures = await runLoad({ peer: name, address, ...load }, options.lane.signal)
        outcome.samples.push({ peer: name, durability, work: label, round, figures })
      } catch (error) {
        options.lane.signal.throwIfAborted()
        const why = error instanceof Error ? error.message : String(error)
        outcome.failures.push(`${durability} ${label}, round ${round + 1}: ${why}`)
        options.lane.say(`FAILED  ${outcome.failures.at(-1)}`)
      }
    }
    const names = inOrder.map(({ peer }) => peer.name).join(' ')
    options.lane.say(`${durability}  round ${round + 1}/${options.rounds}  ${label}: ${names}`)
  }
}

/** All rounds of one class; adds to `outcome`. @throws what ended it before its time */
export async function runClass(
  options: LaneOptions,
  durability: DurabilityClass,
  outcome: LaneOutcome,
): Promise<void> {
  const running = await startAll(options, durability, outcome)
  try {
    if (running.length < 2) return
    await warmUp(options, durability, running)
    for (let round = 0; round < options.rounds; round++) {
      await runRound(options, durability, { running, round, outcome })
    }
  } finally {
    await stopAll(running, options.lane)
  }
}

/**
 * Load: one work against one running server, in a process of its own, so that no peer runs on code
 * that was optimised for another.
 *
 *   node dist/bench/peers/load.js '{"peer":"redis","address":"127.0.0.1:6379",…}'  →  one JSON line
 *
 * Always true: the last line of stdout is the figures; exit 1 and the error on stderr otherwise.
 * Started by lane.ts.
 */
import type { DurabilityClass } from './peer.ts'
import { peerNamed } from './peers.ts'
import { doWork, type WorkFigures, type WorkName } from './works.ts'

export interface LoadOrder {
  readonly peer: string
  readonly address: string
  readonly durability: DurabilityClass
  readonly serverPid: number | null
  readonly work: WorkName
  readonly sizeBytes: number
  readonly seconds: number
  readonly round: number
}

async function carryOut(order: LoadOrder): Promise<WorkFigures> {
  const peer = peerNamed(order.peer)
  const client = await peer.connect(order.address, order.durability)
  const { work, sizeBytes, seconds, serverPid } = order
  const log = `${work}-${sizeBytes}-${order.round}-${process.pid}`
  try {
    return await doWork(work, { peer, client, log, serverPid, sizeBytes, seconds })
  } finally {
    await client.close()
  }
}

const figures = await carryOut(JSON.parse(process.argv[2] ?? '{}'))
process.stdout.write(`${JSON.stringify(figures)}\n`)

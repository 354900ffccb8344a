/**
 * Works: what every peer is asked to do, through the same loops.
 *
 *   stream: produce as fast as confirmed, read it all to compare, read it all again to measure
 *   single: one awaited send at a time │ paced: 10,000 records/s by the clock, to the reader
 *
 * Always true: each record has a promise and is confirmed; each is read back and compared with
 * what was sent: count, order, every byte of content (the pass that is measured looks at number,
 * length and last byte, after one that compared them all). A difference is an error and no figure.
 * A rate of reading begins behind the first delivery, so that no peer pays for joining a group.
 * Called by load.ts, in a process of its own per peer and round.
 */
import { type ClosedLoopResult, closedLoop } from '../support/closed-loop.ts'
import { quantile } from '../support/figures.ts'
import { dueMsOf, NumberedCheck, NumberedValues } from '../support/numbered-values.ts'
import { CpuMeter } from '../support/process-usage.ts'
import type { Peer, PeerClient } from './peer.ts'
import { Reading } from './reading.ts'

export type WorkName = 'stream' | 'single' | 'paced'

export interface WorkOptions {
  readonly peer: Peer
  readonly client: PeerClient
  readonly log: string
  readonly serverPid: number | null
  readonly sizeBytes: number
  readonly seconds: number
}

export type WorkFigures = Readonly<Record<string, number>>

export const pacedRate = 10_000
/** Part of the time, before the measured one, in which code and caches become warm. */
const warmUp = 0.25

const endAfter = (seconds: number): number => performance.now() + seconds * 1000

/** CPU seconds of the server and of this process for a million records. */
class Costs {
  readonly #server: CpuMeter | null
  readonly #own = new CpuMeter(process.pid)

  constructor(serverPid: number | null) {
    this.#server = serverPid === null ? null : new CpuMeter(serverPid)
  }

  perMillion(what: string, records: number): WorkFigures {
    const own = this.#own.usedSeconds
    const server = this.#server?.usedSeconds ?? null
    return {
      ...(own !== null && { [`${what}ClientCpu`]: (own / records) * 1e6 }),
      ...(server !== null && { [`${what}ServerCpu`]: (server / records) * 1e6 }),
    }
  }
}

interface Sent extends ClosedLoopResult, Written {
  readonly figures: WorkFigures
}

async function produce(options: WorkOptions): Promise<Sent> {
  const { peer, client, log, sizeBytes, seconds } = options
  const window = Math.max(16, Math.floor(peer.windowBytes / (sizeBytes + 16)))
  const ring = 2 * window
  const values = new NumberedValues(sizeBytes, ring)
  const send = (): Promise<unknown> => client.send(log, values.take())
  await closedLoop({ window, endMs: endAfter(seconds * warmUp), send })
  const costs = new Costs(options.serverPid)
  const result = await closedLoop({ window, endMs: endAfter(seconds), send })
  const figures = costs.perMillion('produce', result.answered)
  return { ...result, figures, ring, total: values.taken }
}

interface Log {
  readonly client: PeerClient
  readonly log: string
  readonly sizeBytes: number
}

interface Written {
  readonly ring: number
  readonly total: number
}

/** Reads the whole log and compares every byte. @throws Error that says what is wrong */
async function compareAll({ client, log, sizeBytes }: Log, sent: Written): Promise<void> {
  const check = new NumberedCheck(sizeBytes, sent.ring)
  const { total } = sent
  const reading = await Reading.begin({ client, log, from: 'start', check, total })
  await reading.all()
  await reading.end()
}

/** Reads the whole log; the time runs from behind the first delivery to the last record. */
async function consume(options: WorkOptions, { ring, total }: Written): Promise<WorkFigures> {
  const { client, log, sizeBytes, serverPid } = options
  const check = new NumberedCheck(sizeBytes, ring, 'last byte')
  let begun: { readonly count: number; readonly ms: number; readonly costs: Costs } | null = null
  const begin = (): void => {
    begun = { count: check.count, ms: performance.now(), costs: new Costs(serverPid) }
  }
  const onValue = (): void => {
    if (check.count === 0) setImmediate(begin)
  }
  const reading = await Reading.begin({ client, log, from: 'start', check, total, onValue })
  await reading.all()
  const figures = ratesSince(begun, total)
  await reading.end()
  return figures
}

/** Nothing where all came in one delivery: then nothing was timed. */
function ratesSince(
  begun: { readonly count: number; readonly ms: number; readonly costs: Costs } | null,
  total: number,
): WorkFigures {
  if (begun === null || begun.count === total) return {}
  const { count, ms, costs } = begun
  const seconds = (performance.now() - ms) / 1000
  return { consumeRate: (total - count) / seconds, ...costs.perMillion('consume', total - count) }
}

async function stream(options: WorkOptions): Promise<WorkFigures> {
  const sent = await produce(options)
  await compareAll(options, sent)
  const read = await consume(options, sent)
  return { produceRate: sent.answered / sent.seconds, ...sent.figures, ...read }
}

async function single(options: WorkOptions): Promise<WorkFigures> {
  const { client, log, sizeBytes, seconds } = options
  const ring = 2
  const values = new NumberedValues(sizeBytes, ring)
  const latencies: number[] = []
  const send = async (): Promise<void> => {
    const startMs = performance.now()
    await client.send(log, values.take())
    latencies.push(performance.now() - startMs)
  }
  await closedLoop({ window: 1, endMs: endAfter(seconds * warmUp), send })
  latencies.length = 0
  await closedLoop({ window: 1, endMs: endAfter(seconds), send })
  await compareAll(options, { ring, total: values.taken })
  return { singleP50: quantile(latencies, 0.5), singleP99: quantile(latencies, 0.99) }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function paced(options: WorkOptions): Promise<WorkFigures> {
  const { client, log, sizeBytes, seconds, serverPid } = options
  const total = Math.round(pacedRate * seconds * (1 + warmUp))
  const cold = Math.round(pacedRate * seconds * warmUp)
  const values = new NumberedValues(sizeBytes, total)
  const check = new NumberedCheck(sizeBytes, total)
  const latencies: number[] = []
  const onValue = (value: Uint8Array): void => {
    if (check.count >= cold) latencies.push(performance.now() - dueMsOf(value))
  }
  const reading = await Reading.begin({ client, log, from: 'end', check, total, onValue })
  const costs = new Costs(serverPid)
  const startMs = performance.now()
  while (values.taken < total) {
    const dueCount = Math.min(total, ((performance.now() - startMs) * pacedRate) / 1000)
    while (values.taken < dueCount) {
      const dueMs = startMs + (values.taken * 1000) / pacedRate
      client.send(log, values.take(dueMs)).catch(error => reading.fail(error))
    }
    await turn()
  }
  await reading.all()
  const figures = costs.perMillion('paced', total)
  await reading.end()
  return { pacedP50: quantile(latencies, 0.5), pacedP99: quantile(latencies, 0.99), ...figures }
}

const works: Record<WorkName, (options: WorkOptions) => Promise<WorkFigures>> = {
  stream,
  single,
  paced,
}

/** One work on an empty log, which is gone afterwards. */
export async function doWork(name: WorkName, options: WorkOptions): Promise<WorkFigures> {
  await options.client.create(options.log)
  try {
    return await works[name](options)
  } finally {
    await options.client.delete(options.log)
  }
}

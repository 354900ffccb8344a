/**
 * Ground: a fresh broker with one client for one point of a curve.
 *
 * Always true: client and broker are gone when `withBroker` returns or throws.
 * Used by the curves of this folder.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, connect } from '../../client/index.ts'
import type { BrokerProcess } from '../demo/broker-process.ts'
import { median } from '../support/figures.ts'
import { CpuMeter, residentBytes } from '../support/process-usage.ts'
import type { CurveTools, Figures, SeriesPlan } from './curve.ts'

export interface Ground {
  readonly tools: CurveTools
  readonly broker: BrokerProcess
  readonly client: Client
}

export async function withBroker(
  tools: CurveTools,
  flags: readonly string[],
  use: (ground: Ground) => Promise<Figures>,
): Promise<Figures> {
  const broker = await tools.startBroker(await tools.newDirectory(), flags)
  try {
    const client = await connect({ servers: broker.url })
    try {
      return await use({ tools, broker, client })
    } finally {
      await client.close()
    }
  } finally {
    await broker.stop()
  }
}

/** NaN where the system does not tell. */
export function brokerResidentBytes({ broker }: Ground): number {
  return residentBytes(broker.pid) ?? Number.NaN
}

/** Fewer of them weigh less than the broker's memory moves by itself. */
const fewestWeighed = 100
const settleMs = 1000

/**
 * KiB that each of `count` things added to the broker's resident memory since it had `before`
 * bytes, after a moment of rest; null where they are too few to be told from noise.
 */
export async function residentKibEach(
  ground: Ground,
  before: number,
  count: number,
): Promise<number | null> {
  if (count < fewestWeighed) return null
  await sleep(settleMs)
  return (brokerResidentBytes(ground) - before) / count / 1024
}

/** performance.now() at which what begins now has had its time. */
export function endOf(tools: CurveTools, share = 1): number {
  return performance.now() + tools.seconds * share * 1000
}

/** Median milliseconds of `step`, again and again; the first two do not count. */
export async function medianMs(
  tools: CurveTools,
  step: (n: number) => Promise<unknown>,
): Promise<{ readonly ms: number; readonly steps: number }> {
  const times: number[] = []
  const endMs = endOf(tools)
  while (times.length < 5 || performance.now() < endMs) {
    const startMs = performance.now()
    await step(times.length)
    times.push(performance.now() - startMs)
  }
  return { ms: median(times.slice(2)), steps: times.length }
}

/** How busy broker and clients are, in cores, from now on: it tells which of them is the limit. */
export class BothCores {
  readonly #broker: CpuMeter
  readonly #clients = new CpuMeter(process.pid)
  readonly #startMs = performance.now()

  constructor({ broker }: Ground) {
    this.#broker = new CpuMeter(broker.pid)
  }

  /** CPU seconds of the broker so far; NaN where the system does not tell. */
  get brokerSeconds(): number {
    return this.#broker.usedSeconds ?? Number.NaN
  }

  /** As `<name>BrokerCores` and `<name>ClientCores`. */
  figures(name: string): Figures {
    const seconds = (performance.now() - this.#startMs) / 1000
    const clients = this.#clients.usedSeconds ?? Number.NaN
    return {
      [`${name}BrokerCores`]: this.brokerSeconds / seconds,
      [`${name}ClientCores`]: clients / seconds,
    }
  }
}

/** The series of BothCores. */
export function coresSeries(name: string, what: string): SeriesPlan[] {
  const plan = { unit: 'cores', good: 'less', cause: '' } as const
  return [
    { key: `${name}BrokerCores`, label: `${what}: the broker is busy with`, ...plan },
    { key: `${name}ClientCores`, label: `${what}: the clients are busy with`, ...plan },
  ]
}

/**
 * Ground: a fresh broker with one client for one point of a curve.
 *
 * Always true: client and broker are gone when `withBroker` returns or throws.
 * Used by the curves of this folder.
 */
import { type Client, connect } from '../../client/index.ts'
import type { BrokerProcess } from '../demo/broker-process.ts'
import { median } from '../support/figures.ts'
import { residentBytes } from '../support/process-usage.ts'
import type { CurveTools, Figures } from './curve.ts'

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
  return residentBytes(broker.pid)?.now ?? Number.NaN
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

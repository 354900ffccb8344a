/**
 * Idle connections: opens many, times each, and weighs what they cost both sides.
 *
 * Always true: with a pace the time of a connection counts from when it was to be opened; some were
 * opened and closed before, so that what the first ones of a process bring along is not counted;
 * memory is looked at a second after those and a second after the last one opened; all are closed
 * in the end.
 * Used by bench connections.
 */
import { asSluiceError, SluiceError } from '../../../protocol/errors.ts'
import type { Client } from '../../types/client.ts'
import type { CommandContext } from '../command.ts'
import { Latencies, rounded } from './latencies.ts'
import { usageOf } from './local-broker.ts'
import type { ConnectionFigures } from './report.ts'

export interface IdlePlan {
  readonly count: number
  /** null = as fast as they open, some at a time. */
  readonly perSecond: number | null
}

export type Idle = Pick<
  ConnectionFigures,
  'openMs' | 'openedPerSecond' | 'brokerBytesPerConnection' | 'clientBytesPerConnection'
>

const atOnce = 32
/** Garbage of opening is to be collected before memory is looked at. */
const settleMs = 1000

const sleep = (context: CommandContext, ms: number): Promise<void> =>
  new Promise(resolve => context.world.timers.after(ms, resolve))

async function openOne(context: CommandContext): Promise<Client> {
  const { servers, timeoutMs, signal, connect } = context
  try {
    return await connect({
      servers,
      clientId: 'sluice-bench-idle',
      connectTimeoutMs: timeoutMs,
      signal: AbortSignal.any([signal]),
    })
  } catch (cause) {
    const { code, message } = asSluiceError(cause)
    throw new SluiceError(code, `a connection could not be opened: ${message}`, {
      cause,
      hint: 'sluice start --max-connections-per-address and --max-connections set how many may',
    })
  }
}

/** Opens all of them into `opened`; `times` gets the time of each. */
async function openAll(
  context: CommandContext,
  plan: IdlePlan,
  opened: Client[],
  times: Latencies,
): Promise<void> {
  const { clock } = context.world
  const { count, perSecond } = plan
  const startMs = clock.monotonicMs()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count && !context.signal.aborted) {
      const dueMs = perSecond === null ? null : startMs + (next * 1000) / perSecond
      next++
      const waitMs = dueMs === null ? 0 : dueMs - clock.monotonicMs()
      if (waitMs > 0) await sleep(context, waitMs)
      const sinceMs = dueMs ?? clock.monotonicMs()
      opened.push(await openOne(context))
      times.record(clock.monotonicMs() - sinceMs)
    }
  }
  const workers = await Promise.allSettled([...Array(atOnce)].map(worker))
  const failed = workers.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** What either side loads and compiles for its first connections is no part of what one costs. */
async function rehearse(context: CommandContext, count: number): Promise<void> {
  const opened: Client[] = []
  try {
    const plan = { count: Math.min(count, atOnce), perSecond: null }
    await openAll(context, plan, opened, new Latencies())
  } finally {
    await Promise.all(opened.map(client => client.close()))
  }
}

/** Lets both sides collect what opening or closing left. */
export const settle = (context: CommandContext): Promise<void> => sleep(context, settleMs)

async function memory(
  context: CommandContext,
  brokerPid: number | null,
): Promise<{ client: number; broker: number | null }> {
  const { host } = context.terminal
  const broker = brokerPid === null ? null : await usageOf(host, brokerPid)
  return { client: host.usage().rssBytes, broker: broker?.rssBytes ?? null }
}

/** Opens the connections, calls `use` with what they cost, closes them in every case. */
export async function withIdle<T>(
  context: CommandContext,
  brokerPid: number | null,
  plan: IdlePlan,
  use: (idle: Idle) => Promise<T>,
): Promise<T> {
  const { clock } = context.world
  const opened: Client[] = []
  const times = new Latencies()
  await rehearse(context, plan.count)
  await settle(context)
  const before = await memory(context, brokerPid)
  const startMs = clock.monotonicMs()
  try {
    await openAll(context, plan, opened, times)
    const seconds = Math.max(1e-6, (clock.monotonicMs() - startMs) / 1000)
    await settle(context)
    const after = await memory(context, brokerPid)
    const each = (now: number, then: number): number =>
      Math.max(0, Math.round((now - then) / plan.count))
    const { broker: brokerBefore } = before
    return await use({
      openMs: times.summary(),
      openedPerSecond: rounded(opened.length / seconds, 1),
      brokerBytesPerConnection:
        after.broker === null || brokerBefore === null ? null : each(after.broker, brokerBefore),
      clientBytesPerConnection: each(after.client, before.client),
    })
  } finally {
    await Promise.all(opened.map(client => client.close()))
  }
}

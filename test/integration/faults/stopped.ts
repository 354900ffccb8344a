/**
 * Stopped: SIGSTOP under load, as a machine that is paused or a process that swaps. Nothing is
 * acked meanwhile; after SIGCONT all goes on, and nobody within their timeouts has heard of it.
 *
 * Used by run.ts and time.test.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import type { Ledger } from './ledger.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { freeze, thaw } from './processes.ts'
import { settle } from './settle.ts'
import { Workplace } from './workplace.ts'

export interface StoppedReport {
  readonly acked: number
  readonly read: number
  readonly unansweredMeanwhile: number
  /** From SIGCONT to the first ack. */
  readonly firstAckMs: number
  /** What the reader got after SIGCONT and before the load ended. */
  readonly readAfter: number
}

/** @throws Error saying what did not hold */
export async function stopFor(stoppedMs: number): Promise<StoppedReport> {
  const place = new Workplace()
  let broker: BrokerProcess | null = null
  let load: Load | null = null
  try {
    broker = await startBrokerProcess({ dataDir: place.folder('data') })
    const client = await connectQuickly(broker.url)
    await client.admin.topics.create({ name: 'stopped', partitions: 3 })
    await client.close()
    const options: LoadOptions = {
      ...{ url: broker.url, topic: 'stopped', round: 7, valueBytes: 200 },
      idempotent: [true, true],
      pace: { records: 20, everyMs: 10 },
      deliveryTimeoutMs: stoppedMs + 30_000,
    }
    load = await Load.start(options)
    await sleep(500)
    return await pause(load, options, { pid: broker.pid, stoppedMs })
  } finally {
    if (broker !== null) thaw(broker.pid)
    await load?.abandon()
    await broker?.kill()
    place.remove()
  }
}

async function pause(
  load: Load,
  options: LoadOptions,
  { pid, stoppedMs }: { readonly pid: number; readonly stoppedMs: number },
): Promise<StoppedReport> {
  await freeze(pid)
  const { ledger } = load
  await drain(ledger)
  const ackedBefore = ledger.acked
  await sleep(stoppedMs)
  expect(ledger.acked === ackedBefore, 'a stopped broker acked')
  const unansweredMeanwhile = ledger.unanswered
  const readBefore = load.recordsRead
  const thawedMs = performance.now()
  thaw(pid)
  while (ledger.acked === ackedBefore && load.failure === null) {
    expect(performance.now() - thawedMs < 10_000, 'no ack within 10 s of SIGCONT')
    await sleep(5)
  }
  const firstAckMs = Math.round(performance.now() - thawedMs)
  await sleep(1000)
  const readAfter = load.recordsRead - readBefore
  const read = await settle(load, options)
  expect(readAfter > 0, 'the reader did not go on')
  return { acked: ledger.acked, read, unansweredMeanwhile, firstAckMs, readAfter }
}

/** What it had answered before is still on its way to us: until nothing comes for a while. */
async function drain(ledger: Ledger): Promise<void> {
  for (let quiet = 0, { acked } = ledger; quiet < 4; ) {
    await sleep(100)
    quiet = ledger.acked === acked ? quiet + 1 : 0
    acked = ledger.acked
  }
}

/** @throws Error saying what did not hold */
export async function stops({ rounds, say }: LaneOptions): Promise<Facts> {
  const facts = { rounds, stoppedMs: 30_000, acked: 0, read: 0, longestFirstAckMs: 0 }
  for (let round = 0; round < rounds; round++) {
    const report = await stopFor(facts.stoppedMs)
    facts.acked += report.acked
    facts.read += report.read
    facts.longestFirstAckMs = Math.max(facts.longestFirstAckMs, report.firstAckMs)
    say(`round ${round}: ${JSON.stringify(report)}`)
  }
  return facts
}

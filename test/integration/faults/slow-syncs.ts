/**
 * Slow syncs: each fdatasync of one partition takes 50 to 500 ms. Its acks wait for it, in order
 * and without an error; the other partition does not notice; the broker's memory stays where it is.
 *
 * Always true: an ack that came sooner than its fdatasync can have ended would be seen.
 * Used by run.ts and disk-errors.test.ts; needs strace.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { seeded } from './crash-plan.ts'
import { expect, type Facts, type LaneOptions, least, median } from './lane.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { memoryMiB } from './processes.ts'
import { settle } from './settle.ts'
import { straceWords } from './strace.ts'
import { Workplace } from './workplace.ts'

export interface SlowSyncs {
  readonly delayMs: number
  /** Of both loads together. */
  readonly forMs: number
  /** Less than the producers have under way: they are throttled, and must not hear of it. */
  readonly maxUncommitted: '4MiB' | '128MiB'
}

export interface SlowSyncsReport {
  readonly slowAcked: number
  readonly slowMedianMs: number
  readonly slowLeastMs: number
  readonly quickAcked: number
  readonly quickMedianMs: number
  readonly peakMiB: number
}

/** Far above what a broker needs, far below what an unbounded queue would come to. */
const maxPeakMiB = 320

/** @throws Error saying what did not hold */
export async function syncSlowly(plan: SlowSyncs): Promise<SlowSyncsReport> {
  const place = new Workplace()
  let broker: BrokerProcess | null = null
  try {
    const dataDir = place.folder('data')
    const wrapper = straceWords({
      output: join(place.directory, 'trace'),
      calls: ['fdatasync'],
      path: join(dataDir, 'slow-0', '00000000000000000000.log'),
      inject: `fdatasync:delay_enter=${plan.delayMs * 1000}`,
    })
    const flags = ['--max-uncommitted-bytes', plan.maxUncommitted]
    broker = await startBrokerProcess({ dataDir, wrapper, flags })
    return await drive(broker, plan)
  } finally {
    await broker?.kill()
    place.remove()
  }
}

async function drive(broker: BrokerProcess, plan: SlowSyncs): Promise<SlowSyncsReport> {
  const { url, pid } = broker
  const client = await connectQuickly(url)
  for (const name of ['slow', 'quick']) await client.admin.topics.create({ name })
  await client.close()
  const idempotent = [true, true]
  const slow: LoadOptions = { round: 1, valueBytes: 2000, url, topic: 'slow', idempotent }
  const pace = { records: 5, everyMs: 20 }
  const quick: LoadOptions = { ...slow, valueBytes: 100, topic: 'quick', idempotent: [true], pace }
  const loads: Load[] = []
  try {
    const slowLoad = await Load.start(slow)
    loads.push(slowLoad)
    const quickLoad = await Load.start(quick)
    loads.push(quickLoad)
    await sleep(plan.forMs)
    const peakMiB = memoryMiB(pid, 'VmHWM')
    await settle(slowLoad, slow)
    await settle(quickLoad, quick)
    return check(plan, slowLoad, quickLoad, peakMiB)
  } finally {
    for (const load of loads) await load.abandon()
  }
}

function check(plan: SlowSyncs, slow: Load, quick: Load, peakMiB: number): SlowSyncsReport {
  const { delayMs, maxUncommitted } = plan
  const report = {
    slowAcked: slow.ledger.acked,
    slowMedianMs: Math.round(median(slow.ledger.latenciesMs)),
    slowLeastMs: Math.round(least(slow.ledger.latenciesMs)),
    quickAcked: quick.ledger.acked,
    quickMedianMs: Math.round(median(quick.ledger.latenciesMs)),
    peakMiB: Math.round(peakMiB),
  }
  const said = JSON.stringify({ ...plan, ...report })
  expect(report.slowLeastMs >= delayMs, `an ack came before its fdatasync ended: ${said}`)
  // With room for little, the slow partition has all of it, and the other one waits too.
  const isShared = maxUncommitted === '128MiB'
  expect(!isShared || report.quickMedianMs < delayMs, `the other partition was held up: ${said}`)
  expect(peakMiB < maxPeakMiB, `the broker's memory grew: ${said}`)
  return report
}

/** @throws Error naming the round where something did not hold */
export async function slowSyncs({ rounds, seed, say }: LaneOptions): Promise<Facts> {
  const random = seeded(seed)
  const facts = { rounds, slowAcked: 0, quickAcked: 0, peakMiB: 0 }
  for (let round = 0; round < rounds; round++) {
    const maxUncommitted = round % 2 === 0 ? '128MiB' : '4MiB'
    const delayMs = 50 + Math.floor(random() * 450)
    const report = await syncSlowly({ delayMs, forMs: 4000, maxUncommitted })
    facts.slowAcked += report.slowAcked
    facts.quickAcked += report.quickAcked
    facts.peakMiB = Math.max(facts.peakMiB, report.peakMiB)
    say(`round ${round}: ${delayMs} ms, room ${maxUncommitted}: ${JSON.stringify(report)}`)
  }
  return facts
}

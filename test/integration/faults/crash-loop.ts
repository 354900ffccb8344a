/**
 * Crash loop: produce and read under load, take the broker down at a random moment in the way of
 * the `Crasher` (SIGKILL, or the power), start it again, read everything back.
 *
 *   broker n ── load ── crash ── (crash while starting) ── broker n+1, same port and directory ── the
 *   SDK goes on ── read all, compare ── the topic of the round before is still as it was, or gone
 *
 * Always true: a failed comparison names seed and round; the same seed draws the same plans (the
 * moment of the crash in the load is up to the machine). Acked records must be there once, at their
 * offset, with their bytes; records without an ack may be there once or not at all. A topic that
 * was created is there, one that was deleted is not, a log start that was moved does not go back.
 * Used by kills.ts and power-cuts.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import type { Client } from '../../../client/index.ts'
import { Comparison, type Content, compareTopic, type RecordShape } from './comparison.ts'
import { drawPlan, type RoundPlan, seeded } from './crash-plan.ts'
import type { Ledger } from './ledger.ts'
import { connectQuickly, Load } from './load.ts'
import { freeze } from './processes.ts'

/** A broker that runs, or is starting. */
export interface Victim {
  /** SIGSTOP; resolves when it does nothing more. */
  freeze(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

/** A way to take a broker down. */
export interface Crasher {
  readonly dataDir: string
  /** The words before the broker, where its fdatasyncs can be made slower. */
  slowly?(syncDelayMs: number): readonly string[]
  /** Resolves when the broker is gone and the next may start in `dataDir`; says what was done. */
  crash(victim: Victim, random: () => number): Promise<string>
}

export interface CrashLoopOptions {
  readonly rounds: number
  readonly seed: number
  readonly crasher: Crasher
  /** Told after each round. */
  readonly onRound?: (report: RoundReport) => void
}

export interface RoundReport {
  readonly round: number
  readonly plan: RoundPlan
  /** What was done to the broker, and to the starts after it. */
  readonly crashes: readonly string[]
  readonly sent: number
  readonly acked: number
  /** Records without an ack when the crash came. */
  readonly unanswered: number
  readonly rejected: number
  readonly read: number
  /** Of these, the reader had been given so many while the load ran. */
  readonly readLive: number
  readonly longestGapMs: number
  readonly ms: number
}

/** A topic whose load is over. */
interface Settled {
  readonly topic: string
  readonly shape: RecordShape
  readonly ledger: Ledger
  readonly read: Content
}

class CrashLoop {
  broker: BrokerProcess
  readonly #crasher: Crasher
  readonly #random: () => number
  #before: Settled | null = null

  constructor(broker: BrokerProcess, { crasher }: CrashLoopOptions, random: () => number) {
    this.broker = broker
    this.#crasher = crasher
    this.#random = random
  }

  async round(round: number, plan: RoundPlan): Promise<RoundReport> {
    const startedMs = performance.now()
    const topic = `load-${round}`
    const client = await connectQuickly(this.broker.url)
    let load: Load | null = null
    try {
      const configs = { 'segment.bytes': String(plan.segmentBytes) }
      await client.admin.topics.create({ name: topic, partitions: plan.partitions, configs })
      const shape = { round, valueBytes: plan.valueBytes }
      const { idempotent, compression } = plan
      const url = this.broker.url
      load = await Load.start({ ...shape, url, topic, idempotent, compression })
      await sleep(plan.crashAfterMs)
      if (plan.isAtAck) await load.nextAck(1000)
      const { unanswered } = load.ledger
      const crashes = await this.#crash(plan)
      await sleep(plan.afterMs)
      await load.stop()
      const { ledger, read } = load
      const settled = { topic, shape, ledger, read }
      await this.#check(client, settled)
      const { sent, acked, rejected, longestGapMs } = ledger
      const counts = { sent, acked, unanswered, rejected, longestGapMs }
      const all = { read: await compare(client, settled), readLive: load.recordsRead }
      this.#before = settled
      return { round, plan, crashes, ...counts, ...all, ms: performance.now() - startedMs }
    } finally {
      await load?.abandon()
      await client.close()
    }
  }

  /** Takes the broker down, and its next starts too where the plan says so; then it runs again. */
  async #crash(plan: RoundPlan): Promise<string[]> {
    const { address, startedInMs } = this.broker
    const { dataDir } = this.#crasher
    const { broker } = this
    const victim = { freeze: () => freeze(broker.pid), kill: () => broker.kill() }
    const said = [await this.#crasher.crash(victim, this.#random)]
    await sleep(plan.pauseMs)
    for (const part of plan.crashesOfStart) {
      const starting = beginStart(dataDir, address)
      await sleep(startedInMs * part)
      said.push(`${await this.#crasher.crash(starting, this.#random)} of a start`)
    }
    const { syncDelayMs } = plan
    const wrapper = syncDelayMs > 0 ? this.#crasher.slowly?.(syncDelayMs) : undefined
    const options = { dataDir, listen: address, ...(wrapper !== undefined && { wrapper }) }
    this.broker = await startBrokerProcess(options)
    return said
  }

  /** The topics are those that should be there, and the one of the round before is as it was. */
  async #check(client: Client, now: Settled): Promise<void> {
    const before = this.#before
    const expected = [now.topic, ...(before === null ? [] : [before.topic])].sort()
    const found = (await client.admin.topics.list()).map(({ name }) => name).sort()
    if (found.join() !== expected.join()) {
      throw new Error(`the topics are ${found}, and should be ${expected}`)
    }
    if (before === null) return
    await compare(client, before)
    await client.admin.topics.delete(before.topic)
  }
}

/** A broker that may still be starting when it is taken down. */
function beginStart(dataDir: string, listen: string): Victim {
  const giveUp = new AbortController()
  let pid = 0
  const onSpawn = (spawned: number): void => {
    pid = spawned
  }
  const options = { dataDir, listen, signal: giveUp.signal, onSpawn }
  const start = startBrokerProcess(options).catch(error => {
    if (!giveUp.signal.aborted) throw error
    return null
  })
  // It may fail while nobody waits for it yet; `kill` says so.
  start.catch(() => {})
  return {
    freeze: () => freeze(pid),
    kill: async () => {
      giveUp.abort()
      await (await start)?.kill()
    },
  }
}

/** Answers the number of records that were read. */
async function compare(client: Client, settled: Settled): Promise<number> {
  const { topic, shape, ledger, read } = settled
  const comparison = new Comparison(shape, ledger)
  try {
    await compareTopic(client, topic, comparison, read)
  } catch (error) {
    throw new Error(`${topic}: ${messageOf(error)}`, { cause: error })
  }
  return comparison.read
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/**
 * Resolves with the reports of all rounds. @throws Error naming seed and round where a record is
 * lost, doubled or wrong
 */
export async function crashLoop(options: CrashLoopOptions): Promise<RoundReport[]> {
  const random = seeded(options.seed)
  const { dataDir } = options.crasher
  const reports: RoundReport[] = []
  const loop = new CrashLoop(await startBrokerProcess({ dataDir }), options, random)
  try {
    for (let round = 0; round < options.rounds; round++) {
      const plan = drawPlan(random)
      try {
        const report = await loop.round(round, plan)
        reports.push(report)
        options.onRound?.(report)
      } catch (cause) {
        const where = `seed ${options.seed}, round ${round}, ${JSON.stringify(plan)}`
        const log = loop.broker.log().trim().split('\n').slice(-5).join('\n')
        throw new Error(`${where}: ${messageOf(cause)}\nthe broker said: ${log}`, { cause })
      }
    }
    return reports
  } finally {
    await loop.broker.kill()
  }
}

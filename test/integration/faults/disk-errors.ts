/**
 * Disk errors: one system call of a broker under load fails, and the broker must end at once, by
 * itself, with the reason on stderr (S1, C6).
 *
 *   fdatasync, fsync of a directory: EIO or ENOSPC      write: EIO      → exit code 70, restart, compare
 *
 * Always true: after the error nothing is synced or written again to that file, because the kernel
 * may have dropped its pages and would say ok; nothing acked is lost, nothing refused is there.
 * Used by run.ts and disk-errors.test.ts; needs strace.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { SluiceError } from '../../../client/index.ts'
import { Comparison, compareTopic } from './comparison.ts'
import { seeded } from './crash-plan.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import { connectQuickly, Load } from './load.ts'
import { oneThread, readTrace, straceWords, type TracedCall } from './strace.ts'
import { Workplace } from './workplace.ts'

export interface DiskError {
  readonly call: string
  readonly error: 'EIO' | 'ENOSPC'
  /** It is the n-th such call that fails. */
  readonly when: number
}

const syncs = ['fdatasync', 'fsync']
const writes = ['pwrite64', 'pwritev']
/** RealProcess ends a broker with this. */
const fatalExitCode = 70
const deathTimeoutMs = 20_000

/** Low numbers fail in the start and in what a new topic needs, high ones under load. */
export function drawError(random: () => number, round: number): DiskError {
  const call = [...syncs, ...writes][round % 4] ?? 'fdatasync'
  const isFull = syncs.includes(call) && random() < 0.3
  const highest = { fdatasync: 90, fsync: 30, pwrite64: 40, pwritev: 25 }[call] ?? 30
  return { call, error: isFull ? 'ENOSPC' : 'EIO', when: 1 + Math.floor(random() * highest) }
}

export interface DiskErrorReport extends DiskError {
  readonly acked: number
  readonly unanswered: number
  readonly read: number
  /** The file whose call failed. */
  readonly path: string
}

/** @throws Error saying what did not hold */
export async function dieOfDiskError(error: DiskError, round: number): Promise<DiskErrorReport> {
  const place = new Workplace()
  try {
    return await new Run(place, error, round).run()
  } finally {
    place.remove()
  }
}

const topic = 'errors'

class Run {
  readonly #error: DiskError
  readonly #shape: { readonly round: number; readonly valueBytes: number }
  readonly #trace: string
  readonly #dataDir: string
  #refused = false
  #load: Load | null = null

  constructor(place: Workplace, error: DiskError, round: number) {
    this.#error = error
    this.#shape = { round, valueBytes: 700 }
    this.#trace = join(place.directory, 'trace')
    this.#dataDir = place.folder('data')
  }

  async run(): Promise<DiskErrorReport> {
    const failing = await this.#startFailing()
    const address = failing?.address ?? '127.0.0.1:0'
    try {
      if (failing !== null) await this.#driveToDeath(failing)
      const path = this.#checkedTrace()
      const next = await startBrokerProcess({ dataDir: this.#dataDir, listen: address })
      const rest = await this.#settle(next.url).finally(() => next.kill())
      return { ...this.#error, ...rest, path }
    } finally {
      await this.#load?.abandon()
      await failing?.kill()
    }
  }

  /** The broker that fails; null where it ended while it was starting. */
  async #startFailing(): Promise<BrokerProcess | null> {
    const { call, error, when } = this.#error
    const inject = `${call}:error=${error}:when=${when}`
    const wrapper = straceWords({ output: this.#trace, calls: [...syncs, ...writes], inject })
    try {
      const dataDir = this.#dataDir
      return await startBrokerProcess({ dataDir, environment: oneThread, wrapper })
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause)
      expect(/exit [1-9]\d*\)/.test(said) && said.includes(error), `the start ended so: ${said}`)
      return null
    }
  }

  async #driveToDeath(broker: BrokerProcess): Promise<void> {
    const made = await this.#makeTopic(broker.url)
    if (made !== 'ended') await this.#startLoad(broker.url)
    if (made === 'refused') {
      await sleep(100)
      return broker.kill()
    }
    const late = sleep(deathTimeoutMs, 'alive' as const, { ref: false })
    const code = await Promise.race([broker.exited, late])
    const log = broker.log()
    expect(code === fatalExitCode, `the broker is ${code}, not ended by ${fatalExitCode}: ${log}`)
    const { error } = this.#error
    expect(/^FATAL: .+/m.test(log) && log.includes(error), `it did not say why: ${log}`)
  }

  /**
   * A topic whose directory could not be written is refused, because nothing of it is there yet;
   * the next attempt must succeed.
   */
  async #makeTopic(url: string): Promise<'made' | 'refused' | 'ended'> {
    const client = await connectQuickly(url)
    const spec = { name: topic, partitions: 2, configs: { 'segment.bytes': '262144' } }
    try {
      await client.admin.topics.create(spec)
      return 'made'
    } catch (error) {
      if (!SluiceError.is(error, 'KAFKA_STORAGE_ERROR')) return 'ended'
      this.#refused = true
      await client.admin.topics.create(spec)
      return 'refused'
    } finally {
      await client.close()
    }
  }

  /** No load where the broker ended before the producers were connected. */
  async #startLoad(url: string): Promise<void> {
    const idempotent = [true, false]
    const options = { ...this.#shape, url, topic, idempotent, batchBytes: 16_384 }
    this.#load = await Load.start(options).catch(() => null)
  }

  #checkedTrace(): string {
    const calls = readTrace(this.#trace)
    const [first] = calls.filter(call => call.isInjected)
    if (!this.#refused) return checkTrace(calls)
    expect(writes.includes(first?.name ?? ''), `a topic was refused for a failed ${first?.name}`)
    return first?.path ?? ''
  }

  async #settle(url: string) {
    const load = this.#load
    if (load === null) return { acked: 0, unanswered: 0, read: 0 }
    const { unanswered } = load.ledger
    await load.stop()
    const comparison = new Comparison(this.#shape, load.ledger)
    const client = await connectQuickly(url)
    await compareTopic(client, topic, comparison, load.read).finally(() => client.close())
    return { acked: load.ledger.acked, unanswered, read: comparison.read }
  }
}

/** Answers the file of the call that failed. @throws Error where the broker went on with it */
export function checkTrace(calls: readonly TracedCall[]): string {
  const failed = calls.filter(call => call.isInjected)
  const [first] = failed
  if (first === undefined) throw new Error('no call failed')
  expect(failed.length === 1, `${failed.length} calls failed, not one`)
  const again = calls.find(call => call.begunAt > first.endedAt && call.path === first.path)
  const [name, path] = [again?.name, first.path]
  // Several parts of the broker sync a directory, and one may have been waiting for the only thread
  // of the pool. A file has one that writes it.
  const mayHaveWaited = first.name === 'fsync' && again?.name === 'fsync'
  const isRetried = again !== undefined && !mayHaveWaited
  expect(!isRetried, `after a failed ${first.name} of ${path} came a ${name} of it`)
  return path
}

/** @throws Error naming seed and round where something did not hold */
export async function diskErrors({ rounds, seed, say }: LaneOptions): Promise<Facts> {
  const random = seeded(seed)
  const facts = { rounds, underLoad: 0, acked: 0, unansweredThen: 0, readBack: 0 }
  for (let round = 0; round < rounds; round++) {
    const error = drawError(random, round)
    const what = `${error.call} number ${error.when} says ${error.error}`
    try {
      const report = await dieOfDiskError(error, round)
      facts.underLoad += report.acked > 0 ? 1 : 0
      facts.acked += report.acked
      facts.unansweredThen += report.unanswered
      facts.readBack += report.read
      const file = report.path.split('/').slice(-2).join('/')
      say(`round ${round}: ${what} (${file}); acked ${report.acked}, read ${report.read}`)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`seed ${seed}, round ${round}: ${what}: ${why}`, { cause })
    }
  }
  return facts
}

/**
 * Storage log: the real log manager alone on a simulated machine, under crashes, power losses and
 * failing, full and slow disks, with a list of what was appended and acked beside it.
 *
 *   workload ── append, trim, clean restart ──> log ── write, fsync ──> disk <── trouble
 *
 * Always true: after each start every acked record is there at its offset, what is there is what
 * was appended, and a repeated batch is a duplicate exactly if it is there.
 * Called by index.ts.
 */

import { openLogs } from '../../../broker/storage/log-manager.ts'
import type { StorageLimits } from '../../../broker/storage/shared.ts'
import type { LogSettings, PartitionLog, PartitionLogs } from '../../../broker/storage/types.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import {
  batchOf,
  defaultSettings,
  orders,
  readAll,
  valuesOf,
} from '../../support/storage-fixture.ts'
import { loseEverything } from '../power-loss.ts'
import type { Scenario } from '../scenario.ts'
import type { SimWorld } from '../sim-world.ts'
import { kindsOf, makeTrouble, type TroubleKind } from '../trouble.ts'

const machine = 'broker'
/** Power goes twice as often. */
const kinds: readonly TroubleKind[] = [
  'crash',
  'power',
  'power',
  'eio',
  'full',
  'slow',
  'clock',
  'none',
]
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const limits: Partial<StorageLimits> = {
  minFreeBytes: 0,
  tailCacheBytes: 3000,
  reserveBytes: 2000,
  checkpointIntervalMs: 20,
  retentionCheckIntervalMs: 100,
}

export const storageLog: Scenario = {
  name: 'storage-log',
  faults: kindsOf(kinds),
  deadlineMs: 600_000,
  run: async world => {
    const { random } = world
    const flush = random.chance(0.7) ? 'commit' : 'os'
    const life = new LogLife(world, {
      ...defaultSettings,
      segmentBytes: random.between(300, 3000),
      indexIntervalBytes: 200,
      segmentMs: random.pick([50, 3_600_000]),
      retentionBytes: random.pick([-1, 4000]),
      flush,
    })
    await prepare(world.node(machine))
    life.start()
    await makeTrouble(world, {
      server: machine,
      client: 'nobody',
      kinds,
      maxRounds: random.between(3, 12),
      // One trouble soon after another finds a start half done.
      calmMs: random.pick([4, 40]),
      troubleMs: 30,
      isOver: () => false,
      start: () => life.start(),
    })
    world.powerLoss(machine, loseEverything)
    await life.finish()
  },
}

async function prepare({ disk }: BrokerWorld): Promise<void> {
  await disk.makeDirectory('/data')
  await disk.syncDirectory('/')
}

interface Produced {
  readonly sequence: number
  readonly baseOffset: number
  readonly values: readonly string[]
}

class LogLife {
  readonly #world: SimWorld
  readonly #settings: LogSettings
  /** What is or was in the log, by offset. */
  readonly #values: string[] = []
  /** Batches of the one idempotent producer, in order. */
  readonly #produced: Produced[] = []
  #acked = 0
  #durable = 0
  #startMin = 0
  #count = 0
  #producerId = 7
  readonly #trimChance: number

  constructor(world: SimWorld, settings: LogSettings) {
    this.#world = world
    this.#settings = settings
    this.#trimChance = world.random.pick([0.05, 0.3])
  }

  /** Begins a life of the process; it ends with the process. */
  start(): void {
    const node = this.#world.node(machine)
    this.#live(node).catch(error => {
      // Not even a start is promised on a failing disk; a wrong answer fails the run.
      if (error instanceof WrongLog) this.#world.scheduler.fail(error)
      else node.process.die('the log could not be opened', error)
    })
  }

  /** The disk is well again: what is there now, and after one more clean restart, is checked. */
  async finish(): Promise<void> {
    const node = this.#world.node(machine)
    const { log, logs } = await this.#open(node)
    await this.#check(log)
    await logs.closeCleanly()
    const again = await this.#open(node)
    await this.#check(again.log)
    await again.logs.closeCleanly()
  }

  async #open(world: BrokerWorld): Promise<{ log: PartitionLog; logs: PartitionLogs }> {
    const logs = await openLogs({ dataDir: '/data', world, limits, logger: silent })
    return { logs, log: await logs.open(orders, this.#settings) }
  }

  async #live(node: BrokerWorld): Promise<void> {
    const { random } = this.#world
    const pause = () =>
      new Promise<void>(resolve => node.timers.after(random.exponential(1.5), resolve))
    for (;;) {
      const { log, logs } = await this.#open(node)
      await this.#check(log)
      for (let left = random.between(5, 80); left > 0; left--) {
        for (let burst = random.between(0, 3); burst > 0; burst--) this.#append(log)
        if (random.chance(this.#trimChance)) void this.#trim(log)
        await pause()
        this.#durable = Math.max(this.#durable, Math.min(this.#acked, log.durableEndOffset))
      }
      await logs.closeCleanly()
    }
  }

  #append(log: PartitionLog): void {
    const { random } = this.#world
    const baseOffset = log.logEndOffset
    const values = Array.from(
      { length: random.between(1, 4) },
      () => `value ${this.#count++} ${'.'.repeat(random.chance(0.1) ? random.below(5000) : 5)}`,
    )
    const last = this.#produced.at(-1)
    const sequence = last === undefined ? 0 : last.sequence + last.values.length
    const isIdempotent = random.chance(0.3)
    try {
      const batch = {
        values,
        ...(isIdempotent && { producer: { id: this.#producerId, sequence } }),
      }
      const { lastOffset } = log.appendAsLeader(batchOf(batch))
      this.#forgetFrom(baseOffset)
      this.#values.push(...values)
      if (isIdempotent) this.#produced.push({ sequence, baseOffset, values })
      log.whenCommitted(lastOffset, error => this.#answered(lastOffset, error, log))
    } catch (error) {
      if (!SluiceError.is(error, 'DISK_FULL') && !SluiceError.is(error, 'THROTTLED')) throw error
    }
  }

  #answered(lastOffset: number, error: SluiceError | null, log: PartitionLog): void {
    if (error === null) this.#acked = Math.max(this.#acked, lastOffset + 1)
    else if (error.code !== 'DISK_FULL') this.#fail(`a batch was answered with ${error.code}`)
    else this.#forgetFrom(log.logEndOffset)
  }

  #forgetFrom(offset: number): void {
    this.#values.length = Math.min(this.#values.length, offset)
    const lost = this.#produced.findIndex(batch => batch.baseOffset >= offset)
    if (lost >= 0) this.#produced.length = lost
  }

  async #trim(log: PartitionLog): Promise<void> {
    const { random } = this.#world
    const before = random.between(log.logStartOffset, log.highWatermark)
    try {
      this.#startMin = Math.max(this.#startMin, await log.trim(before))
    } catch (error) {
      if (!SluiceError.is(error, 'DISK_FULL') && !SluiceError.is(error, 'CLOSED')) throw error
    }
  }

  async #check(log: PartitionLog): Promise<void> {
    const { start, end, values } = await readWhole(log)
    const required = this.#settings.flush === 'commit' ? this.#acked : this.#durable
    const { state, reason } = log.describe()
    if (state !== 'ok') this.#fail(`quarantined: ${reason}`)
    if (end < required) this.#fail(`the log ends at ${end}, acked was ${required}`)
    if (start < this.#startMin) this.#fail(`it starts at ${start}, trimmed to ${this.#startMin}`)
    if (end > this.#values.length && end > start)
      this.#fail(`it ends at ${end}, beyond all appends`)
    for (let offset = start; offset < end; offset++) {
      const found = values[offset - start]
      if (found === this.#values[offset]) continue
      const [is, was] = [found, this.#values[offset]].map(value => value?.slice(0, 20))
      this.#fail(`offset ${offset} holds ${is}, appended was ${was}`)
    }
    if (values.length !== end - start) this.#fail('offsets are missing')
    this.#acked = Math.min(this.#acked, end)
    this.#forgetFrom(end)
    const isEmpty = start === end
    // flush=os: the log may go on from its start, and what a power loss took below it is not known.
    if (isEmpty && this.#settings.flush === 'os') {
      this.#produced.length = 0
      this.#producerId++
    } else this.#checkRepeated(log)
  }

  /** The last batch of the idempotent producer that is there is a duplicate. */
  #checkRepeated(log: PartitionLog): void {
    const last = this.#produced.at(-1)
    if (last === undefined) return
    const { sequence, values, baseOffset } = last
    try {
      const again = log.appendAsLeader(
        batchOf({ values, producer: { id: this.#producerId, sequence } }),
      )
      if (again.duplicate && again.baseOffset === baseOffset) return
      this.#fail(`the batch at ${baseOffset} was taken a second time, at ${again.baseOffset}`)
    } catch (error) {
      if (SluiceError.is(error, 'DISK_FULL')) return
      // flush=os: a power loss may take both snapshots, and a trim the batches. It is refused, not
      // repeated.
      const isForgotten = SluiceError.is(error, 'UNKNOWN_PRODUCER_ID')
      if (!isForgotten || this.#settings.flush === 'commit') throw error
      this.#produced.length = 0
      this.#producerId++
    }
  }

  #fail(sentence: string): never {
    const error = new WrongLog(sentence)
    this.#world.scheduler.fail(error)
    throw error
  }
}

/** The log is not what it was promised to be. */
class WrongLog extends Error {
  override readonly name = 'WrongLog'
}

/** From the log start on; once more where retention moved that meanwhile. */
async function readWhole(
  log: PartitionLog,
): Promise<{ start: number; end: number; values: string[] }> {
  const { logStartOffset: start, highWatermark: end } = log
  try {
    return { start, end, values: valuesOf(await readAll(log, start, 500)) }
  } catch (error) {
    if (!SluiceError.is(error, 'OFFSET_OUT_OF_RANGE') || log.logStartOffset === start) throw error
    return readWhole(log)
  }
}

/**
 * Lost writes: a disk that really loses what it was given. Its blocks come from a tmpfs that has no
 * room left, so an fdatasync of ext4 fails once, the kernel counts the pages as clean, says ok to
 * the next fdatasync, and still shows the bytes until the power goes (S1).
 *
 *   load ── no blocks left: the broker ends ── a start ends too ── blocks are back ── broker, load
 *   goes on ── power cut ── broker ── compare
 *
 * Always true: what was in the page cache only, and was served or acked by the second broker, is on
 * disk by then; the kernel alone would have lost it.
 * Used by run.ts and disk-errors.test.ts; needs root and ext4.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { seeded } from './crash-plan.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { LoopDisk } from './loop-disk.ts'
import { freeze } from './processes.ts'
import { settle } from './settle.ts'
import { Workplace } from './workplace.ts'

export interface LostWritesReport {
  readonly acked: number
  readonly read: number
  /** Records without an answer when the broker ended. */
  readonly unanswered: number
  /** The exit of the start that still found no blocks; `ready` where it needed none. */
  readonly startWithoutBlocks: string
}

const MiB = 1024 * 1024
const topic = 'lost'

class ThinDisk {
  readonly disk: LoopDisk
  readonly #ballast: string

  constructor(place: Workplace) {
    const blocks = place.tmpfs('blocks', '160m')
    this.#ballast = join(blocks, 'ballast')
    // A small journal and few inodes, all used once below: what fails later is data alone.
    const format = ['-q', '-F', '-J', 'size=4', '-N', '512', '-E', 'lazy_itable_init=0']
    this.disk = new LoopDisk(blocks, 'ext4', { sizeBytes: 128 * MiB, format })
    this.#useJournalAndInodes()
  }

  #useJournalAndInodes(): void {
    const paths = Array.from({ length: 400 }, (_, n) => join(this.disk.directory, `used-${n}`))
    for (const path of paths) {
      const file = openSync(path, 'wx')
      writeSync(file, 'x')
      fsyncSync(file)
      closeSync(file)
    }
    const directory = openSync(this.disk.directory, 'r')
    for (let pass = 0; pass < 3; pass++) {
      for (const [n, path] of paths.entries()) {
        renameSync(path, `${path}.moved`)
        if (n % 3 === 0) fsyncSync(directory)
        renameSync(`${path}.moved`, path)
      }
    }
    for (const path of paths) rmSync(path)
    fsyncSync(directory)
    closeSync(directory)
  }

  /** From now on a block that was never written cannot be. */
  takeBlocks(): void {
    const file = openSync(this.#ballast, 'a')
    try {
      for (;;) if (writeSync(file, Buffer.alloc(4096)) < 4096) break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  giveBlocks(): void {
    unlinkSync(this.#ballast)
  }
}

class Story {
  readonly #thin: ThinDisk
  #broker: BrokerProcess | null = null
  #load: Load | null = null

  constructor(place: Workplace) {
    this.#thin = new ThinDisk(place)
  }

  async #start(listen?: string): Promise<BrokerProcess> {
    const dataDir = join(this.#thin.disk.directory, 'data')
    // The file system itself has room: it is the disk below it that has none.
    const flags = ['--min-free-bytes', '0']
    const options = { dataDir, flags, ...(listen !== undefined && { listen }) }
    this.#broker = await startBrokerProcess(options)
    return this.#broker
  }

  async run(random: () => number, round: number): Promise<LostWritesReport> {
    const first = await this.#start()
    const { url, address } = first
    const options: LoadOptions = {
      ...{ url, topic, round, valueBytes: 400, idempotent: [true, true, false] },
      pace: { records: 10, everyMs: 10 },
    }
    const client = await connectQuickly(url)
    const configs = { 'segment.bytes': String(4 * MiB) }
    await client.admin.topics.create({ name: topic, partitions: 2, configs })
    await client.close()
    const load = await Load.start(options)
    this.#load = load
    await sleep(150 + 300 * random())
    this.#thin.takeBlocks()
    await this.#checkDeath(first)
    const { unanswered } = load.ledger
    const startWithoutBlocks = await this.#startWithoutBlocks(address)
    this.#thin.giveBlocks()
    await this.#start(address)
    await load.nextAck(5000)
    await sleep(100 * random())
    await this.#cutPower(address)
    await load.nextAck(5000)
    const read = await settle(load, options)
    return { acked: load.ledger.acked, read, unanswered, startWithoutBlocks }
  }

  async #checkDeath(broker: BrokerProcess): Promise<void> {
    const late = sleep(20_000, 'alive' as const, { ref: false })
    const code = await Promise.race([broker.exited, late])
    const log = broker.log()
    expect(code === 70, `the broker is ${code}, not ended by 70: ${log}`)
    expect(/^FATAL: /m.test(log) && log.includes('fsync failed'), `it did not say why: ${log}`)
  }

  async #startWithoutBlocks(address: string): Promise<string> {
    try {
      const broker = await this.#start(address)
      await broker.kill()
      return 'ready'
    } catch (error) {
      const [, exit] = /\((exit [1-9]\d*)\)/.exec(String(error)) ?? []
      if (exit === undefined) throw error
      return exit
    }
  }

  async #cutPower(address: string): Promise<void> {
    const { disk } = this.#thin
    await freeze(this.#broker?.pid ?? 0)
    disk.cut()
    await this.#broker?.kill()
    await disk.remount()
    await this.#start(address)
  }

  async end(): Promise<void> {
    await this.#load?.abandon()
    await this.#broker?.kill()
  }
}

/** @throws Error saying what did not hold */
export async function loseWrites(random: () => number, round: number): Promise<LostWritesReport> {
  const place = new Workplace()
  let story: Story | null = null
  try {
    story = new Story(place)
    return await story.run(random, round)
  } finally {
    await story?.end()
    place.remove()
  }
}

/** @throws Error naming seed and round where something did not hold */
export async function lostWrites({ rounds, seed, say }: LaneOptions): Promise<Facts> {
  const random = seeded(seed)
  const facts = {
    rounds,
    acked: 0,
    read: 0,
    unanswered: 0,
    startsWithoutBlocks: 0,
  }
  for (let round = 0; round < rounds; round++) {
    const report = await loseWrites(random, round)
    facts.acked += report.acked
    facts.read += report.read
    facts.unanswered += report.unanswered
    facts.startsWithoutBlocks += report.startWithoutBlocks === 'ready' ? 0 : 1
    say(`round ${round}: ${JSON.stringify(report)}`)
  }
  return facts
}

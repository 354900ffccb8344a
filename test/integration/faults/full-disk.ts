/**
 * Full disk: a small tmpfs is filled up under a broker that is written to and read from (S2, S4).
 *
 *   filled ── writes refused as DISK_FULL, reads and retention go on ── kill -9 ── restart, still full
 *   ── trim ── emptied ── writes resume by themselves ── compare
 *
 * Always true: a producer within its delivery timeout hears nothing of it; a record that was
 * refused is nowhere. Two ways to be full: below `min.free.bytes`, where the broker still has room
 * for itself; and to the last byte, where writes are cut short by the kernel.
 * Used by run.ts and disk-errors.test.ts; needs root.
 */
import { closeSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import { type Client, connect, SluiceError } from '../../../client/index.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { settle } from './settle.ts'
import { Workplace } from './workplace.ts'

export type Fullness = 'below min.free.bytes' | 'to the last byte'

export interface FullDiskReport {
  readonly acked: number
  readonly read: number
  readonly refused: number
  readonly unansweredWhileFull: number
  /** From the moment of room to the first ack. */
  readonly resumedInMs: number
}

const sizeMiB = 48
const minFree = '8MiB'
const oldRecords = 400

/** @throws Error saying what did not hold */
export async function fillDisk(fullness: Fullness): Promise<FullDiskReport> {
  const place = new Workplace()
  let story: Story | null = null
  try {
    story = new Story(place.tmpfs('small', `${sizeMiB}m`), fullness)
    return await story.run()
  } finally {
    await story?.end()
    place.remove()
  }
}

class Story {
  readonly #fullness: Fullness
  readonly #disk: string
  readonly #ballast: string
  #broker: BrokerProcess | null = null
  #load: Load | null = null

  constructor(disk: string, fullness: Fullness) {
    this.#disk = disk
    this.#ballast = join(disk, 'ballast')
    this.#fullness = fullness
  }

  get #hasOwnRoom(): boolean {
    return this.#fullness === 'below min.free.bytes'
  }

  async #start(listen?: string): Promise<BrokerProcess> {
    const flags = ['--retention-check-interval-ms', '100ms']
    flags.push('--min-free-bytes', this.#hasOwnRoom ? minFree : '0')
    const dataDir = join(this.#disk, 'data')
    const options = { dataDir, flags, ...(listen !== undefined && { listen }) }
    this.#broker = await startBrokerProcess(options)
    return this.#broker
  }

  async run(): Promise<FullDiskReport> {
    const { url, address } = await this.#start()
    const client = await connectQuickly(url)
    try {
      await this.#prepare(client)
      const options = this.#loadOptions(url)
      const load = await Load.start(options)
      this.#load = load
      await sleep(400)
      await this.#write(client, 'aging')
      this.#fill()
      const agingStart = await this.#logStart(client, 'aging')
      const refused = await this.#probe(url)
      await this.#checkReads(client)
      if (this.#hasOwnRoom) await this.#checkRetention(client, agingStart)
      await this.#broker?.kill()
      await this.#start(address)
      const refusedAgain = await this.#probe(url)
      await this.#checkReads(client)
      if (this.#hasOwnRoom) await this.#checkTrim(client)
      const unansweredWhileFull = load.ledger.unanswered
      const resumedInMs = await this.#empty(load)
      await sleep(300)
      const read = await settle(load, options)
      const { acked } = load.ledger
      return { acked, read, refused: refused + refusedAgain, unansweredWhileFull, resumedInMs }
    } finally {
      await client.close()
    }
  }

  #loadOptions(url: string): LoadOptions {
    return {
      ...{ url, topic: 'load', round: 3, valueBytes: 500 },
      idempotent: [true, true, false],
      pace: { records: 5, everyMs: 10 },
      deliveryTimeoutMs: 60_000,
    }
  }

  /** Topics with segments to read, to trim and to grow old. */
  async #prepare(client: Client): Promise<void> {
    const small = { 'segment.bytes': '65536' }
    await client.admin.topics.create({ name: 'load', configs: { 'segment.bytes': '1MiB' } })
    await client.admin.topics.create({ name: 'old', configs: small })
    await client.admin.topics.create({
      name: 'aging',
      // What retention frees would be room on a disk that is to have none.
      configs: { ...small, ...(this.#hasOwnRoom && { 'retention.ms': '4s' }) },
    })
    await client.admin.topics.create({ name: 'probe' })
    await this.#write(client, 'old')
  }

  async #write(client: Client, name: string): Promise<void> {
    const topic = client.topic(name)
    for (let n = 0; n < oldRecords; n += 20) {
      const records = Array.from({ length: 20 }, () => ({ value: Buffer.alloc(2000, n) }))
      await topic.sendAll(records)
    }
  }

  #fill(): void {
    const keptBytes = this.#hasOwnRoom ? 4 * 1024 * 1024 : 0
    const block = Buffer.alloc(4096, 1)
    const file = openSync(this.#ballast, 'a')
    try {
      while (this.#freeBytes() > keptBytes) {
        if (writeSync(file, block) < block.length) break
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(file)
    }
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#disk)
    return bavail * bsize
  }

  /** The free space is looked at once a second; after that every record must be refused. */
  async #probe(url: string): Promise<number> {
    for (const startedMs = performance.now(); performance.now() - startedMs < 15_000; ) {
      if (await this.#isRefused(url)) {
        expect(await this.#isRefused(url), 'a full disk took a record after it had refused one')
        return 1
      }
    }
    throw new Error('a full disk took records for 15 s')
  }

  /** A producer that does not wait is told why, and that it may try again. */
  async #isRefused(url: string): Promise<boolean> {
    const producer = { deliveryTimeoutMs: 1000 }
    const client = await connect({ servers: url, producer, closeTimeoutMs: 100 })
    try {
      // Where nothing is left it must be too large for what is; where something is, not eat it up.
      const bytes = this.#hasOwnRoom ? 1000 : 100_000
      await client.topic('probe').send({ value: Buffer.alloc(bytes) })
    } catch (error) {
      const cause = SluiceError.is(error) ? error.cause : null
      const told = SluiceError.is(cause, 'DISK_FULL') && cause.retriable && !cause.maybeApplied
      expect(told, `a full disk was told as ${error}, because of ${cause}`)
      return true
    } finally {
      await client.close()
    }
    return false
  }

  async #checkReads(client: Client): Promise<void> {
    const consumer = client.consumer({ topics: ['old'], start: 'earliest', stopAtEnd: true })
    let count = 0
    for await (const batch of consumer.batches()) count += batch.count
    expect(count === oldRecords, `${count} of ${oldRecords} records were read while it was full`)
  }

  async #logStart(client: Client, name: string): Promise<number> {
    const { partitionDetails } = await client.admin.topics.describe(name)
    return partitionDetails[0]?.logStartOffset ?? 0
  }

  /** `startBefore`: of the log, when the disk had just become full. */
  async #checkRetention(client: Client, startBefore: number): Promise<void> {
    for (const startedMs = performance.now(); performance.now() - startedMs < 20_000; ) {
      if ((await this.#logStart(client, 'aging')) > startBefore) return
      await sleep(100)
    }
    throw new Error('retention does not work while the disk is full')
  }

  async #checkTrim(client: Client): Promise<void> {
    const answered = await client.admin.topics.trim('old', 0, oldRecords / 2)
    const start = await this.#logStart(client, 'old')
    expect(answered === start && start === oldRecords / 2, `a trim left the start at ${start}`)
  }

  /** Answers how long the load then waited. */
  async #empty(load: Load): Promise<number> {
    const { acked } = load.ledger
    const emptiedMs = performance.now()
    unlinkSync(this.#ballast)
    while (load.ledger.acked === acked && load.failure === null) {
      expect(performance.now() - emptiedMs < 10_000, 'writes did not resume within 10 s')
      await sleep(5)
    }
    return Math.round(performance.now() - emptiedMs)
  }

  async end(): Promise<void> {
    await this.#load?.abandon()
    await this.#broker?.kill()
  }
}

/** @throws Error saying what did not hold */
export async function fullDisks({ rounds, say }: LaneOptions): Promise<Facts> {
  const facts = { rounds, acked: 0, read: 0, refused: 0, longestResumeMs: 0 }
  for (let round = 0; round < rounds; round++) {
    const fullness = round % 2 === 0 ? 'below min.free.bytes' : 'to the last byte'
    const report = await fillDisk(fullness)
    facts.acked += report.acked
    facts.read += report.read
    facts.refused += report.refused
    facts.longestResumeMs = Math.max(facts.longestResumeMs, report.resumedInMs)
    say(`round ${round}: ${fullness}: ${JSON.stringify(report)}`)
  }
  return facts
}

/**
 * Clock jumps: the broker's wall clock goes 10 minutes forward, back, and 10 minutes back, while it
 * is written to and read from (S14). Its monotonic clock stays true, as in a machine whose time is
 * set.
 *
 * Always true: nothing is deleted before its time, whatever the clock says and whenever a segment
 * was sealed; the alarm is in the broker's log; acks, long polls and timers go on; when the clock
 * is right again, retention works again. (The producers' clock is ours, and true.)
 * Used by run.ts and time.test.ts; needs Debian's faketime.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BrokerProcess, startBrokerProcess } from '../../../bench/demo/broker-process.ts'
import type { Client } from '../../../client/index.ts'
import { expect, type Facts, type LaneOptions } from './lane.ts'
import { connectQuickly, Load, type LoadOptions } from './load.ts'
import { faketimeLibrary } from './needs.ts'
import { settle } from './settle.ts'
import { Workplace } from './workplace.ts'

const topic = 'clock'
const configs = { 'segment.bytes': '65536', 'retention.ms': '2m' }
/** Seconds from the truth, one after the other. */
const jumps = [600, 0, -600, 0]
/** No ack may be later than that while only the clock moves. */
const maxGapMs = 3000

export interface ClockReport {
  readonly acked: number
  readonly read: number
  readonly longestGapMs: number
  readonly alarms: number
  readonly segmentsSealed: number
  /** From the right time and a short retention to the first segment that went. */
  readonly retentionAfterMs: number
}

/** The wall clock of a process that was started with `environment`. */
class Clock {
  readonly environment: Readonly<Record<string, string>>
  readonly #file: string

  constructor(place: Workplace) {
    this.#file = join(place.directory, 'clock')
    this.set(0)
    this.environment = {
      LD_PRELOAD: faketimeLibrary() ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Seconds from the true time. The file is replaced, so that it is never read half written. */
  set(seconds: number): void {
    writeFileSync(`${this.#file}.new`, seconds < 0 ? `${seconds}` : `+${seconds}`)
    renameSync(`${this.#file}.new`, this.#file)
  }
}

/** @throws Error saying what did not hold */
export async function jumpClock(heldMs: number): Promise<ClockReport> {
  const place = new Workplace()
  const clock = new Clock(place)
  let broker: BrokerProcess | null = null
  let load: Load | null = null
  try {
    const flags = ['--retention-check-interval-ms', '100ms']
    const { environment } = clock
    broker = await startBrokerProcess({ dataDir: place.folder('data'), environment, flags })
    const { url } = broker
    const client = await connectQuickly(url)
    await client.admin.topics.create({ name: topic, configs })
    const options: LoadOptions = {
      ...{ url, topic, round: 5, valueBytes: 1000, idempotent: [true, false] },
      pace: { records: 5, everyMs: 20 },
    }
    load = await Load.start(options)
    await moveAround({ clock, broker, client, load }, heldMs)
    const { longestGapMs } = load.ledger
    expect(longestGapMs < maxGapMs, `no ack for ${longestGapMs} ms while only the clock moved`)
    const read = await settle(load, options)
    const alarms = alarmsOf(broker).length
    await checkTimes(client, options)
    const rest = { ...(await checkRetention(client)), alarms }
    await client.close()
    return { acked: load.ledger.acked, read, longestGapMs: Math.round(longestGapMs), ...rest }
  } finally {
    await load?.abandon()
    await broker?.kill()
    place.remove()
  }
}

/** How far the clock was off, in ms, each time the broker's log says so. */
function alarmsOf(broker: BrokerProcess): number[] {
  return [...broker.log().matchAll(/"jumpMs":(-?\d+)/g)].map(([, ms]) => Number(ms))
}

interface Scene {
  readonly clock: Clock
  readonly broker: BrokerProcess
  readonly client: Client
  readonly load: Load
}

async function moveAround(scene: Scene, heldMs: number): Promise<void> {
  const { clock, broker, client, load } = scene
  await sleep(heldMs)
  const made = [topic]
  for (const seconds of jumps) {
    clock.set(seconds)
    const { acked } = load.ledger
    const read = load.recordsRead
    await sleep(heldMs)
    const where = `with a clock ${seconds} s from the truth`
    // Each time away from the truth must be told; a clock that is right again is no alarm.
    const isTold = (ms: number): boolean => Math.abs(ms - seconds * 1000) < 10_000
    const isAway = seconds !== 0
    await until(() => !isAway || alarmsOf(broker).some(isTold), `no alarm ${where}`)
    await until(() => load.ledger.acked > acked, `nothing was acked ${where}`)
    await until(() => load.recordsRead > read, `nothing was read ${where}`)
    // Its oldest segments were sealed in this time, which may be wrong.
    await fillTopic(client, `begun-at${seconds}-${made.length}`)
    made.push(`begun-at${seconds}-${made.length}`)
    for (const name of made) {
      const start = (await describe(client, name)).logStartOffset
      expect(start === 0, `records of ${name} up to ${start} were deleted ${where}, after seconds`)
    }
  }
}

/** @throws Error saying `otherwise` where it does not hold within 10 s */
async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const startedMs = performance.now()
  while (!holds()) {
    expect(performance.now() - startedMs < 10_000, otherwise)
    await sleep(20)
  }
}

async function fillTopic(client: Client, name: string): Promise<void> {
  await client.admin.topics.create({ name, configs })
  for (let n = 0; n < 5; n++) {
    await client
      .topic(name)
      .sendAll(Array.from({ length: 40 }, () => ({ value: Buffer.alloc(1000) })))
  }
}

async function describe(client: Client, name = topic) {
  const [partition] = (await client.admin.topics.describe(name)).partitionDetails
  if (partition === undefined) throw new Error(`${name} has no partition`)
  return partition
}

/** The timestamps of records are those of their producers. */
async function checkTimes(client: Client, { url }: LoadOptions): Promise<void> {
  const consumer = client.consumer({ topics: [topic], start: 'earliest', stopAtEnd: true })
  const oldest = Date.now() - 5 * 60_000
  for await (const { timestamp, offset } of consumer) {
    const isSane = timestamp > oldest && timestamp <= Date.now()
    expect(isSane, `offset ${offset} at ${url} has the timestamp ${timestamp}`)
  }
}

/** Retention is not switched off for good. */
async function checkRetention(client: Client) {
  const segmentsSealed = (await describe(client)).segments.length - 1
  expect(segmentsSealed > 0, 'no segment was sealed, so nothing could have been deleted')
  await client.admin.topics.alter(topic, { 'retention.ms': '1s' })
  const startedMs = performance.now()
  while ((await describe(client)).logStartOffset === 0) {
    expect(performance.now() - startedMs < 10_000, 'retention does not work after a jump')
    await sleep(50)
  }
  return { segmentsSealed, retentionAfterMs: Math.round(performance.now() - startedMs) }
}

/** @throws Error saying what did not hold */
export async function clockJumps({ rounds, say }: LaneOptions): Promise<Facts> {
  const facts = { rounds, jumps: 0, acked: 0, read: 0, longestGapMs: 0, alarms: 0 }
  for (let round = 0; round < rounds; round++) {
    const report = await jumpClock(2500)
    facts.jumps += jumps.length
    facts.acked += report.acked
    facts.read += report.read
    facts.alarms += report.alarms
    facts.longestGapMs = Math.max(facts.longestGapMs, report.longestGapMs)
    say(`round ${round}: ${JSON.stringify(report)}`)
  }
  return facts
}

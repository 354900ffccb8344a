/**
 * Lanes: the four situations in which memory must stay flat, each with broker and SDK in processes
 * of their own.
 *
 * Always true: a lane's processes and files are gone when it has reported; sizes say how much, not
 * what.
 * Called by memory.test.ts (small) and run.ts (full).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../../client/index.ts'
import { MeasuredBroker, type MeasuredOptions } from './broker-child.ts'
import { Child, orEnd } from './child.ts'
import { LaneNotes, type LaneReport } from './lane.ts'
import { RssSeries } from './series.ts'
import { MiB, type Usage, untilBack } from './usage.ts'

/** What lies about between collections, code that was compiled, buffers of sockets. */
const slackBytes = 160 * MiB
/** So little that a topic of 200 MiB in memory is seen. */
const readerSlackBytes = 112 * MiB

class Pair {
  readonly broker: MeasuredBroker
  readonly sdk: Child
  /** Of the SDK's process before it had a client. */
  readonly sdkBefore: Usage

  private constructor(broker: MeasuredBroker, sdk: Child, sdkBefore: Usage) {
    this.broker = broker
    this.sdk = sdk
    this.sdkBefore = sdkBefore
  }

  static async start(options: MeasuredOptions): Promise<Pair> {
    const broker = await MeasuredBroker.start(options)
    return orEnd(broker, async () => {
      const sdk = await Child.start(new URL('./sdk-child.js', import.meta.url))
      return orEnd(sdk, async () => new Pair(broker, sdk, await sdk.ask<Usage>('usage')))
    })
  }

  /** Both have closed what they opened; their processes live on to tell. */
  async noteHandles(notes: LaneNotes): Promise<void> {
    notes.handles('sdk', await untilBack(this.sdkBefore, () => this.sdk.ask<Usage>('usage')))
    notes.handles('broker', await this.broker.leftAfterClose())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sdk.end()
    await this.broker[Symbol.asyncDispose]()
  }
}

async function createTopic(url: string, name: string, partitions: number): Promise<void> {
  await using client = await connect({ servers: url, requestTimeoutMs: 120_000 })
  await client.admin.topics.create({ name, partitions }, { timeoutMs: 120_000 })
}

/** A topic much larger than any cache is read from its begin to its end. */
export async function consumerLane({ megabytes }: { megabytes: number }): Promise<LaneReport> {
  const notes = new LaneNotes('consumer')
  const tailCacheBytes = 64 * MiB
  await using pair = await Pair.start({ config: { tailCacheBytes } })
  const { broker, sdk } = pair
  const topic = 'large'
  const filler = await Child.start(new URL('./sdk-child.js', import.meta.url))
  try {
    await filler.ask('fill', { url: broker.url, topic, megabytes })
  } finally {
    await filler.end()
  }
  const series = [new RssSeries(broker.pid), new RssSeries(sdk.pid)] as const
  const startedMs = performance.now()
  const bytes = await sdk.ask<number>('readAll', { url: broker.url, topic })
  const seconds = (performance.now() - startedMs) / 1000
  notes.say(
    `${(bytes / MiB).toFixed(0)} MiB read in ${seconds.toFixed(1)} s, ` +
      `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`,
  )
  notes.fact('readMiB', Math.round(bytes / MiB))
  notes.require(bytes >= megabytes * MiB, `only ${bytes} bytes of ${megabytes} MiB were read`)
  notes.series('broker', series[0], broker.idle.rssBytes + tailCacheBytes + slackBytes)
  const bufferBytes = 16 * MiB
  // One more answer and a batch, and what the collector has not seen to.
  notes.series('sdk', series[1], pair.sdkBefore.rssBytes + 2 * bufferBytes + readerSlackBytes)
  await pair.noteHandles(notes)
  return notes.report
}

export interface StalledSize {
  /** How long nothing moves. */
  readonly stallMs: number
  readonly deliveryTimeoutMs: number
}

/** The broker stands still, first as a process, then only its disk: the producer waits. */
export async function stalledLane(size: StalledSize): Promise<LaneReport> {
  const notes = new LaneNotes('stalled')
  const bufferBytes = 8 * MiB
  const { deliveryTimeoutMs } = size
  const maxUncommittedBytes = 16 * MiB
  const config = { maxUncommittedBytes, tailCacheBytes: 16 * MiB }
  await using pair = await Pair.start({ config, mayHang: true })
  const { broker, sdk } = pair
  for (const how of ['process', 'disk'] as const) {
    const { url } = broker
    await sdk.ask('stall', { url, topic: `stalled-${how}`, bufferBytes, deliveryTimeoutMs })
    await sleep(300)
    const series = [new RssSeries(broker.pid, 50), new RssSeries(sdk.pid, 50)] as const
    if (how === 'process') broker.child.signal('SIGSTOP')
    else await broker.child.ask('hangSyncs')
    await sleep(size.stallMs)
    const during = await sdk.ask<Record<string, number>>('counts')
    if (how === 'process') broker.child.signal('SIGCONT')
    else await broker.child.ask('releaseSyncs')
    const bounds = [config.tailCacheBytes + maxUncommittedBytes, 3 * bufferBytes] as const
    notes.say(`the ${how} stands still for ${size.stallMs} ms: ${JSON.stringify(during)}`)
    notes.series('broker', series[0], broker.idle.rssBytes + bounds[0] + slackBytes)
    notes.series('sdk', series[1], pair.sdkBefore.rssBytes + bounds[1] + slackBytes)
    notes.fact(how, during)
    const refused = (during['DELIVERY_TIMEOUT'] ?? 0) + (during['BUFFER_FULL'] ?? 0)
    notes.require(refused > 0, `no send was given up in time while the ${how} stood still`)
    await goesOn(sdk, during, () =>
      notes.require(false, `nothing was acked after the ${how} went on`),
    )
    await sdk.ask('close')
  }
  await pair.noteHandles(notes)
  return notes.report
}

/** Acks come again. */
async function goesOn(
  sdk: Child,
  before: Readonly<Record<string, number>>,
  fail: () => void,
): Promise<void> {
  const endMs = performance.now() + 15_000
  while (performance.now() < endMs) {
    const { acked = 0 } = await sdk.ask<{ acked?: number }>('counts')
    if (acked > (before['acked'] ?? 0) + 10) return
    await sleep(50)
  }
  fail()
}

export interface SpreadSize {
  readonly count: number
  readonly holdMs: number
}

/** Many partitions are written, a record each in turn. */
export async function partitionsLane({ count, holdMs }: SpreadSize): Promise<LaneReport> {
  const notes = new LaneNotes('partitions')
  const tailCacheBytes = 32 * MiB
  await using pair = await Pair.start({ config: { tailCacheBytes } })
  const { broker, sdk } = pair
  const topic = 'wide'
  await createTopic(broker.url, topic, count)
  const opened = await broker.usage()
  const each = (opened.rssBytes - broker.idle.rssBytes) / count / 1024
  notes.say(`${count} partitions open: ${each.toFixed(1)} KiB of RSS each`)
  notes.fact('kibPerPartition', Math.round(10 * each) / 10)
  notes.require(each <= 100, `a partition costs ${each.toFixed(0)} KiB, allowed 100`)
  await sdk.ask('writers', { url: broker.url, topic, partitions: count, pauseMs: 20 })
  await sleep(Math.min(2000, holdMs / 3))
  const series = [new RssSeries(broker.pid, 50), new RssSeries(sdk.pid, 50)] as const
  await sleep(holdMs)
  const { written = 0 } = await sdk.ask<{ written?: number }>('counts')
  notes.say(`${written} records written`)
  const state = count * 100 * 1024
  notes.series('broker', series[0], broker.idle.rssBytes + tailCacheBytes + state + slackBytes)
  notes.series('sdk', series[1], pair.sdkBefore.rssBytes + state + slackBytes)
  notes.require(written >= count, 'not every partition was written')
  await sdk.ask('close')
  await pair.noteHandles(notes)
  return notes.report
}

interface ReadCounts {
  readonly readers: number
  readonly read: number
  readonly readLeast: number
}

/** Many connections wait for records, and now and then there is one. */
export async function connectionsLane({ count, holdMs }: SpreadSize): Promise<LaneReport> {
  const notes = new LaneNotes('connections')
  const tailCacheBytes = 32 * MiB
  const config = { tailCacheBytes, maxConnectionsPerAddress: count + 10 }
  await using pair = await Pair.start({ config })
  const { broker, sdk } = pair
  const topic = 'shared'
  await createTopic(broker.url, topic, 1)
  await sdk.ask('readers', { url: broker.url, topic, count })
  const opened = await broker.usage()
  const each = (opened.rssBytes - broker.idle.rssBytes) / count / 1024
  notes.say(`${count} connections wait: ${each.toFixed(1)} KiB of the broker's RSS each`)
  notes.fact('kibPerConnection', Math.round(10 * each) / 10)
  notes.require(each <= 100, `a connection costs ${each.toFixed(0)} KiB, allowed 100`)
  const writer = await Child.start(new URL('./sdk-child.js', import.meta.url))
  try {
    await writer.ask('writers', { url: broker.url, topic, partitions: 1, pauseMs: 100 })
    const series = [new RssSeries(broker.pid, 50), new RssSeries(sdk.pid, 50)] as const
    await sleep(holdMs)
    const { readers, read, readLeast } = await sdk.ask<ReadCounts>('counts')
    notes.say(`${read} records read, ${readLeast} at least by each of ${readers}`)
    notes.require(readers === count && readLeast >= 1, 'not everybody read a record')
    const state = count * 100 * 1024
    notes.series('broker', series[0], broker.idle.rssBytes + tailCacheBytes + state + slackBytes)
    notes.series('sdk', series[1], pair.sdkBefore.rssBytes + 4 * state + slackBytes)
    await writer.ask('close')
  } finally {
    await writer.end()
  }
  await sdk.ask('close')
  await pair.noteHandles(notes)
  return notes.report
}

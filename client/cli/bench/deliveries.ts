/**
 * Deliveries: records on their way from a sender to the loop of a reader, timed and checked as they
 * come out.
 *
 *   load ── send ──> broker ──> for await ── stamp: which record is it, when was it to be sent?
 *
 * Always true: the reader stands at the end of each partition before anything is sent, so every
 * record of this load comes to it; an interrupted load ends its reader too.
 * Used by bench e2e and connections.
 */
import type { Client } from '../../types/client.ts'
import type { Consumer } from '../../types/consuming.ts'
import type { CommandContext } from '../command.ts'
import { rounded } from './latencies.ts'
import { LoadGroup } from './load-group.ts'
import type { BenchMeter } from './meter.ts'
import { Payload, type PayloadPlan } from './payload.ts'
import { endsOf } from './read-back.ts'
import type { GeneratorCost } from './report.ts'
import { maxSource, type Stamp } from './stamp.ts'
import { StampCheck, type Verified } from './stamp-check.ts'

export interface Delivery {
  readonly writers: readonly Client[]
  readonly reader: Client
  readonly topic: string
  readonly partitions: number
  readonly payload: PayloadPlan
  readonly producers: number
  /** Records; null = until the duration is over. */
  readonly count: number | null
  /** Records per second; null = one at a time. */
  readonly rate: number | null
  readonly window: number
  readonly durationMs: number
  /** How long to wait for a record that does not come. */
  readonly waitMs: number
}

/** A load that is ready to run: `work` is what is measured. */
export interface DeliveryRun {
  readonly work: (meter: BenchMeter) => Promise<void>
  verified(): Verified
  unsent(): number
  cost(recordsPerSecond: number): GeneratorCost
}

/** A load that is behind may take twice its time, and this. */
const patienceMs = 10_000

type BytesConsumer = Consumer<Uint8Array, Uint8Array>

/** A consumer at the ends that the topic has now. */
async function atTheEnd(context: CommandContext, delivery: Delivery): Promise<BytesConsumer> {
  const { reader, topic, partitions } = delivery
  const { signal } = context
  const ends = await endsOf(reader, topic, partitions, signal)
  const assign = ends.map((offset, partition) => ({ topic, partition, start: { offset } }))
  return reader.consumer({ assign, signal })
}

type OnRecord = (stamp: Stamp, bytes: number) => void

/** Reads until the consumer is closed; `onRecord` gets each record of a bench with its stamp. */
async function readAll(
  consumer: BytesConsumer,
  check: StampCheck,
  onRecord: OnRecord,
): Promise<void> {
  for await (const record of consumer) {
    const stamp = check.see(record, record.value)
    const { key, value } = record
    if (stamp !== null) onRecord(stamp, (key?.byteLength ?? 0) + (value?.byteLength ?? 0))
  }
}

const sum = (counts: ReadonlyMap<number, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0)

/** Records at their intended times. */
export async function openLoop(context: CommandContext, delivery: Delivery): Promise<DeliveryRun> {
  const { clock, timers } = context.world
  const { durationMs, waitMs, writers } = delivery
  const check = new StampCheck()
  const endAfterMs = 2 * durationMs + patienceMs
  const plan = { ...delivery, count: delivery.count ?? 1, burst: 1, endAfterMs }
  const group = new LoadGroup(context, plan, writers)
  const indexOf = new Map(group.sources.map((source, i) => [source, i]))
  const consumer = await atTheEnd(context, delivery)

  const work = async (meter: BenchMeter): Promise<void> => {
    const startMs = clock.monotonicMs()
    let delivered = 0
    let wanted = Number.POSITIVE_INFINITY
    const reading = readAll(consumer, check, ({ source, sequence }, bytes) => {
      const index = indexOf.get(source)
      if (index === undefined) return
      meter.latency(group.intendedMs(startMs, index, sequence))
      meter.count(1, bytes)
      if (++delivered >= wanted) void consumer.close()
    })
    // without a reader there is nothing to measure; its error is thrown below
    reading.catch(() => group.stop())
    try {
      await group.run(null, startMs)
      wanted = sum(group.acked)
      const alarm = timers.after(delivered < wanted ? waitMs : 0, () => void consumer.close())
      await reading.finally(() => alarm.cancel())
    } finally {
      await consumer.close()
    }
  }
  return {
    work,
    verified: () => check.result(group.acked),
    unsent: () => group.unsent,
    cost: rate => group.cost(rate),
  }
}

/** The reader of a ping-pong: one record is awaited at a time. */
class Awaited {
  #resolve: (() => void) | null = null
  sequence = -1

  /** Resolves when `arrived` was called for `sequence`. */
  of(sequence: number): Promise<void> {
    this.sequence = sequence
    return new Promise(resolve => {
      this.#resolve = resolve
    })
  }

  arrived(): void {
    this.#resolve?.()
    this.#resolve = null
  }
}

/** One record at a time: the next is sent when the one before was delivered. */
export async function pingPong(context: CommandContext, delivery: Delivery): Promise<DeliveryRun> {
  const { random, clock, timers } = context.world
  const { writers, topic: name, payload: plan, count, durationMs, waitMs } = delivery
  const source = Math.floor(random.fraction() * maxSource)
  const payload = new Payload(plan, source, random)
  const check = new StampCheck()
  const topic = (writers[0] as Client).topic(name)
  const consumer = await atTheEnd(context, delivery)
  let sent = 0

  const work = async (meter: BenchMeter): Promise<void> => {
    const awaited = new Awaited()
    let sinceMs = 0
    let isReading = true
    const reading = readAll(consumer, check, (stamp, bytes) => {
      if (stamp.source !== source || stamp.sequence !== awaited.sequence) return
      meter.latency(sinceMs)
      meter.count(1, bytes)
      awaited.arrived()
    }).finally(() => {
      isReading = false
      awaited.arrived()
    })
    reading.catch(() => undefined)
    const endMs = clock.monotonicMs() + durationMs
    try {
      while (isReading && sent < (count ?? Number.POSITIVE_INFINITY)) {
        const alarm = timers.after(waitMs, () => void consumer.close())
        sinceMs = clock.monotonicMs()
        if (sinceMs >= endMs) {
          alarm.cancel()
          break
        }
        const delivered = awaited.of(sent++)
        await Promise.all([topic.send(payload.next()), delivered]).finally(() => alarm.cancel())
      }
    } finally {
      await consumer.close()
    }
    await reading
  }
  return {
    work,
    verified: () => check.result(new Map([[source, sent]])),
    unsent: () => 0,
    cost: rate => {
      const nsPerRecord = rounded(payload.costNs(clock), 1)
      return { nsPerRecord, share: rounded((nsPerRecord * rate) / 1e9, 4) }
    },
  }
}

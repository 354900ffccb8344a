/**
 * Curve of partitions: what one topic of x partitions costs to write, to ack and to fetch; beside
 * it what the disk alone takes for as many files, and for one.
 *
 * Always true: every record goes to a named partition, in turn, so that all of them are written;
 * as many records are read back as were acked.
 * Played by run.ts.
 */
import { connect } from '../../client/index.ts'
import { closedLoop } from '../support/closed-loop.ts'
import { diskWaves } from '../support/disk-waves.ts'
import { CpuMeter } from '../support/process-usage.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'
import {
  brokerResidentBytes,
  endOf,
  type Ground,
  medianMs,
  residentKibEach,
  withBroker,
} from './ground.ts'
import { partitionSeries } from './partition-series.ts'

const topicName = 'spread'
const value = Buffer.alloc(100, 'x')
/** A batch of one such record, as stored. */
const batchBytes = 170
const window = 40_000

interface Spread extends Ground {
  readonly partitions: number
  /** Records acked so far, of all that send. */
  readonly acked: { count: number }
}

/** One record into each partition at once: how long until all are acked. */
async function wave({ tools, client, partitions, acked }: Spread): Promise<number> {
  const topic = client.topic(topicName)
  const { ms, steps } = await medianMs(tools, () =>
    Promise.all(Array.from({ length: partitions }, (_, n) => topic.send({ value, partition: n }))),
  )
  acked.count += steps * partitions
  return ms
}

/** As fast as acks come, all partitions in turn. */
async function produce({ tools, client, broker, partitions, acked }: Spread): Promise<Figures> {
  const topic = client.topic(topicName)
  let next = 0
  const send = () => topic.send({ value, partition: next++ % partitions })
  const warm = await closedLoop({ window, endMs: endOf(tools, 0.25), send })
  const cpu = new CpuMeter(broker.pid)
  const loop = await closedLoop({ window, endMs: endOf(tools), send })
  acked.count += warm.answered + loop.answered
  return {
    produceRate: loop.answered / loop.seconds,
    produceBrokerUs: ((cpu.usedSeconds ?? Number.NaN) / loop.answered) * 1e6,
  }
}

/** Everything, through one consumer. @throws Error where not as many come as were acked */
async function drain({ client, acked }: Spread): Promise<number> {
  const consumer = client.consumer({ topics: [topicName], stopAtEnd: true })
  const startMs = performance.now()
  let count = 0
  for await (const batch of consumer.batches()) count += batch.count
  const seconds = (performance.now() - startMs) / 1000
  await consumer.close()
  if (count !== acked.count) throw new Error(`${count} records came, ${acked.count} were acked`)
  return count / seconds
}

/** One record after the other, sent to a consumer that waits at the first `named` partitions. */
async function trickle(spread: Spread, named: number): Promise<Figures> {
  const { tools, client, broker, acked } = spread
  const reader = await connect({ servers: broker.url })
  const assign = Array.from({ length: named }, (_, partition) => ({ topic: topicName, partition }))
  const consumer = reader.consumer({ assign, start: 'latest' })
  try {
    const topic = client.topic(topicName)
    const batches = consumer.batches()[Symbol.asyncIterator]()
    await consumer.seek(topicName, 0, 'latest')
    const step = async (n: number): Promise<void> => {
      const came = batches.next()
      await topic.send({ value, partition: (n * 7919) % named })
      acked.count++
      if ((await came).done) throw new Error('the consumer ended')
    }
    await step(0)
    const cpu = new CpuMeter(broker.pid)
    const { ms, steps } = await medianMs(tools, step)
    return { fetchMs: ms, fetchBrokerMs: ((cpu.usedSeconds ?? Number.NaN) / steps) * 1000 }
  } finally {
    await consumer.close()
    await reader.close()
  }
}

async function measureBroker(ground: Ground, partitions: number): Promise<Figures> {
  const { client } = ground
  const emptyBytes = brokerResidentBytes(ground)
  const startMs = performance.now()
  await client.admin.topics.create({ name: topicName, partitions })
  const createMs = performance.now() - startMs
  const perPartition = await residentKibEach(ground, emptyBytes, partitions)
  const spread = { ...ground, partitions, acked: { count: 0 } }
  const waveMs = await wave(spread)
  const fetched = await trickle(spread, partitions)
  const { fetchMs: fetchOneMs = Number.NaN } = await trickle(spread, 1)
  const produced = await produce(spread)
  const drainRate = await drain(spread)
  await client.admin.topics.alter(topicName, { flush: 'os' })
  const osWaveMs = await wave(spread)
  const broker = { createMs, waveMs, osWaveMs }
  const kibPerPartition = perPartition === null ? {} : { kibPerPartition: perPartition }
  return { ...broker, ...kibPerPartition, ...fetched, fetchOneMs, ...produced, drainRate }
}

async function measure(tools: CurveTools, partitions: number): Promise<Figures> {
  const directory = await tools.newDirectory()
  const bytes = batchBytes
  const seconds = tools.seconds / 2
  const disk = await diskWaves({ directory, files: partitions, bytes, seconds }, tools.signal)
  const broker = await withBroker(tools, [], ground => measureBroker(ground, partitions))
  const { waveMs = Number.NaN, osWaveMs = Number.NaN } = broker
  const { fetchMs = Number.NaN, fetchOneMs = Number.NaN } = broker
  // What would be left of a wave: all of it but the fsyncs, and one write of all the bytes.
  const journalGain = waveMs / (osWaveMs + disk.journalMs)
  return { ...broker, ...disk, journalGain, sessionGain: fetchMs / fetchOneMs }
}

export const partitionsCurve: CurvePlan = {
  name: 'partitions',
  title: 'One topic, more and more partitions',
  x: 'partitions',
  points: {
    full: [1, 4, 16, 64, 256, 1000, 2000, 5000],
    quick: [1, 16, 64, 256, 1000, 5000],
    tiny: [1, 4, 16, 64],
  },
  conditions:
    'flush=commit, acks=all, 100-byte records, one producer, one consumer of all partitions. ' +
    'A wave is one record into each partition at once, until all are acked.',
  series: partitionSeries,
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}

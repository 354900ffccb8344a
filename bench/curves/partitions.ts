/**
 * Curve of partitions: what one topic of x partitions costs to write, to ack and to fetch.
 *
 * Always true: every record goes to a named partition, in turn, so that all of them are written;
 * what the closed loop wrote is read back whole and counted.
 * Played by run.ts.
 */
import { type Client, type Consumer, connect } from '../../client/index.ts'
import type { BrokerProcess } from '../demo/broker-process.ts'
import { closedLoop } from '../support/closed-loop.ts'
import { median } from '../support/figures.ts'
import { CpuMeter, residentBytes } from '../support/process-usage.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'

const topicName = 'spread'
const value = Buffer.alloc(100, 'x')
const window = 40_000

interface Ground {
  readonly tools: CurveTools
  readonly broker: BrokerProcess
  readonly client: Client
  readonly partitions: number
}

/** One record into each partition at once, again and again: how long until all are acked. */
async function waves({ tools, client, partitions }: Ground): Promise<number> {
  const topic = client.topic(topicName)
  const times: number[] = []
  const endMs = performance.now() + tools.seconds * 1000
  while (times.length < 5 || performance.now() < endMs) {
    const startMs = performance.now()
    const sends = Array.from({ length: partitions }, (_, partition) =>
      topic.send({ value, partition }),
    )
    await Promise.all(sends)
    times.push(performance.now() - startMs)
  }
  return median(times.slice(2))
}

/** As fast as acks come, all partitions in turn. */
async function produce(ground: Ground): Promise<Figures> {
  const { tools, client, broker, partitions } = ground
  const topic = client.topic(topicName)
  let next = 0
  const send = () => topic.send({ value, partition: next++ % partitions })
  await closedLoop({ window, endMs: performance.now() + 300, send })
  const cpu = new CpuMeter(broker.pid)
  const loop = await closedLoop({ window, endMs: performance.now() + tools.seconds * 1000, send })
  return {
    produceRate: loop.answered / loop.seconds,
    brokerUsPerRecord: ((cpu.usedSeconds ?? 0) / loop.answered) * 1e6,
  }
}

/** Everything that is there, through one consumer. @throws Error where a record is missing */
async function drain({ client, partitions }: Ground): Promise<number> {
  const described = await client.admin.offsets(
    Array.from({ length: partitions }, (_, partition) => ({
      topic: topicName,
      partition,
      at: 'latest' as const,
    })),
  )
  const total = described.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
  const consumer = client.consumer({ topics: [topicName], stopAtEnd: true })
  const startMs = performance.now()
  let count = 0
  for await (const batch of consumer.batches()) count += batch.count
  const seconds = (performance.now() - startMs) / 1000
  await consumer.close()
  if (count !== total) throw new Error(`${count} records came, ${total} were acked`)
  return count / seconds
}

async function nextRecord(batches: AsyncIterator<{ count: number }>): Promise<void> {
  const { done } = await batches.next()
  if (done) throw new Error('the consumer ended')
}

/** One record after the other, sent to a consumer that waits at all partitions. */
async function trickle(ground: Ground): Promise<Figures> {
  const { tools, client, broker, partitions } = ground
  const reader = await connect({ servers: broker.url })
  const consumer: Consumer<Uint8Array, Uint8Array> = reader.consumer({
    topics: [topicName],
    start: 'latest',
  })
  try {
    const topic = client.topic(topicName)
    const batches = consumer.batches()[Symbol.asyncIterator]()
    await consumer.seek(topicName, 0, 'latest')
    const step = async (n: number): Promise<number> => {
      const startMs = performance.now()
      const came = nextRecord(batches)
      await topic.send({ value, partition: (n * 7919) % partitions })
      await came
      return performance.now() - startMs
    }
    for (let n = 0; n < 5; n++) await step(n)
    const cpu = new CpuMeter(broker.pid)
    const times: number[] = []
    const endMs = performance.now() + tools.seconds * 1000
    while (times.length < 5 || performance.now() < endMs) times.push(await step(times.length))
    return {
      trickleMs: median(times),
      trickleBrokerMs: ((cpu.usedSeconds ?? 0) / times.length) * 1000,
    }
  } finally {
    await consumer.close()
    await reader.close()
  }
}

async function measure(tools: CurveTools, partitions: number): Promise<Figures> {
  const broker = await tools.startBroker(await tools.newDirectory())
  const client = await connect({ servers: broker.url })
  try {
    const emptyBytes = residentBytes(broker.pid)?.now ?? Number.NaN
    const madeMs = performance.now()
    await client.admin.topics.create({ name: topicName, partitions })
    const createMs = performance.now() - madeMs
    const ground = { tools, broker, client, partitions }
    const waveMs = await waves(ground)
    const trickled = await trickle(ground)
    const memory = ((residentBytes(broker.pid)?.now ?? Number.NaN) - emptyBytes) / partitions / 1024
    const produced = await produce(ground)
    return {
      createMs,
      waveMs,
      ...trickled,
      ...produced,
      drainRate: await drain(ground),
      kibPerPartition: memory,
    }
  } finally {
    await client.close()
    await broker.stop()
  }
}

export const partitionsCurve: CurvePlan = {
  name: 'partitions',
  title: 'One topic, more and more partitions',
  x: 'partitions',
  points: {
    full: [1, 4, 16, 64, 256, 1000, 2000, 5000],
    quick: [1, 16, 256, 1000, 5000],
    tiny: [1, 4, 16],
  },
  conditions: 'flush=commit, acks=all, 100-byte records, one producer, one consumer of everything',
  series: [],
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}

/**
 * Curve of consumers: x consumers, each with its connection, read the same partition.
 *
 * Always true: each consumer gets every record; one that does not is an error. Records are counted
 * per batch and not looked at: all clients share one process, and the broker is what is measured.
 * Played by run.ts.
 */
import { type Client, connect } from '../../client/index.ts'
import { closedLoop } from '../support/closed-loop.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'
import { BothCores, coresSeries, endOf, type Ground, medianMs, withBroker } from './ground.ts'

const topicName = 'shared'
const value = Buffer.alloc(1024, 'x')
const backlogRecords = 32_000

async function fill({ client }: Ground): Promise<void> {
  const topic = client.topic(topicName)
  const send = () => topic.send({ value })
  const endMs = Number.POSITIVE_INFINITY
  await closedLoop({ window: 4000, count: backlogRecords, endMs, send })
}

/** The whole backlog once. @throws Error where records are missing */
async function readAll(client: Client): Promise<void> {
  const consumer = client.consumer({ topics: [topicName], stopAtEnd: true })
  let count = 0
  for await (const batch of consumer.batches()) count += batch.count
  await consumer.close()
  if (count < backlogRecords) throw new Error(`${count} records came, not ${backlogRecords}`)
}

/** All read the backlog again and again; the last pass of each counts whole. */
async function backlog(ground: Ground, clients: readonly Client[]): Promise<Figures> {
  const { tools } = ground
  const cores = new BothCores(ground)
  const startMs = performance.now()
  const endMs = endOf(tools)
  let passes = 0
  await Promise.all(
    clients.map(async client => {
      do {
        await readAll(client)
        passes++
      } while (performance.now() < endMs)
    }),
  )
  const seconds = (performance.now() - startMs) / 1000
  const megabytes = (passes * backlogRecords * value.byteLength) / 1e6
  return {
    backlogMb: megabytes / seconds,
    backlogBrokerMs: (cores.brokerSeconds * 1000) / (megabytes / 1000),
    ...cores.figures('backlog'),
  }
}

/** One record, until every consumer has it. */
async function tail(ground: Ground, clients: readonly Client[]): Promise<Figures> {
  const { tools, client } = ground
  const topic = client.topic(topicName)
  const consumers = clients.map(one => one.consumer({ topics: [topicName], start: 'latest' }))
  try {
    await Promise.all(consumers.map(consumer => consumer.seek(topicName, 0, 'latest')))
    const loops = consumers.map(consumer => consumer.batches()[Symbol.asyncIterator]())
    const cores = new BothCores(ground)
    const { ms } = await medianMs(tools, async () => {
      const came = Promise.all(loops.map(loop => loop.next()))
      await topic.send({ value })
      if ((await came).some(({ done }) => done)) throw new Error('a consumer ended')
    })
    return { tailMs: ms, tailRate: (clients.length * 1000) / ms, ...cores.figures('tail') }
  } finally {
    await Promise.all(consumers.map(consumer => consumer.close()))
  }
}

async function measure(tools: CurveTools, count: number): Promise<Figures> {
  return withBroker(tools, [], async ground => {
    await ground.client.admin.topics.create({ name: topicName })
    await fill(ground)
    const dial = () => connect({ servers: ground.broker.url })
    const clients = await Promise.all(Array.from({ length: count }, dial))
    try {
      await readAll(ground.client)
      return { ...(await backlog(ground, clients)), ...(await tail(ground, clients)) }
    } finally {
      await Promise.all(clients.map(one => one.close()))
    }
  })
}

export const consumersCurve: CurvePlan = {
  name: 'consumers',
  title: 'One partition, more and more consumers',
  x: 'consumers',
  points: {
    full: [1, 2, 5, 10, 20, 50, 100],
    quick: [1, 5, 20, 100],
    tiny: [1, 2, 4, 8],
  },
  conditions:
    'flush=commit, acks=all, 1 KiB records, a backlog of 33 MB in the tail cache, a connection ' +
    'per consumer, all in one process.',
  series: [
    {
      key: 'backlogMb',
      label: 'Backlog read, all consumers together',
      unit: 'MB/s',
      good: 'more',
      cause: 'The consumers share one process, whose core is busy; the broker is not.',
    },
    {
      key: 'backlogBrokerMs',
      label: 'Broker CPU of a gigabyte delivered',
      unit: 'ms',
      good: 'less',
      cause: '',
    },
    ...coresSeries('backlog', 'Backlog'),
    {
      key: 'tailMs',
      label: 'One record until all consumers have it',
      unit: 'ms',
      good: 'less',
      cause: 'Up to there the fsync; beyond it an answer and a next fetch per consumer.',
    },
    {
      key: 'tailRate',
      label: 'Deliveries of single records',
      unit: 'records/s',
      good: 'more',
      cause: 'A frame each way per delivery, on two cores.',
    },
    ...coresSeries('tail', 'Single records'),
  ],
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}

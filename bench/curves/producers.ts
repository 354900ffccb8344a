/**
 * Curve of producers: x clients write one partition: each as fast as acked, and each with one
 * awaited send at a time.
 *
 * Always true: a producer is a connection of its own; the log holds as many records afterwards as
 * were acked.
 * Played by run.ts.
 */
import { type Client, connect } from '../../client/index.ts'
import { closedLoop } from '../support/closed-loop.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'
import { BothCores, coresSeries, endOf, type Ground, withBroker } from './ground.ts'

const topicName = 'shared'
const value = Buffer.alloc(100, 'x')
/** Records in the air, of all producers together. */
const deepWindow = 64_000

interface Load {
  readonly name: string
  readonly clients: readonly Client[]
  /** Records of a client without an ack. */
  readonly window: number
}

/** The figures, named, and how many records were acked in all. */
async function runAll(
  ground: Ground,
  { name, clients, window }: Load,
): Promise<{ readonly acked: number; readonly figures: Figures }> {
  const { tools } = ground
  const topics = clients.map(client => client.topic(topicName))
  const all = (share: number) =>
    Promise.all(
      topics.map(topic =>
        closedLoop({ window, endMs: endOf(tools, share), send: () => topic.send({ value }) }),
      ),
    )
  const warm = await all(0.25)
  const cores = new BothCores(ground)
  const loops = await all(1)
  const answered = loops.reduce((sum, loop) => sum + loop.answered, 0)
  const seconds = Math.max(...loops.map(loop => loop.seconds))
  const figures = {
    [`${name}Rate`]: answered / seconds,
    [`${name}BrokerUs`]: (cores.brokerSeconds / answered) * 1e6,
    ...cores.figures(name),
  }
  return { acked: answered + warm.reduce((sum, loop) => sum + loop.answered, 0), figures }
}

async function measure(tools: CurveTools, count: number): Promise<Figures> {
  return withBroker(tools, [], async ground => {
    const { client, broker } = ground
    await client.admin.topics.create({ name: topicName })
    const dial = () => connect({ servers: broker.url })
    const clients = await Promise.all(Array.from({ length: count }, dial))
    try {
      const single = await runAll(ground, { name: 'single', clients, window: 1 })
      const window = Math.ceil(deepWindow / count)
      const deep = await runAll(ground, { name: 'deep', clients, window })
      const query = { topic: topicName, partition: 0, at: 'latest' } as const
      const [end] = await client.admin.offsets([query])
      const acked = single.acked + deep.acked
      if (end?.offset !== acked) throw new Error(`${end?.offset} records there, ${acked} acked`)
      return { ...single.figures, ...deep.figures }
    } finally {
      await Promise.all(clients.map(one => one.close()))
    }
  })
}

export const producersCurve: CurvePlan = {
  name: 'producers',
  title: 'One partition, more and more producers',
  x: 'producers',
  points: {
    full: [1, 2, 4, 8, 16, 32, 64],
    quick: [1, 4, 16, 64],
    tiny: [1, 2, 4, 8],
  },
  conditions:
    'flush=commit, acks=all, 100-byte records, a connection per producer, all in one process.',
  series: [
    {
      key: 'singleRate',
      label: 'One awaited send at a time each',
      unit: 'records/s',
      good: 'more',
      cause: 'One fsync carries the sends of all; beyond that it is a frame per record and side.',
    },
    {
      key: 'singleBrokerUs',
      label: 'Broker CPU of such a record',
      unit: 'µs',
      good: 'less',
      cause: '',
    },
    ...coresSeries('single', 'One at a time'),
    {
      key: 'deepRate',
      label: 'As fast as acked, 64,000 records in the air together',
      unit: 'records/s',
      good: 'more',
      cause: 'The clients share one core, and their batches become smaller.',
    },
    {
      key: 'deepBrokerUs',
      label: 'Broker CPU of such a record',
      unit: 'µs',
      good: 'less',
      cause: 'Smaller batches: the cost is per batch.',
    },
    ...coresSeries('deep', 'As fast as acked'),
  ],
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}

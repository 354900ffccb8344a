/**
 * Curve of connections: what x open connections cost the broker, and what each sees when all of
 * them send at once.
 *
 * Always true: the connections are clients of the SDK in this process, dialled 50 at a time, and
 * say nothing but when measured; the broker's limits of connections are raised for it. Memory is
 * weighed from 100 connections on: fewer weigh less than the broker's own movement.
 * Played by run.ts.
 */
import { type Client, connect } from '../../client/index.ts'
import { CpuMeter } from '../support/process-usage.ts'
import type { CurvePlan, CurveTools, Figures } from './curve.ts'
import {
  BothCores,
  brokerResidentBytes,
  coresSeries,
  medianMs,
  residentKibEach,
  withBroker,
} from './ground.ts'

const topicName = 'shared'
const value = Buffer.alloc(100, 'x')
const dialledAtOnce = 50

async function openClients(url: string, count: number): Promise<Client[]> {
  const clients: Client[] = []
  while (clients.length < count) {
    const some = Math.min(dialledAtOnce, count - clients.length)
    clients.push(
      ...(await Promise.all(Array.from({ length: some }, () => connect({ servers: url })))),
    )
  }
  return clients
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

async function measure(tools: CurveTools, count: number): Promise<Figures> {
  const limit = String(count + 10)
  const flags = ['--max-connections', limit, '--max-connections-per-address', limit]
  return withBroker(tools, flags, async ground => {
    const { client, broker } = ground
    await client.admin.topics.create({ name: topicName })
    await client.topic(topicName).send({ value })
    const before = brokerResidentBytes(ground)
    const cpu = new CpuMeter(broker.pid)
    const startMs = performance.now()
    const clients = await openClients(broker.url, count)
    try {
      const seconds = (performance.now() - startMs) / 1000
      const openBrokerUs = ((cpu.usedSeconds ?? Number.NaN) / count) * 1e6
      const idleKib = await residentKibEach(ground, before, count)
      cpu.restart()
      await pause(tools.seconds * 1000)
      const idleCpu = ((cpu.usedSeconds ?? Number.NaN) / tools.seconds) * 100
      const single = await medianMs(tools, () => client.topic(topicName).send({ value }))
      const topics = clients.map(one => one.topic(topicName))
      const cores = new BothCores(ground)
      const wave = await medianMs(tools, () =>
        Promise.all(topics.map(topic => topic.send({ value }))),
      )
      return {
        openRate: count / seconds,
        openBrokerUs,
        ...(idleKib !== null && { idleKib }),
        idleCpu,
        singleMs: single.ms,
        waveMs: wave.ms,
        activeRate: (count * 1000) / wave.ms,
        ...cores.figures('wave'),
      }
    } finally {
      await Promise.all(clients.map(one => one.close()))
    }
  })
}

export const connectionsCurve: CurvePlan = {
  name: 'connections',
  title: 'One broker, more and more connections',
  x: 'connections',
  points: {
    full: [1, 10, 100, 500, 1000, 2000, 5000],
    quick: [1, 10, 100, 1000, 5000],
    tiny: [1, 4, 16, 64],
  },
  conditions:
    'flush=commit, acks=all, one partition, 100-byte records; all clients in one process. ' +
    'A wave is one record from each connection at once, until all are acked.',
  series: [
    {
      key: 'idleKib',
      label: 'Broker memory of an idle connection (resident)',
      unit: 'KiB',
      good: 'less',
      cause: '',
    },
    { key: 'openRate', label: 'Connecting', unit: 'connections/s', good: 'more', cause: '' },
    { key: 'openBrokerUs', label: 'Broker CPU of connecting', unit: 'µs', good: 'less', cause: '' },
    { key: 'idleCpu', label: 'Broker CPU, all idle', unit: '% of a core', good: 'less', cause: '' },
    {
      key: 'singleMs',
      label: 'One awaited send beside idle connections',
      unit: 'ms',
      good: 'less',
      cause: '',
    },
    {
      key: 'waveMs',
      label: 'A wave',
      unit: 'ms',
      good: 'less',
      cause: 'Up to there one fsync carries the wave; beyond it frames and requests add up.',
    },
    {
      key: 'activeRate',
      label: 'Records acked, each connection awaiting its own',
      unit: 'records/s',
      good: 'more',
      cause: 'A frame, a request and an answer per record on both sides of two cores.',
    },
    ...coresSeries('wave', 'Waves'),
  ],
  open: async tools => ({ measure: x => measure(tools, x), close: async () => {} }),
}

/**
 * Footprint rows: what a broker weighs, how fast it starts, and what partitions add to both.
 *
 * Always true: memory is what the kernel counts as resident; a start is timed from spawning the
 * process, with the client's code already loaded; of several starts the median counts.
 * Used by rows.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../client/index.ts'
import type { Client } from '../../client/types/client.ts'
import { median } from '../support/figures.ts'
import { residentBytes } from '../support/process-usage.ts'
import type { Lab } from './lab.ts'
import type { Row } from './row.ts'

const settleMs = 2000
const topic = 'first'

/** @throws Error where the system does not tell: no figure is better than a guess */
function rssMegabytes(pid: number): number {
  const bytes = residentBytes(pid)
  if (bytes === null) throw new Error('this system does not tell the memory of a process')
  return Math.round(bytes / 1e5) / 10
}

async function withClient<T>(lab: Lab, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect({ servers: lab.broker.url })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** Milliseconds from spawn to the ack of the first record; the topic is there. */
async function firstAckMs(lab: Lab, listen: string): Promise<number> {
  const spawnedMs = performance.now()
  const started = lab.start([], listen)
  // asked for until somebody listens
  const client = await connect({
    servers: `ws://${listen}`,
    reconnect: { baseMs: 1, maxMs: 5 },
  })
  try {
    await client.topic(topic).send({ value: new Uint8Array(100) })
    return performance.now() - spawnedMs
  } finally {
    await client.close()
    await started
  }
}

/** Partitions of several topics, since one topic has few in practice. */
async function makePartitions(lab: Lab, partitions: number): Promise<void> {
  const topics = Math.min(10, partitions)
  await withClient(lab, async ({ admin }) => {
    for (let i = 0; i < topics; i++) {
      await admin.topics.create({ name: `many-${i}`, partitions: partitions / topics })
    }
  })
}

/** One record each, so that every log has something to open. */
async function fillPartitions(lab: Lab, partitions: number): Promise<void> {
  const topics = Math.min(10, partitions)
  await withClient(lab, async client => {
    const sends = [...Array(topics).keys()].flatMap(i => {
      const many = client.topic(`many-${i}`)
      return [...Array(partitions / topics).keys()].map(partition =>
        many.send({ value: new Uint8Array(100), partition }),
      )
    })
    await Promise.all(sends)
  })
}

export const footprintRows: readonly Row[] = [
  {
    name: 'idle-rss',
    about: 'resident memory of a broker that does nothing',
    target: '≤ 80 MB',
    run: async lab => {
      const { pid } = await lab.start()
      await sleep(lab.sized(settleMs, 200))
      const value = rssMegabytes(pid)
      return { value, unit: 'MB', measured: `${value} MB`, isMet: value <= 80, reports: [] }
    },
  },
  {
    name: 'first-ack',
    about: 'from starting the broker to the first ack',
    target: '≤ 250 ms',
    run: async lab => {
      const { address } = await lab.start()
      await withClient(lab, ({ admin }) => admin.topics.create({ name: topic }))
      const times: number[] = []
      for (let i = 0; i < lab.sized(11, 1); i++) {
        await lab.stop()
        times.push(await firstAckMs(lab, address))
      }
      const value = Math.round(median(times))
      const spread = `${Math.round(Math.min(...times))}–${Math.round(Math.max(...times))}`
      return {
        value,
        unit: 'ms',
        measured: `${value} ms (median of ${times.length}, ${spread})`,
        isMet: value <= 250,
        reports: [],
      }
    },
  },
  {
    name: 'partition-rss',
    about: 'what a partition costs the broker',
    target: '≤ 50 KB RSS',
    run: async lab => {
      const { pid } = await lab.start()
      const partitions = lab.sized(1000, 50)
      await sleep(lab.sized(settleMs, 200))
      const before = rssMegabytes(pid)
      await makePartitions(lab, partitions)
      await fillPartitions(lab, partitions)
      await sleep(lab.sized(settleMs, 200))
      const after = rssMegabytes(pid)
      const value = Math.round(((after - before) * 1e4) / partitions) / 10
      const measured = `${value} KB (${before} → ${after} MB for ${partitions}, a record in each)`
      return { value, unit: 'KB', measured, isMet: value <= 50, reports: [] }
    },
  },
  {
    name: 'open-partitions',
    about: 'start of a broker with 1,000 partitions after a clean stop',
    target: '< 1 s',
    run: async lab => {
      await lab.start()
      const partitions = lab.sized(1000, 50)
      await makePartitions(lab, partitions)
      await fillPartitions(lab, partitions)
      const times: number[] = []
      for (let i = 0; i < lab.sized(5, 1); i++) times.push((await lab.start()).startedInMs)
      const value = Math.round(median(times))
      const measured = `${value} ms (median of ${times.length}, ${partitions} partitions)`
      return { value, unit: 'ms', measured, isMet: value < 1000, reports: [] }
    },
  },
]

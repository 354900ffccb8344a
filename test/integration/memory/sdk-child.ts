/**
 * SDK child: clients in a process of their own, whose memory is looked at from outside.
 *
 *   asks: usage · counts · fill · readAll
 *         readers | writers | stall … close
 *
 * Always true: fill and readAll close what they opened before they answer; what readers, writers or
 * stall opened works on until `close` is answered. Nothing is left then but the process.
 * Started by lanes.ts.
 */
import { type Client, type ConnectOptions, connect, SluiceError } from '../../../client/index.ts'
import { answerParent } from './child.ts'
import { countedWorld } from './counted-world.ts'
import { MiB, usageNow } from './usage.ts'

const recordBytes = 10_000

const connectCounted = async (options: ConnectOptions): Promise<Client> =>
  connect(options, await countedWorld())

/** Ends with `close`, so that each piece of work can be stopped in the middle. */
interface Work {
  close(): Promise<unknown>
}
const state: { work: Work | null } = { work: null }

interface FillOptions {
  readonly url: string
  readonly topic: string
  readonly megabytes: number
}

async function fill({ url, topic, megabytes }: FillOptions): Promise<void> {
  await using client = await connectCounted({ servers: url })
  await client.admin.topics.create({ name: topic, partitions: 1 })
  const handle = client.topic(topic)
  const value = new Uint8Array(recordBytes)
  for (let left = megabytes * MiB; left > 0; left -= recordBytes) {
    if (!handle.post({ value })) await handle.ready()
  }
  await handle.flush({ timeoutMs: 600_000 })
}

/** The first batches are taken so slowly that everything could be fetched meanwhile. */
const slowBatches = 150
const slowBatchMs = 20

/** Reads a topic to its end; the bytes of its values. */
async function readAll({ url, topic }: { url: string; topic: string }): Promise<number> {
  await using client = await connectCounted({ servers: url })
  const consumer = client.consumer({ topics: [topic], start: 'earliest', stopAtEnd: true })
  let bytes = 0
  let batches = 0
  for await (const batch of consumer.batches()) {
    for (const { value } of batch) bytes += value?.byteLength ?? 0
    if (batches++ < slowBatches) await new Promise(resolve => setTimeout(resolve, slowBatchMs))
  }
  await consumer.close()
  return bytes
}

interface ReadersOptions {
  readonly url: string
  readonly topic: string
  readonly count: number
}

/** `count` clients, each with a connection and a consumer of its own. */
async function readers({ url, topic, count }: ReadersOptions): Promise<void> {
  const clients: Client[] = []
  const loops: Promise<void>[] = []
  const open = async (): Promise<void> => {
    while (clients.length + opening < count) {
      opening++
      const client = await connectCounted({ servers: url, closeTimeoutMs: 1000 })
      opening--
      clients.push(client)
      loops.push(drain(client, topic))
    }
  }
  let opening = 0
  await Promise.all(Array.from({ length: Math.min(count, 20) }, open))
  state.work = {
    close: async () => {
      await Promise.all(clients.map(client => client.close()))
      await Promise.all(loops)
    },
  }
}

async function drain(client: Client, topic: string): Promise<void> {
  const consumer = client.consumer({ topics: [topic], start: 'latest', bufferBytes: MiB })
  const index = read.length
  read.push(0)
  for await (const { count } of consumer.batches()) read[index] = (read[index] ?? 0) + count
}
/** Records by reader. */
const read: number[] = []

interface WritersOptions {
  readonly url: string
  readonly topic: string
  readonly partitions: number
  readonly pauseMs: number
}

/** A record for each partition, again and again. */
async function writers({ url, topic, partitions, pauseMs }: WritersOptions): Promise<void> {
  const client = await connectCounted({ servers: url })
  const handle = client.topic(topic)
  const value = new Uint8Array(200)
  let isOver = false
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const sent = Array.from({ length: partitions }, (_, partition) =>
        handle.send({ value, partition }),
      )
      await Promise.all(sent)
      written.records += partitions
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
  const running = loop()
  state.work = {
    close: async () => {
      isOver = true
      await running
      await client.close()
    },
  }
}
const written = { records: 0 }

interface StallOptions {
  readonly url: string
  readonly topic: string
  readonly bufferBytes: number
  readonly deliveryTimeoutMs: number
}

/** As many as may be under way send and wait, others post as long as they may. */
async function stall(options: StallOptions): Promise<void> {
  const { url, topic, bufferBytes, deliveryTimeoutMs } = options
  const producer = { bufferBytes, deliveryTimeoutMs }
  const client = await connectCounted({ servers: url, closeTimeoutMs: 1000, producer })
  await client.admin.topics.create({ name: topic, partitions: 1 })
  outcomes.clear()
  const count = (error: unknown): void => {
    const code = SluiceError.is(error) ? error.code : String(error)
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
  }
  const handle = client.topic(topic, { onError: count })
  const value = new Uint8Array(64 * 1024)
  let isOver = false
  const sender = async (): Promise<void> => {
    while (!isOver) await handle.send({ value }).then(() => count('acked'), count)
  }
  const poster = async (): Promise<void> => {
    while (!isOver) if (!handle.post({ value })) await handle.ready().catch(() => undefined)
  }
  await handle.send({ value })
  const running = Promise.all([poster(), ...Array.from({ length: 64 }, sender)])
  state.work = {
    close: async () => {
      isOver = true
      await client.close()
      await running
    },
  }
}
const outcomes = new Map<string, number>()

async function close(): Promise<void> {
  await state.work?.close()
  state.work = null
}

answerParent({
  usage: usageNow,
  fill,
  readAll,
  readers,
  writers,
  stall,
  close,
  counts: () => ({
    readers: read.length,
    readLeast: Math.min(...read),
    read: read.reduce((sum, count) => sum + count, 0),
    written: written.records,
    ...Object.fromEntries(outcomes),
  }),
})

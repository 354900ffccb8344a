/**
 * Sluice as one of the peers: its broker as a process, its SDK with the defaults.
 *
 * Always true: `flush=commit` in the fsync class, `flush=os` in the page class; one topic of one
 * partition per log; acks=all.
 */
import { type Client, connect, type Topic } from '../../client/index.ts'
import { startBrokerProcess } from '../demo/broker-process.ts'
import {
  type DurabilityClass,
  type Peer,
  type PeerClient,
  type PeerReading,
  usualWindowBytes,
} from './peer.ts'

const flushOf: Record<DurabilityClass, string> = { page: 'os', fsync: 'commit' }

class SluiceLog implements PeerClient {
  readonly #client: Client
  readonly #address: string
  readonly #flush: string
  readonly #topics = new Map<string, Topic<Uint8Array, Uint8Array>>()

  constructor(client: Client, address: string, durability: DurabilityClass) {
    this.#client = client
    this.#address = address
    this.#flush = flushOf[durability]
  }

  async create(log: string): Promise<void> {
    await this.#client.admin.topics.create({ name: log, configs: { flush: this.#flush } })
    this.#topics.set(log, this.#client.topic(log))
  }

  send(log: string, value: Buffer): Promise<unknown> {
    const topic = this.#topics.get(log)
    return topic === undefined ? Promise.reject(new Error(log)) : topic.send({ value })
  }

  async read(
    log: string,
    from: 'start' | 'end',
    onValue: (value: Uint8Array) => void,
  ): Promise<PeerReading> {
    const client = await connect({ servers: this.#address })
    const start = from === 'start' ? 'earliest' : 'latest'
    const consumer = client.consumer({ topics: [log], start })
    // Resolves when the position is known, so nothing sent after it is missed.
    await consumer.seek(log, 0, start)
    const loop = async (): Promise<void> => {
      for await (const batch of consumer.batches()) {
        for (const record of batch) if (record.value !== null) onValue(record.value)
      }
    }
    const done = loop()
    const stop = async (): Promise<void> => {
      await client.close()
      await done
    }
    return { stop }
  }

  async delete(log: string): Promise<void> {
    this.#topics.delete(log)
    await this.#client.admin.topics.delete(log)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

export const sluice: Peer = {
  name: 'sluice',
  client: 'its SDK, defaults',
  windowBytes: usualWindowBytes,
  start: async ({ durability, directory, signal }) => {
    const flags = ['--log-level', 'warn']
    const broker = await startBrokerProcess({ dataDir: directory, flags, signal })
    return {
      address: broker.url,
      pid: broker.pid,
      version: 'this commit',
      setting: `flush=${flushOf[durability]}`,
      stop: async () => {
        await broker.stop()
      },
    }
  },
  connect: async (address, durability) => {
    const client = await connect({ servers: address, clientId: 'peers' })
    return new SluiceLog(client, address, durability)
  },
}

/**
 * Kafka as a peer, through two of its Node clients: kafkajs and @platformatic/kafka. The broker is
 * somebody else's: it is given by `--kafka host:port`.
 *
 *   send ─> records of one turn, 900 kB at most ─> one produce request, a few on their way
 *
 * Always true: acks=all, no compression; both clients know only sends of many records, so the
 * records of a turn share one, the shape that both do best with; in the fsync class the topic has
 * `flush.messages=1`.
 * To try it with Apache Kafka from Maven Central (org.apache.kafka:kafka_2.13 and kafka-tools):
 * copy its dependencies to one folder, run kafka.tools.StorageTool format and kafka.Kafka with a
 * KRaft server.properties that listens on 127.0.0.1.
 */
import type { DurabilityClass, Peer, PeerClient, PeerReading } from './peer.ts'
import { TurnBatches } from './turn-batches.ts'

const setting: Record<DurabilityClass, string> = {
  page: 'default flush (page cache)',
  fsync: 'flush.messages=1',
}

const configsOf = (durability: DurabilityClass): { name: string; value: string }[] =>
  durability === 'fsync' ? [{ name: 'flush.messages', value: '1' }] : []

/** Both of them count an address without a broker as a wait of minutes. */
const connectTimeoutMs = 5000
const fetchBytes = 4 * 1024 * 1024
/** A JVM that has just been started compiles for seconds. */
const warmUpSeconds = 5

async function connectKafkaJs(address: string, durability: DurabilityClass): Promise<PeerClient> {
  const { Kafka, logLevel } = (await import('kafkajs')).default
  const kafka = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: connectTimeoutMs,
  })
  const admin = kafka.admin()
  const producer = kafka.producer()
  await Promise.all([admin.connect(), producer.connect()])
  // With two on their way it lets the second overtake the first: the check of the order saw it.
  let reads = 0
  const batches = new TurnBatches(1, (topic, values) =>
    producer.send({ topic, acks: -1, messages: values.map(value => ({ value, partition: 0 })) }),
  )
  return {
    create: async topic => {
      const configEntries = configsOf(durability)
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
    },
    send: (topic, value) => batches.add(topic, value),
    read: async (topic, from, onValue): Promise<PeerReading> => {
      const groupId = `${topic}-${process.pid}-${reads++}`
      const consumer = kafka.consumer({ groupId, maxBytesPerPartition: fetchBytes })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: from === 'start' })
      const joined = new Promise<void>(resolve => {
        consumer.on('consumer.group_join', () => resolve())
      })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          for (const { value } of batch.messages) if (value !== null) onValue(value)
        },
      })
      await joined
      // It finds its position, the end, with the first fetch after that.
      if (from === 'end') await new Promise(resolve => setTimeout(resolve, 1000))
      return { stop: () => consumer.disconnect() }
    },
    delete: topic => admin.deleteTopics({ topics: [topic] }),
    close: async () => {
      await Promise.all([producer.disconnect(), admin.disconnect()])
    },
  }
}

async function connectPlatformatic(
  address: string,
  durability: DurabilityClass,
): Promise<PeerClient> {
  const { Admin, Consumer, Producer } = await import('@platformatic/kafka')
  const base = { clientId: 'peers', bootstrapBrokers: [address], connectTimeout: connectTimeoutMs }
  const admin = new Admin(base)
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>(base)
  let reads = 0
  const batches = new TurnBatches(5, (topic, values) =>
    producer.send({ acks: -1, messages: values.map(value => ({ topic, value, partition: 0 })) }),
  )
  return {
    create: async topic => {
      await admin.createTopics({ topics: [topic], partitions: 1, configs: configsOf(durability) })
    },
    send: (topic, value) => batches.add(topic, value),
    read: async (topic, from, onValue): Promise<PeerReading> => {
      const groupId = `${topic}-${process.pid}-${reads++}`
      const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({ ...base, groupId })
      const mode = from === 'start' ? 'earliest' : 'latest'
      const fetching = { maxBytes: fetchBytes, minBytes: 1, maxWaitTime: 500 }
      const stream = await consumer.consume({
        topics: [topic],
        mode,
        autocommit: false,
        ...fetching,
      })
      stream.on('data', ({ value }) => onValue(value))
      if (from === 'end') await new Promise(resolve => setTimeout(resolve, 1000))
      const stop = async (): Promise<void> => {
        await stream.close()
        await consumer.close(true)
      }
      return { stop }
    },
    delete: topic => admin.deleteTopics({ topics: [topic] }),
    close: async () => {
      await producer.close()
      await admin.close()
    },
  }
}

/** `address`: host:port of a running broker. */
export function kafkaPeers(address: string): Peer[] {
  const peer = (name: string, client: string, connect: Peer['connect']): Peer => ({
    name,
    client,
    windowBytes: 4 * 1024 * 1024,
    warmUpSeconds,
    start: async ({ durability }) => ({
      address,
      pid: null,
      version: 'as given',
      setting: setting[durability],
      stop: async () => {},
    }),
    connect,
  })
  return [
    peer('kafka-kafkajs', 'kafkajs', connectKafkaJs),
    peer('kafka-platformatic', '@platformatic/kafka', connectPlatformatic),
  ]
}

/**
 * Client: connect() and the object it gives: topics to write, consumers to read, admin, status.
 *
 * Always true: options are checked before anything is dialled; a closed client rejects every call
 * with CLOSED and owns no timer and no socket. The SDK's composition root: everything else gets its
 * world from here.
 */
import { SluiceError } from '../protocol/errors.ts'
import { realWorld } from '../protocol/real-world.ts'
import type { World } from '../protocol/world.ts'
import { ClusterAdmin } from './admin/admin.ts'
import { abortedError } from './cluster/backoff.ts'
import { closedError } from './cluster/broker-link.ts'
import { Cluster } from './cluster/cluster.ts'
import { MetadataCache } from './cluster/metadata-cache.ts'
import { checkTopic, clientSettings } from './config/options.ts'
import { PartitionConsumer } from './consumer/consumer.ts'
import { Producer } from './producer/producer.ts'
import { Route } from './producer/route.ts'
import { TopicHandle } from './producer/topic-handle.ts'
import type { Admin } from './types/administering.ts'
import type { CallOptions } from './types/calls.ts'
import type { Client, ClientStatus, ConnectOptions } from './types/client.ts'
import type { Consumer, ConsumerOptions } from './types/consuming.ts'
import type { Topic, TopicOptions } from './types/producing.ts'

/**
 * Connects to a cluster: resolves when one broker has answered. `world` is for tests and
 * simulations.
 * @throws SluiceError INVALID_ARGUMENT; BROKER_NOT_AVAILABLE after connectTimeoutMs;
 * PROTOCOL_MISMATCH at once; ABORTED
 */
export async function connect(options: ConnectOptions, world?: World): Promise<Client> {
  const settings = clientSettings(options)
  const { signal } = options
  if (signal?.aborted) throw abortedError(signal)
  const cluster = new Cluster(settings, world ?? (await realWorld()))
  try {
    await cluster.connect(signal)
  } catch (error) {
    cluster.close()
    throw error
  }
  return new SluiceClient(cluster, signal)
}

class SluiceClient implements Client {
  readonly #cluster: Cluster
  readonly #metadata: MetadataCache
  readonly #producer: Producer
  readonly #consumers = new Set<{ close(): Promise<void> }>()
  readonly admin: Admin
  readonly #forgetSignal: () => void
  #closed: Promise<void> | undefined

  constructor(cluster: Cluster, signal: AbortSignal | undefined) {
    this.#cluster = cluster
    this.#metadata = new MetadataCache(cluster)
    this.#producer = new Producer(cluster, this.#metadata)
    this.admin = new ClusterAdmin({ cluster, metadata: this.#metadata })
    const onAbort = (): void => void this.close()
    signal?.addEventListener('abort', onAbort)
    this.#forgetSignal = () => signal?.removeEventListener('abort', onAbort)
  }

  get clusterId(): string {
    return this.#cluster.clusterId
  }

  topic<K = Uint8Array, V = Uint8Array>(
    name: string,
    options: TopicOptions<K, V> = {},
  ): Topic<K, V> {
    this.#requireOpen()
    checkTopic(name, options)
    const { producer, logger } = this.#cluster.settings
    const { compression } = this.#cluster.world
    const codec = options.compression ?? producer.compression
    if (!compression.canWrite(codec)) {
      throw new SluiceError(
        'UNSUPPORTED_COMPRESSION_TYPE',
        `topic "${name}": this process cannot write ${codec}`,
        { hint: 'gzip needs no package; lz4 needs lz4-napi, snappy needs snappy' },
      )
    }
    const route = new Route({
      topic: name,
      acks: options.acks ?? producer.acks,
      codec,
      partitioner: options.partitioner ?? 'murmur2',
    })
    return new TopicHandle(name, options, { producer: this.#producer, logger, route })
  }

  consumer<K = Uint8Array, V = Uint8Array>(options: ConsumerOptions<K, V>): Consumer<K, V> {
    this.#requireOpen()
    const consumer = new PartitionConsumer<K, V>(options, {
      cluster: this.#cluster,
      metadata: this.#metadata,
      onClosed: closed => this.#consumers.delete(closed),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  status(): AsyncIterable<ClientStatus> {
    return this.#cluster.status.subscribe()
  }

  flush(options: CallOptions = {}): Promise<void> {
    return this.#producer.flush(options)
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(): void {
    if (this.#closed !== undefined) throw closedError()
  }

  async #closeAll(): Promise<void> {
    this.#forgetSignal()
    await Promise.all([...this.#consumers].map(consumer => consumer.close()))
    await this.#producer.close(this.#cluster.settings.closeTimeoutMs)
    this.#metadata.close()
    this.#cluster.close()
  }
}

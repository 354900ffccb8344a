/**
 * Subscription: which partitions a consumer reads, as topics grow, move and go away.
 *
 * Always true: reading starts with the first loop or seek; a partition that a subscribed topic
 * gains later is read from its earliest record, so that nothing in it is missed; another topic of
 * the same name is never mixed in.
 * Called by consumer.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { backoffMs, sleep } from '../cluster/backoff.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataCache, TopicMetadata, TopicNews } from '../cluster/metadata-cache.ts'
import { checkTopicName } from '../config/options.ts'
import type { Assignment, ConsumerOptions, StartPosition } from '../types/consuming.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { FetchOutcomes } from './fetch-outcomes.ts'
import { Fetcher } from './fetcher.ts'
import { PartitionReader } from './partition-reader.ts'
import { checkStart, findEnds, findPositions } from './positions.ts'

const retryPace = { baseMs: 50, maxMs: 2000 }
type Place = { topic: string; partition: number }

export interface SubscriptionOptions {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
  readonly topics: readonly string[]
  readonly assign: readonly Assignment[] | undefined
  readonly settings: ConsumerSettings
  readonly signal: AbortSignal
  wake(): void
}

export class Subscription {
  readonly #options: SubscriptionOptions
  readonly #fetcher: Fetcher
  #readers: PartitionReader[] = []
  #names: readonly string[]
  #started: Promise<void> | undefined
  #isReady = false
  #isHolding = false
  #pausedAll = false
  #failure: SluiceError | undefined
  #stopListening: (() => void) | undefined

  constructor(options: SubscriptionOptions) {
    this.#options = options
    const { cluster, metadata, settings, assign = [] } = options
    for (const { start } of assign) if (start !== undefined) checkStart(start)
    this.#names = [...new Set([...options.topics, ...assign.map(({ topic }) => topic)])]
    for (const name of this.#names) checkTopicName(name, 'consumer')
    const findPosition = (reader: PartitionReader): void => this.#findLater([reader])
    const outcomes = new FetchOutcomes({ cluster, metadata, settings, findPosition })
    this.#fetcher = new Fetcher({ ...options, outcomes })
  }

  get readers(): readonly PartitionReader[] {
    return this.#readers
  }

  /** With stopAtEnd: everything up to the ends was handed out. */
  get isFinished(): boolean {
    return this.#options.settings.stopAtEnd && this.#isReady && this.#readers.every(r => r.isAtEnd)
  }

  /** Begins to read. Idempotent; after a failure it begins again. */
  start(): void {
    this.#started ??= this.#begin().catch(error => {
      this.#started = undefined
      this.#failure = asSluiceError(error)
      this.#options.wake()
    })
    this.pump()
  }

  /** @throws what kept reading from starting, or ended it for all partitions */
  requireSound(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  pump(): void {
    if (this.#isReady) this.#fetcher.pump()
  }

  setPaused(places: readonly Place[] | undefined, isPaused: boolean): void {
    if (places === undefined) this.#pausedAll = isPaused
    const readers = places === undefined ? this.#readers : places.map(at => this.#requireReader(at))
    for (const reader of readers) reader.isPaused = isPaused
    if (!isPaused) this.pump()
  }

  async seek(place: Place, to: StartPosition): Promise<void> {
    this.start()
    await this.#started
    this.requireSound()
    const reader = this.#requireReader(place)
    reader.moveToStart(to)
    const { cluster, signal } = this.#options
    const limits = { timeoutMs: cluster.settings.requestTimeoutMs, signal }
    await findPositions(this.#options, [reader], limits)
    this.pump()
  }

  close(): void {
    this.#stopListening?.()
    if (this.#isHolding) for (const name of this.#names) this.#options.metadata.release(name)
    this.#isHolding = false
  }

  async #begin(): Promise<void> {
    const { metadata, settings, cluster, signal } = this.#options
    const limits = { timeoutMs: cluster.settings.requestTimeoutMs, signal }
    if (!this.#isHolding) for (const name of this.#names) metadata.hold(name)
    this.#isHolding = true
    const topics = await Promise.all(this.#names.map(name => metadata.topic(name, limits)))
    this.#readers = this.#makeReaders(topics)
    if (settings.stopAtEnd) {
      await findEnds(this.#options, this.#readers, { ...limits, isolation: settings.isolation })
    }
    await findPositions(this.#options, this.#readers, limits)
    this.#stopListening ??= metadata.onNews((name, news) => this.#onNews(name, news))
    this.#fetcher.setReaders(this.#readers)
    this.#isReady = true
    this.#options.wake()
    this.pump()
  }

  #makeReaders(topics: readonly TopicMetadata[]): PartitionReader[] {
    const { assign, settings } = this.#options
    if (assign === undefined) {
      return topics.flatMap(topic =>
        topic.partitions.map((_, partition) => this.#reader(topic, partition, settings.start)),
      )
    }
    return assign.map(({ topic: name, partition, start = settings.start }) => {
      const topic = topics.find(one => one.name === name)
      if (topic?.partitions[partition] !== undefined) return this.#reader(topic, partition, start)
      const count = topic?.partitions.length ?? 0
      const message = `topic "${name}" has no partition ${partition}: it has ${count}`
      throw new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic: name, partition })
    })
  }

  #reader(topic: TopicMetadata, partition: number, start: StartPosition): PartitionReader {
    const { name, topicId } = topic
    const leader = topic.partitions[partition]?.leader ?? -1
    const reader = new PartitionReader({ topic: name, topicId, partition, leader }, start)
    reader.isPaused = this.#pausedAll
    return reader
  }

  #requireReader({ topic, partition }: Place): PartitionReader {
    const found = this.#readers.find(r => r.topic === topic && r.partition === partition)
    if (found !== undefined) return found
    const message = `this consumer does not read partition ${partition} of topic "${topic}"`
    throw new SluiceError('INVALID_ARGUMENT', message, { topic, partition })
  }

  #onNews(name: string, news: TopicNews): void {
    const own = this.#readers.filter(reader => reader.topic === name)
    if (own.length === 0) return
    if ('missing' in news) for (const reader of own) reader.failure = news.missing
    else this.#onTopic(news.topic, own)
    this.#options.wake()
    this.pump()
  }

  #onTopic(topic: TopicMetadata, own: readonly PartitionReader[]): void {
    for (const reader of own) {
      if (reader.topicId === topic.topicId) {
        reader.leader = topic.partitions[reader.partition]?.leader ?? -1
        continue
      }
      const message = `topic "${topic.name}" was deleted and created again`
      reader.failure = new SluiceError('UNKNOWN_TOPIC_ID', message, { topic: topic.name })
      return
    }
    const { assign, settings } = this.#options
    if (assign !== undefined || settings.stopAtEnd) return
    const gained: PartitionReader[] = []
    for (let partition = own.length; partition < topic.partitions.length; partition++) {
      gained.push(this.#reader(topic, partition, 'earliest'))
    }
    if (gained.length === 0) return
    this.#readers = [...this.#readers, ...gained]
    this.#fetcher.setReaders(this.#readers)
    this.#findLater(gained)
  }

  /** Finds positions beside the loop, for as long as it takes. */
  #findLater(readers: readonly PartitionReader[]): void {
    const { cluster, signal, wake } = this.#options
    const { timers, random } = cluster.world
    const limits = { timeoutMs: cluster.settings.requestTimeoutMs, signal }
    const find = async (): Promise<void> => {
      for (let attempt = 1; !signal.aborted; attempt++) {
        try {
          await findPositions(this.#options, readers, limits)
          return
        } catch (cause) {
          const error = asSluiceError(cause)
          const isFinal = !error.retriable || error.code === 'UNKNOWN_TOPIC_OR_PARTITION'
          if (isFinal) for (const reader of readers) reader.failure ??= error
          if (isFinal) return
          await sleep(timers, backoffMs(attempt, retryPace, random), signal).catch(() => undefined)
        }
      }
    }
    void find().then(() => {
      wake()
      this.pump()
    })
  }
}

export function subscribedTopics<K, V>(options: ConsumerOptions<K, V>): string[] {
  return (options.topics ?? []).map(topic => (typeof topic === 'string' ? topic : topic.name))
}

/**
 * Subscription: which partitions a consumer reads, as topics grow, move and go away.
 *
 * Always true: reading starts with the first loop or seek, and what may heal never keeps it from
 * starting; a partition that a subscribed topic
 * gains later is read from its earliest record, so that nothing in it is missed; another topic of
 * the same name is never mixed in.
 * Called by consumer.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { abortedError, within } from '../cluster/backoff.ts'
import { closedError } from '../cluster/broker-link.ts'
import type { RequestLimits } from '../cluster/broker-session.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataCache, TopicMetadata, TopicNews } from '../cluster/metadata-cache.ts'
import { checkTopicName } from '../config/options.ts'
import type { CallOptions } from '../types/calls.ts'
import type { Assignment, ConsumerOptions, StartPosition } from '../types/consuming.ts'
import type { ConsumerSettings } from './consumer-settings.ts'
import { FetchOutcomes } from './fetch-outcomes.ts'
import { Fetcher } from './fetcher.ts'
import { PartitionReader } from './partition-reader.ts'
import { checkStart, findEnds, findPositions } from './positions.ts'
import { untilHealed } from './until-healed.ts'

type Place = { topic: string; partition: number }
const placeOf = ({ topic, partition }: Place): string => `${topic}/${partition}`

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
    if (this.#options.signal.aborted) return
    if (this.#started === undefined) {
      this.#failure = undefined
      this.#started = this.#begin()
      this.#started.catch(error => {
        this.#started = undefined
        this.#failure = asSluiceError(error)
        this.#options.wake()
      })
    }
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

  /** The loop is done with `bytes` of the reader. */
  released(reader: PartitionReader, bytes: number): void {
    if (this.#isReady) this.#fetcher.released(reader, bytes)
  }

  setPaused(places: readonly Place[] | undefined, isPaused: boolean): void {
    if (places === undefined) this.#pausedAll = isPaused
    const readers = places === undefined ? this.#readers : places.map(at => this.#requireReader(at))
    for (const reader of readers) reader.isPaused = isPaused
    if (!isPaused) this.pump()
  }

  /** @throws SluiceError as Consumer.seek; the reader is then where it was */
  async seek(place: Place, to: StartPosition, options: CallOptions): Promise<void> {
    const closing = this.#options.signal
    if (options.signal?.aborted) throw abortedError(options.signal)
    const either = new AbortController()
    const { signal } = either
    for (const one of [closing, options.signal]) {
      one?.addEventListener('abort', () => either.abort(one.reason), { signal })
    }
    try {
      const timeoutMs = options.timeoutMs ?? this.#limits.timeoutMs
      await this.#seek(place, to, { timeoutMs, signal })
    } catch (error) {
      throw closing.aborted ? closedError() : error
    } finally {
      either.abort()
    }
  }

  async #seek(place: Place, to: StartPosition, limits: RequestLimits): Promise<void> {
    const { clock, timers } = this.#options.cluster.world
    const endMs = clock.monotonicMs() + limits.timeoutMs
    const what = `seek in ${place.topic}/${place.partition}`
    this.start()
    await within(timers, this.#started ?? Promise.resolve(), { ...limits, what })
    const reader = this.#requireReader(place)
    const { position, start } = reader
    reader.moveToStart(to)
    const { generation } = reader
    const left = { ...limits, timeoutMs: Math.max(1, endMs - clock.monotonicMs()) }
    try {
      await within(timers, findPositions(this.#options, [reader], left), { ...left, what })
    } catch (error) {
      // A later seek has the last word.
      if (reader.generation === generation) this.#putBack(reader, position, start)
      throw error
    }
    this.pump()
  }

  #putBack(reader: PartitionReader, position: number | undefined, start: StartPosition): void {
    reader.moveToStart(start)
    if (position === undefined) this.#findLater([reader])
    else reader.moveTo(position)
    this.#options.wake()
    this.pump()
  }

  close(): void {
    this.#stopListening?.()
    if (this.#isHolding) for (const name of this.#names) this.#options.metadata.release(name)
    this.#isHolding = false
  }

  get #limits(): RequestLimits {
    const { cluster, signal } = this.#options
    return { timeoutMs: cluster.settings.requestTimeoutMs, signal }
  }

  async #begin(): Promise<void> {
    const { metadata, signal, wake } = this.#options
    if (!this.#isHolding) for (const name of this.#names) metadata.hold(name)
    this.#isHolding = true
    await untilHealed(this.#options, () => this.#prepare())
    if (signal.aborted) return
    this.#stopListening ??= metadata.onNews((name, news) => this.#onNews(name, news))
    this.#fetcher.setReaders(this.#readers)
    this.#isReady = true
    // What was learnt while nobody listened: leaders may have moved, partitions been added.
    for (const name of this.#names) {
      const topic = metadata.known(name)
      if (topic !== undefined) this.#onNews(name, { topic })
    }
    wake()
    this.pump()
  }

  /** One attempt to find out what is to be read, and from where to where. */
  async #prepare(): Promise<void> {
    const { metadata, settings } = this.#options
    const limits = this.#limits
    const topics = await Promise.all(this.#names.map(name => metadata.topic(name, limits)))
    const pauses = new Map(this.#readers.map(reader => [placeOf(reader), reader.isPaused]))
    this.#readers = this.#makeReaders(topics)
    for (const reader of this.#readers) {
      reader.isPaused = pauses.get(placeOf(reader)) ?? reader.isPaused
    }
    if (settings.stopAtEnd) {
      await findEnds(this.#options, this.#readers, { ...limits, isolation: settings.isolation })
    }
    await findPositions(this.#options, this.#readers, limits)
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
    // A seek may have placed some of them meanwhile.
    const open = (): PartitionReader[] => readers.filter(({ position }) => position === undefined)
    const find = (): Promise<void> => findPositions(this.#options, open(), this.#limits)
    const onFailed = (error: unknown): void => {
      for (const reader of open()) reader.failure ??= asSluiceError(error)
    }
    void untilHealed(this.#options, find)
      .catch(onFailed)
      .then(() => {
        this.#options.wake()
        this.pump()
      })
  }
}

export function subscribedTopics<K, V>(options: ConsumerOptions<K, V>): string[] {
  return (options.topics ?? []).map(topic => (typeof topic === 'string' ? topic : topic.name))
}

/**
 * Consumer: reads partitions without a group, from start positions on, through one loop at a time.
 *
 *   fetcher (ahead of the loop) ─> partition readers (buffers) ─> record loop or batch loop
 *
 * Always true: records of one partition come in offset order, each once per pass; leaving a loop
 * closes nothing; close() ends the loop, whatever it waits for.
 * Made by client.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { abortedError } from '../cluster/backoff.ts'
import { closedError } from '../cluster/broker-link.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { CallOptions } from '../types/calls.ts'
import type {
  Consumer,
  ConsumerOptions,
  ReceivedRecord,
  RecordBatchView,
  StartPosition,
} from '../types/consuming.ts'
import { type ConsumerSettings, consumerSettings } from './consumer-settings.ts'
import { BatchLoop, type LoopParts, RecordLoop, type Taken } from './loops.ts'
import type { PartitionReader } from './partition-reader.ts'
import { checkStart } from './positions.ts'
import { type Decoding, RecordMaker } from './received-record.ts'
import { sharedCodecs } from './shared-codecs.ts'
import { Subscription, subscribedTopics } from './subscription.ts'

type Place = { topic: string; partition: number }

export interface ConsumerParts {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
  onClosed(consumer: { close(): Promise<void> }): void
}

export class PartitionConsumer<K, V> implements Consumer<K, V> {
  readonly #parts: ConsumerParts
  readonly #settings: ConsumerSettings
  readonly #decoding: Decoding<K, V>
  readonly #subscription: Subscription
  readonly #closing = new AbortController()
  readonly #makers = new Map<PartitionReader, RecordMaker<K, V>>()
  #isLooping = false
  #turn = 0
  #news: (() => void)[] = []

  constructor(options: ConsumerOptions<K, V>, parts: ConsumerParts) {
    this.#parts = parts
    this.#settings = consumerSettings(options)
    const { key, value } = sharedCodecs(options)
    this.#decoding = { key, value, onDecodeError: this.#settings.onDecodeError }
    this.#subscription = new Subscription({
      ...parts,
      topics: subscribedTopics(options),
      assign: options.assign,
      settings: this.#settings,
      signal: this.#closing.signal,
      wake: () => this.#wake(),
    })
    const { signal } = options
    if (signal === undefined) return
    const onAbort = (): void => {
      void this.close()
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true, signal: this.#closing.signal })
  }

  [Symbol.asyncIterator](): AsyncIterator<ReceivedRecord<K, V>> {
    return new RecordLoop(this.#enter(undefined))
  }

  batches(options: { signal?: AbortSignal } = {}): AsyncIterable<RecordBatchView<K, V>> {
    return { [Symbol.asyncIterator]: () => new BatchLoop(this.#enter(options.signal)) }
  }

  pause(partitions?: readonly Place[]): void {
    this.#subscription.setPaused(partitions, true)
  }

  resume(partitions?: readonly Place[]): void {
    this.#subscription.setPaused(partitions, false)
    this.#wake()
  }

  positions(): { topic: string; partition: number; offset: number; lag: number | null }[] {
    return this.#subscription.readers.flatMap(({ topic, partition, position, highWatermark }) => {
      if (position === undefined) return []
      const lag = highWatermark === undefined ? null : Math.max(0, highWatermark - position)
      return [{ topic, partition, offset: position, lag }]
    })
  }

  async seek(
    topic: string,
    partition: number,
    to: StartPosition,
    options: CallOptions = {},
  ): Promise<void> {
    checkStart(to)
    if (this.#closing.signal.aborted) throw closedError()
    await this.#subscription.seek({ topic, partition }, to, options)
    this.#wake()
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#subscription.close()
    this.#wake()
    this.#parts.onClosed(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #enter(signal: AbortSignal | undefined): LoopParts<K, V> {
    if (this.#isLooping) {
      throw new SluiceError('INVALID_ARGUMENT', 'this consumer is already being iterated', {
        hint: 'one loop at a time; make another consumer for a second one',
      })
    }
    this.#isLooping = true
    this.#subscription.start()
    const onAbort = (): void => this.#wake()
    signal?.addEventListener('abort', onAbort)
    return {
      compression: this.#parts.cluster.world.compression,
      take: () => {
        if (signal?.aborted) throw abortedError(signal)
        return this.#take()
      },
      isOver: () => this.#closing.signal.aborted || this.#subscription.isFinished,
      untilNews: () => new Promise(resolve => this.#news.push(resolve)),
      release: taken => this.#release(taken),
      makerOf: reader => this.#makerOf(reader),
      leave: () => {
        signal?.removeEventListener('abort', onAbort)
        this.#isLooping = false
      },
    }
  }

  /** Partitions take turns, batch by batch. */
  #take(): Taken | undefined {
    if (this.#closing.signal.aborted) return undefined
    this.#subscription.requireSound()
    const { readers } = this.#subscription
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[(this.#turn + i) % readers.length]
      if (reader === undefined || reader.isPaused) continue
      const batch = reader.take()
      if (batch !== undefined) {
        this.#turn = (this.#turn + i + 1) % readers.length
        return { reader, batch }
      }
      this.#requireReadable(reader)
    }
    // Hidden batches may have made room, and what is used up is fetched again.
    this.#subscription.pump()
    return undefined
  }

  #requireReadable(reader: PartitionReader): void {
    const { failure } = reader
    if (failure === undefined) return
    // The next loop tries again from the same position.
    reader.failure = undefined
    throw asSluiceError(failure)
  }

  #release({ reader, batch }: Taken): void {
    reader.release(batch)
    this.#subscription.released(reader, batch.bytes.length)
  }

  #makerOf(reader: PartitionReader): RecordMaker<K, V> {
    let maker = this.#makers.get(reader)
    if (maker === undefined) {
      maker = new RecordMaker(reader, this.#decoding)
      this.#makers.set(reader, maker)
    }
    return maker
  }

  #wake(): void {
    const news = this.#news
    this.#news = []
    for (const resolve of news) resolve()
  }
}

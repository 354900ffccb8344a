/**
 * Producer: everything that one client writes; the parts of it are put together here.
 *
 *   topic-handle (encodes) ─> topic-producer (fills batches) ─> sender (requests) ─> outcomes
 *
 * Always true: each record that was taken settles once: acked, or rejected with an error that says
 * by `maybeApplied` whether it may be in the log; after close() nothing is taken and no timer is
 * left.
 * Made by client.ts; called by topic-handle.ts.
 */

import { SluiceError } from '../../protocol/errors.ts'
import { Deadlines } from '../../protocol/transport/deadlines.ts'
import { within } from '../cluster/backoff.ts'
import { closedError } from '../cluster/broker-link.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { CallOptions } from '../types/calls.ts'
import type { RecordAck } from '../types/producing.ts'
import { BatchOutcomes } from './batch-outcomes.ts'
import { BufferBudget } from './buffer-budget.ts'
import type { Waiter } from './deliveries.ts'
import type { EncodedRecord } from './encoded-record.ts'
import { FlushBarrier } from './flush-barrier.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { newProducerId, PartitionSequences } from './partition-sequences.ts'
import { PendingBatch } from './pending-batch.ts'
import type { ProducerContext } from './producer-context.ts'
import { Sender } from './sender.ts'
import { TopicProducer } from './topic-producer.ts'
import { TurnClock } from './turn-clock.ts'

export class Producer {
  /** For records without a timestamp of their own. */
  readonly clock: TurnClock
  readonly #cluster: Cluster
  readonly #metadata: MetadataCache
  readonly #topics = new Map<string, TopicProducer>()
  readonly #budget: BufferBudget
  readonly #sender: Sender
  /** Of all deliveries of the client. */
  readonly #expiry: Deadlines
  readonly #context: ProducerContext
  readonly #producerId: number
  readonly #stopListening: () => void
  #closed = false

  constructor(cluster: Cluster, metadata: MetadataCache) {
    const { world } = cluster
    const settings = cluster.settings.producer
    this.clock = new TurnClock(world.clock, world.timers)
    this.#cluster = cluster
    this.#metadata = metadata
    this.#budget = new BufferBudget(settings.bufferBytes)
    this.#producerId = newProducerId(world.random)
    this.#expiry = new Deadlines(world.clock, world.timers, nowMs => this.#sweep(nowMs))
    const outcomes = new BatchOutcomes({
      world,
      metadata,
      budget: this.#budget,
      retryAfter: (queue, delayMs) => this.#sender.retryAfter(queue, delayMs),
    })
    this.#sender = new Sender({ cluster, metadata, settings, outcomes })
    this.#context = this.#makeContext(outcomes)
    this.#stopListening = metadata.onNews((name, news) => {
      const topic = this.#topics.get(name)
      if ('topic' in news) topic?.onTopic(news.topic)
      else topic?.onMissing(news.missing)
    })
  }

  /** Room for more without waiting. */
  get hasRoom(): boolean {
    return !this.#budget.isFull
  }

  get isClosed(): boolean {
    return this.#closed
  }

  topic(name: string): TopicProducer {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new TopicProducer(name, this.#context)
      this.#topics.set(name, topic)
    }
    return topic
  }

  /** Takes one record. @throws SluiceError CLOSED, or as TopicProducer.send */
  send(topic: TopicProducer, record: EncodedRecord): Promise<RecordAck> {
    if (this.#closed) throw closedError()
    return topic.send(record)
  }

  /** Takes one record that callbacks wait for. @throws SluiceError as `send` */
  give(topic: TopicProducer, record: EncodedRecord, waiter: Waiter): void {
    if (this.#closed) throw closedError()
    topic.give(record, waiter)
  }

  /** Resolves when the buffer has room and nothing of the topic waits. */
  async ready(topic: TopicProducer, options: CallOptions): Promise<void> {
    const { timeoutMs = this.#cluster.settings.producer.deliveryTimeoutMs, signal } = options
    const wait = async (): Promise<void> => {
      while (!this.#closed && (this.#budget.isFull || topic.waitingCount > 0)) {
        if (this.#budget.isFull) await new Promise<void>(wake => this.#budget.wait(wake))
        else await this.#settled([topic])
      }
      if (this.#closed) throw closedError()
    }
    await within(this.#cluster.world.timers, wait(), { timeoutMs, signal, what: 'ready' })
  }

  /** Resolves when every record given so far, of one topic or of all, has settled. */
  async flush(options: CallOptions, topic?: TopicProducer): Promise<void> {
    if (this.#closed) throw closedError()
    const { timeoutMs = this.#cluster.settings.producer.deliveryTimeoutMs, signal } = options
    const topics = topic === undefined ? [...this.#topics.values()] : [topic]
    const done = this.#settled(topics)
    await within(this.#cluster.world.timers, done, { timeoutMs, signal, what: 'flush' })
  }

  /** Flushes within the limit, then rejects what is left with CLOSED. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const { timers } = this.#cluster.world
    const done = this.#settled([...this.#topics.values()])
    await within(timers, done, { timeoutMs, what: 'close' }).catch(() => undefined)
    this.#stopListening()
    const error = new SluiceError('CLOSED', 'the client was closed before the record was acked')
    for (const topic of this.#topics.values()) topic.failAll(error)
    this.#sender.close()
    this.#expiry.stop()
  }

  #settled(topics: readonly TopicProducer[]): Promise<void> {
    const barrier = new FlushBarrier()
    for (const topic of topics) topic.addBarrier(barrier)
    const queues: PartitionQueue[] = topics.flatMap(topic => topic.queues)
    this.#sender.flush(queues)
    barrier.pass()
    return barrier.done
  }

  #makeContext(outcomes: BatchOutcomes): ProducerContext {
    const { world, settings } = this.#cluster
    const { batchBytes, deliveryTimeoutMs, idempotent } = settings.producer
    return {
      world,
      settings: settings.producer,
      metadata: this.#metadata,
      budget: this.#budget,
      sender: this.#sender,
      expiry: this.#expiry,
      refuse: (queue, batch, error) => outcomes.refuse(queue, batch, error),
      openBatch: (route, expectedBytes) => {
        const openedMs = world.clock.monotonicMs()
        this.#expiry.watch(openedMs + deliveryTimeoutMs)
        this.#metadata.use(route.topic)
        const { acks, codec } = route
        const capacityBytes = batchBytes
        return new PendingBatch({ acks, codec, capacityBytes, expectedBytes, openedMs })
      },
      newSequences: () =>
        idempotent ? new PartitionSequences(this.#producerId, world.random) : undefined,
    }
  }

  /**
   * Rejects what has been under way for longer than the delivery timeout; returns the next
   * deadline.
   */
  #sweep(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const topic of this.#topics.values()) {
      next = Math.min(next, topic.expire(nowMs))
    }
    return next
  }
}

/**
 * Topic producer: what the client writes to one topic. It chooses the partition of each record and
 * puts it into that partition's open batch, or lets it wait while the topic is not known or the
 * buffer is full.
 *
 * Always true: records of one topic are taken in the order in which they were given; who waits is
 * woken in that order; what was sealed for a topic that has been recreated is never sent to the new
 * one.
 * Called by producer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { TopicMetadata } from '../cluster/metadata-cache.ts'
import type { RecordAck } from '../types/producing.ts'
import type { Waiter } from './deliveries.ts'
import type { EncodedRecord } from './encoded-record.ts'
import type { FlushBarrier } from './flush-barrier.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { PendingBatch } from './pending-batch.ts'
import type { ProducerContext } from './producer-context.ts'
import { WaitingRecords } from './waiting-records.ts'

/** Pause before metadata is asked again for a partition that has no leader. */
const leaderlessLookMs = 100

export class TopicProducer {
  readonly name: string
  readonly #context: ProducerContext
  #topic: TopicMetadata | undefined
  #queues: PartitionQueue[] = []
  readonly #waiting = new WaitingRecords()
  #loading = false
  #awaitsRoom = false
  #lastLoadError: SluiceError | undefined
  /** Where records without a key go, until its batch is sealed. */
  #stickyPartition = -1

  constructor(name: string, context: ProducerContext) {
    this.name = name
    this.#context = context
  }

  get queues(): readonly PartitionQueue[] {
    return this.#queues
  }

  get waitingCount(): number {
    return this.#waiting.count
  }

  /**
   * Takes the record now, or when the topic is known and there is room.
   * @throws SluiceError where it is refused at once: see `#append`
   */
  send(record: EncodedRecord): Promise<RecordAck> {
    if (this.#mustWait || this.#context.budget.isFull) return this.#sendLater(record)
    return this.#append(record).deliveries.promise()
  }

  /** Not part of `send`, where the closure would cost memory even when it is not made. */
  #sendLater(record: EncodedRecord): Promise<RecordAck> {
    return new Promise((resolve, reject) => this.#wait(record, { resolve, reject }))
  }

  /**
   * The same for a record that callbacks wait for; one whose ack nobody awaits is taken beyond the
   * buffer too.
   */
  give(record: EncodedRecord, waiter: Waiter): void {
    const isFull = waiter.resolve !== undefined && this.#context.budget.isFull
    if (this.#mustWait || isFull) this.#wait(record, waiter)
    else this.#appendFor(record, waiter)
  }

  get #mustWait(): boolean {
    return this.#topic === undefined || this.#waiting.count > 0
  }

  addBarrier(barrier: FlushBarrier): void {
    this.#waiting.addBarrier(barrier)
    for (const queue of this.#queues) for (const batch of queue.all()) batch.addBarrier(barrier)
  }

  onTopic(topic: TopicMetadata): void {
    const before = this.#topic
    this.#topic = topic
    if (before !== undefined && before.topicId !== topic.topicId) this.#replaceTopic(topic)
    for (const { partition, leader } of topic.partitions) {
      const queue = this.#queues[partition]
      if (queue !== undefined) queue.leader = leader
      else this.#queues[partition] = this.#newQueue(topic, partition, leader)
    }
    for (const queue of this.#queues) {
      if (queue.leader >= 0) this.#context.sender.list(queue)
      else if (!queue.isIdle) this.#context.sender.retryAfter(queue, leaderlessLookMs)
    }
    this.#drainWaiting()
  }

  /** The topic is gone, or never was. */
  onMissing(error: SluiceError): void {
    this.#topic = undefined
    this.failAll(error)
    this.#queues = []
  }

  failAll(error: SluiceError): void {
    this.#waiting.failAll(error)
    for (const queue of this.#queues) {
      for (const batch of [...queue.all()]) this.#context.refuse(queue, batch, error)
    }
  }

  /**
   * Rejects what is under way for longer than the delivery timeout; returns when the next one is
   * due.
   */
  expire(nowMs: number): number {
    const { deliveryTimeoutMs } = this.#context.settings
    const untilMs = nowMs - deliveryTimeoutMs
    let oldestMs = this.#waiting.expire(untilMs, () => this.#lateError(deliveryTimeoutMs))
    for (const queue of this.#queues) {
      for (const batch of [...queue.all()]) {
        if (batch.openedMs > untilMs) oldestMs = Math.min(oldestMs, batch.openedMs)
        else this.#context.refuse(queue, batch, this.#undelivered(batch, deliveryTimeoutMs))
      }
    }
    return oldestMs + deliveryTimeoutMs
  }

  #undelivered(batch: PendingBatch, deliveryTimeoutMs: number): SluiceError {
    const cause = batch.lastError
    const why = cause === undefined ? '' : `: ${cause.message}`
    const message = `not acked within ${deliveryTimeoutMs} ms${why}`
    return new SluiceError('DELIVERY_TIMEOUT', message, { cause })
  }

  #lateError(deliveryTimeoutMs: number): SluiceError {
    const details = { topic: this.name, cause: this.#lastLoadError }
    if (this.#topic !== undefined) {
      const message = `the producer buffer stayed full for ${deliveryTimeoutMs} ms`
      return new SluiceError('BUFFER_FULL', message, details)
    }
    const message = `nothing could be learned of topic "${this.name}" in ${deliveryTimeoutMs} ms`
    return new SluiceError('DELIVERY_TIMEOUT', message, details)
  }

  #drainWaiting(): void {
    const { budget } = this.#context
    while (this.#topic !== undefined && this.#waiting.count > 0) {
      if (budget.isFull) {
        this.#awaitRoom()
        return
      }
      this.#waiting.takeOne((record, waiter) => this.#maybeAppend(record, waiter))
    }
  }

  #wait(record: EncodedRecord, waiter: Waiter): void {
    const { world, expiry, settings } = this.#context
    const nowMs = world.clock.monotonicMs()
    this.#waiting.add({ record, waiter, sinceMs: nowMs })
    expiry.watch(nowMs + settings.deliveryTimeoutMs)
    if (this.#topic === undefined) this.#load()
    else this.#awaitRoom()
  }

  #awaitRoom(): void {
    if (this.#awaitsRoom) return
    this.#awaitsRoom = true
    this.#context.budget.wait(() => {
      this.#awaitsRoom = false
      this.#drainWaiting()
    })
  }

  #load(): void {
    if (this.#loading) return
    this.#loading = true
    const { metadata, settings } = this.#context
    metadata.topic(this.name, { timeoutMs: settings.deliveryTimeoutMs }).then(
      topic => {
        this.#loading = false
        if (this.#topic === undefined) this.onTopic(topic)
      },
      error => {
        this.#loading = false
        this.#lastLoadError = error
        this.onMissing(error)
      },
    )
  }

  #newQueue(topic: TopicMetadata, partition: number, leader: number): PartitionQueue {
    const place = { topic: this.name, topicId: topic.topicId, partition, leader }
    return new PartitionQueue(place, this.#context.newSequences())
  }

  /**
   * Another topic has the name now: what was sealed for the old one is rejected, open batches go
   * on.
   */
  #replaceTopic(topic: TopicMetadata): void {
    const error = new SluiceError('UNKNOWN_TOPIC_ID', `topic "${this.name}" was recreated`, {
      topic: this.name,
    })
    for (const queue of this.#queues) {
      const open = queue.partition < topic.partitions.length ? queue.open : undefined
      for (const batch of [...queue.all()])
        if (batch !== open) this.#context.refuse(queue, batch, error)
      queue.topicId = topic.topicId
      queue.sequences = this.#context.newSequences()
      queue.retryAtMs = 0
    }
    this.#queues.length = Math.min(this.#queues.length, topic.partitions.length)
  }

  /** Returns the batch that took the record; none where the record was refused. */
  #maybeAppend(record: EncodedRecord, waiter: Waiter): PendingBatch | undefined {
    try {
      return this.#appendFor(record, waiter)
    } catch (error) {
      if (!SluiceError.is(error)) throw error
      waiter.reject(error)
      return undefined
    }
  }

  #appendFor(record: EncodedRecord, waiter: Waiter): PendingBatch {
    const { signal } = record
    const batch = this.#append(record)
    batch.deliveries.wait(waiter)
    if (signal !== undefined) batch.deliveries.watchLast(signal, () => batch.isOpen)
    return batch
  }

  /**
   * Puts the record into the open batch of its partition; whoever calls says who waits for it.
   * @throws SluiceError INVALID_ARGUMENT (no such partition), ENCODE_FAILED (partitioner), or of
   * BatchBuilder.appendParts
   */
  #append(record: EncodedRecord): PendingBatch {
    const { timestamp, key, value, headers, route } = record
    // Last, because a partitioner of the user may send a record itself and so fill the slot anew.
    const queue = this.#queueFor(record)
    let batch = queue.open
    if (batch !== undefined && (batch.acks !== route.acks || batch.codec !== route.codec)) {
      this.#seal(queue)
      batch = undefined
    }
    const before = batch?.heldBytes ?? 0
    if (batch?.append(timestamp, key, value, headers) !== true) {
      if (batch !== undefined) this.#seal(queue)
      batch = this.#context.openBatch(route, queue.expectedBytes)
      batch.append(timestamp, key, value, headers)
      queue.open = batch
      this.#context.budget.take(batch.heldBytes)
    } else this.#context.budget.take(batch.heldBytes - before)
    if (!queue.isListed) this.#context.sender.list(queue)
    return batch
  }

  #seal(queue: PartitionQueue): void {
    this.#context.sender.seal(queue)
    this.#context.sender.sendSealed(queue)
  }

  #queueFor(record: EncodedRecord): PartitionQueue {
    const count = this.#queues.length
    let partition = record.partition
    if (partition === undefined) {
      const sticky = record.route.usesSticky(record.key)
      partition = sticky ? this.#sticky() : record.route.partition(record.key, count)
    }
    const queue = this.#queues[partition]
    if (queue !== undefined) return queue
    const message = `topic "${this.name}" has no partition ${partition}: it has ${count}`
    throw new SluiceError('INVALID_ARGUMENT', message, { topic: this.name })
  }

  #sticky(): number {
    const current = this.#queues[this.#stickyPartition]
    if (current?.open !== undefined) return this.#stickyPartition
    const alive = this.#queues.filter(queue => queue.leader >= 0)
    const choice = alive.length > 0 ? alive : this.#queues
    const index = Math.floor(this.#context.world.random.fraction() * choice.length)
    this.#stickyPartition = choice[index]?.partition ?? 0
    return this.#stickyPartition
  }
}

/**
 * Sender: decides when batches leave and makes produce requests of them, one per broker and turn.
 *
 * Always true: a batch leaves when its turn ends and nothing is in flight for its partition, when
 * it is full, or when what was in flight has been answered (natural batching); at most
 * `maxInFlight` requests per broker have no answer; each batch of an answer is judged alone
 * (batch-outcome.ts).
 * Called by topic-producer.ts and producer.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { TimerHandle } from '../../protocol/world.ts'
import type { BrokerSession, ResponseHeader } from '../cluster/broker-session.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { itemErrorOf } from '../cluster/item-error.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { ProducerSettings } from '../config/options.ts'
import type { BatchOutcomes } from './batch-outcomes.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PendingBatch } from './pending-batch.ts'
import { gatherRequest, type ProduceItem } from './produce-request.ts'

/**
 * Pause before asking for a broker again; its link, where it has one, waits for as long as it must.
 */
const reconnectLookMs = 10

/** One broker as the sender sees it. */
interface Lane {
  readonly broker: number
  readonly waiting: Set<PartitionQueue>
  inFlight: number
  isConnecting: boolean
}

export interface SenderParts {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
  readonly settings: ProducerSettings
  readonly outcomes: BatchOutcomes
}

export class Sender {
  readonly #parts: SenderParts
  readonly #lanes = new Map<number, Lane>()
  #listed: PartitionQueue[] = []
  #isTurnEndAwaited = false
  #lingerTimer: TimerHandle | undefined

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  list(queue: PartitionQueue): void {
    if (!queue.isListed) {
      queue.isListed = true
      this.#listed.push(queue)
    }
    if (this.#isTurnEndAwaited || this.#parts.cluster.closed) return
    this.#isTurnEndAwaited = true
    this.#parts.cluster.world.timers.endOfTurn(() => {
      this.#isTurnEndAwaited = false
      this.#endTurn()
    })
  }

  /** The open batches leave without lingering. */
  flush(queues: Iterable<PartitionQueue>): void {
    for (const queue of queues) {
      if (queue.open === undefined) continue
      queue.isFlushing = true
      this.list(queue)
    }
  }

  seal(queue: PartitionQueue): void {
    const batch = queue.open
    if (batch === undefined) return
    queue.open = undefined
    queue.isFlushing = false
    queue.expectedBytes = batch.heldBytes + (batch.heldBytes >>> 2)
    if (batch.seal(this.#parts.cluster.world.compression)) queue.sealed.push(batch)
    else this.#parts.outcomes.drop(queue, batch)
  }

  sendSealed(queue: PartitionQueue): void {
    if (queue.leader < 0) {
      this.#parts.metadata.refresh()
      return
    }
    const lane = this.#laneOf(queue.leader)
    lane.waiting.add(queue)
    this.#pump(lane)
  }

  /** Looks at the queue again after a delay. */
  retryAfter(queue: PartitionQueue, delayMs: number): void {
    if (delayMs <= 0) {
      this.list(queue)
      return
    }
    const { retryAtMs } = queue
    this.#parts.cluster.world.timers.after(delayMs, () => {
      // Not compared with the clock: a timer may fire a little before its time.
      if (queue.retryAtMs === retryAtMs) queue.retryAtMs = 0
      this.list(queue)
    })
  }

  close(): void {
    this.#lingerTimer?.cancel()
    this.#lingerTimer = undefined
    this.#listed = []
    this.#lanes.clear()
  }

  #endTurn(): void {
    const listed = this.#listed
    this.#listed = []
    const lanes = new Set<Lane>()
    let lingerMs = Number.POSITIVE_INFINITY
    for (const queue of listed) {
      queue.isListed = false
      lingerMs = Math.min(lingerMs, this.#maybeSeal(queue))
      if (queue.isIdle) continue
      if (queue.leader < 0) {
        this.#parts.metadata.refresh()
        continue
      }
      const lane = this.#laneOf(queue.leader)
      lane.waiting.add(queue)
      lanes.add(lane)
    }
    for (const lane of lanes) this.#pump(lane)
    if (lingerMs < Number.POSITIVE_INFINITY) this.#linger(lingerMs)
  }

  /** Seals the open batch if it may leave now; otherwise says after how long to look again. */
  #maybeSeal(queue: PartitionQueue): number {
    const batch = queue.open
    if (batch === undefined || !queue.isIdle) return Number.POSITIVE_INFINITY
    const ageMs = this.#parts.cluster.world.clock.monotonicMs() - batch.openedMs
    const leftMs = this.#parts.settings.lingerMs - ageMs
    if (leftMs > 0 && !queue.isFlushing) {
      queue.isListed = true
      this.#listed.push(queue)
      return leftMs
    }
    this.seal(queue)
    return Number.POSITIVE_INFINITY
  }

  #linger(delayMs: number): void {
    this.#lingerTimer?.cancel()
    this.#lingerTimer = this.#parts.cluster.world.timers.after(delayMs, () => this.#endTurn())
  }

  #laneOf(broker: number): Lane {
    let lane = this.#lanes.get(broker)
    if (lane === undefined) {
      lane = { broker, waiting: new Set(), inFlight: 0, isConnecting: false }
      this.#lanes.set(broker, lane)
    }
    return lane
  }

  #pump(lane: Lane): void {
    const { cluster, settings } = this.#parts
    while (lane.waiting.size > 0 && lane.inFlight < settings.maxInFlight && !cluster.closed) {
      const session = cluster.currentSession(lane.broker)
      if (session === undefined) {
        this.#connect(lane)
        return
      }
      const items = this.#gather(lane, session)
      if (items.length === 0) return
      this.#send(lane, session, items)
    }
  }

  #gather(lane: Lane, session: BrokerSession): ProduceItem[] {
    const { world } = this.#parts.cluster
    return gatherRequest(lane.waiting, {
      broker: lane.broker,
      session,
      maxInFlight: this.#parts.settings.maxInFlight,
      nowMs: world.clock.monotonicMs(),
      compression: world.compression,
      refuse: (queue, batch, error) => this.#parts.outcomes.refuse(queue, batch, error),
    })
  }

  #connect(lane: Lane): void {
    if (lane.isConnecting) return
    lane.isConnecting = true
    const again = (): void => {
      lane.isConnecting = false
      this.#pump(lane)
    }
    this.#parts.cluster.session(lane.broker).then(again, cause => {
      const error = asSluiceError(cause)
      for (const queue of lane.waiting) for (const batch of queue.all()) batch.lastError = error
      if (error.code === 'CLOSED') return
      this.#parts.metadata.refresh()
      if (error.retriable) {
        this.#parts.cluster.world.timers.after(reconnectLookMs, again)
        return
      }
      // What waiting does not heal is not waited for: nothing of these batches was sent now.
      for (const queue of lane.waiting) {
        for (const batch of [...queue.all()]) this.#parts.outcomes.refuse(queue, batch, error)
      }
      lane.isConnecting = false
    })
  }

  #send(lane: Lane, session: BrokerSession, items: ProduceItem[]): void {
    const acks = items[0]?.batch.acks ?? 'all'
    const timeoutMs = this.#parts.cluster.settings.requestTimeoutMs
    const partitions = items.map(({ queue }) => ({
      topic: queue.topic,
      topicId: queue.topicId,
      partition: queue.partition,
    }))
    const bodies = items.map(({ batch }) => batch.bytes)
    for (const { batch } of items) batch.inFlightOn = session
    lane.inFlight++
    const header = { acks, timeoutMs, partitions }
    if (acks === 'none') {
      session.post('produce', header, bodies).then(
        () => this.#onSent(lane, items),
        error => {
          // Nobody answers, so nobody knows how much of it left.
          for (const { batch } of items) batch.outcomeUnknown = true
          this.#onFailed(lane, items, asSluiceError(error))
        },
      )
      return
    }
    session.request('produce', header, bodies, { timeoutMs }).then(
      ({ response }) => this.#onAnswered(lane, items, response),
      error => this.#onFailed(lane, items, asSluiceError(error)),
    )
  }

  #onSent(lane: Lane, items: ProduceItem[]): void {
    for (const { queue, batch } of items) {
      batch.inFlightOn = undefined
      this.#parts.outcomes.succeed(queue, batch, { offset: -1, reached: 'sent' })
    }
    this.#afterRequest(lane, items)
  }

  #onAnswered(lane: Lane, items: ProduceItem[], response: ResponseHeader<'produce'>): void {
    items.forEach(({ queue, batch }, index) => {
      const answer = response.partitions[index]
      batch.inFlightOn = undefined
      if (answer === undefined || answer.partition !== queue.partition) {
        const message = `no answer about partition ${queue.partition} of "${queue.topic}"`
        const error = new SluiceError('PROTOCOL_MISMATCH', message, { maybeApplied: true })
        this.#parts.outcomes.judge(queue, batch, error)
      } else if (answer.error !== undefined) {
        this.#parts.outcomes.judge(queue, batch, itemErrorOf(answer.error))
      } else {
        const { baseOffset: offset = -1, reached = 'written' } = answer
        this.#parts.outcomes.succeed(queue, batch, { offset, reached })
      }
    })
    this.#afterRequest(lane, items)
  }

  /**
   * The whole request failed; `maybeApplied` says whether it may have done its work all the same.
   */
  #onFailed(lane: Lane, items: ProduceItem[], error: SluiceError): void {
    for (const { queue, batch } of items) {
      batch.inFlightOn = undefined
      this.#parts.outcomes.judge(queue, batch, error)
    }
    this.#afterRequest(lane, items)
  }

  #afterRequest(
    lane: Lane,
    items: readonly { queue: PartitionQueue; batch: PendingBatch }[],
  ): void {
    lane.inFlight--
    for (const { queue } of items) this.list(queue)
    this.#pump(lane)
  }
}

/**
 * produce: one record batch per named partition. The stop of a record between the wire and its
 * partition.
 *
 *   per entry: partition known? → partition.appendAsLeader (same turn) → committed → one answer
 *
 * Always true: everything up to the append happens before the next message of the connection is
 * looked at, so order per partition holds; an entry's error is data; the answer goes when the last
 * entry is decided.
 * Called by dispatcher.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { RequestOf, ResponseOf } from '../../../protocol/messages/define.ts'
import type { produce } from '../../../protocol/messages/produce.ts'
import type { TimerHandle } from '../../../protocol/world.ts'
import type { Partition } from '../../replication/partition.ts'
import { itemError, requirePartitionLimit } from '../item-error.ts'
import { ownBytes } from '../output-meter.ts'
import type { BrokerParts, Exchange, Handler } from '../parts.ts'

type Request = RequestOf<typeof produce>
type Response = ResponseOf<typeof produce>
type Entry = Request['partitions'][number]
type Result = Response['partitions'][number]

export const handleProduce: Handler<'produce'> = (parts, request, exchange) => {
  const { partitions } = request
  requirePartitionLimit(partitions.length, parts.config.maxPartitionsPerRequest)
  if (partitions.length !== exchange.bodies.length) {
    throw new SluiceError(
      'INVALID_REQUEST',
      `${partitions.length} partitions and ${exchange.bodies.length} bodies`,
      { hint: 'produce has exactly one body, one record batch, per partition' },
    )
  }
  new ProduceRound(parts, request, exchange).run()
}

class ProduceRound {
  readonly #parts: BrokerParts
  readonly #request: Request
  readonly #exchange: Exchange<Response>
  readonly #results: (Result | undefined)[]
  #undecided: number
  #deadline: TimerHandle | null = null

  constructor(parts: BrokerParts, request: Request, exchange: Exchange<Response>) {
    this.#parts = parts
    this.#request = request
    this.#exchange = exchange
    this.#undecided = request.partitions.length
    this.#results = new Array(this.#undecided)
  }

  run(): void {
    const { partitions, acks, timeoutMs } = this.#request
    partitions.forEach((entry, index) => {
      this.#append(entry, index)
    })
    if (acks === 'none') this.#exchange.finish({ partitions: this.#results })
    else if (this.#undecided === 0) this.#answer()
    else this.#deadline = this.#parts.deadlines.after(timeoutMs, () => this.#timeOut())
  }

  #append(entry: Entry, index: number): void {
    try {
      const partition = this.#parts.partitions.require(entry.topic, entry.topicId, entry.partition)
      // The tail keeps the batch.
      const batch = ownBytes(this.#exchange.bodies[index] ?? new Uint8Array(0))
      const appended = partition.appendAsLeader(batch, this.#request.acks, error => {
        if (error !== null) this.#refuse(entry, index, error)
        else this.#decide(index, accepted(partition, appended))
      })
    } catch (error) {
      this.#refuse(entry, index, error)
    }
  }

  #refuse(entry: Entry, index: number, error: unknown): void {
    const { topic, topicId, partition } = entry
    const context = { logger: this.#parts.logger, topic, partition, maybeApplied: true }
    this.#decide(index, { partition, topicId, error: itemError(error, context) })
  }

  #decide(index: number, result: Result): void {
    if (this.#results[index] !== undefined) return
    this.#results[index] = result
    this.#undecided--
    // while entries are still being appended there is no deadline yet; run() answers then
    if (this.#undecided === 0 && this.#deadline !== null) this.#answer()
  }

  #timeOut(): void {
    const { timeoutMs, partitions } = this.#request
    const error = new SluiceError('REQUEST_TIMED_OUT', `not on disk after ${timeoutMs} ms`, {
      maybeApplied: true,
    })
    partitions.forEach((entry, index) => {
      this.#refuse(entry, index, error)
    })
  }

  #answer(): void {
    this.#deadline?.cancel()
    this.#exchange.reply({ partitions: this.#results as Result[] })
  }
}

function accepted(
  partition: Partition,
  appended: { baseOffset: number; duplicate: boolean },
): Result {
  const { log } = partition
  return {
    partition: partition.partition,
    topicId: partition.topicId,
    baseOffset: appended.baseOffset,
    logStartOffset: log.logStartOffset,
    reached: log.settings.flush === 'commit' ? 'fsynced' : 'written',
    ...(appended.duplicate && { duplicate: 1 }),
  }
}

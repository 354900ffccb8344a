/**
 * fetch: record batches from offsets on, within a byte credit; waits for them if asked to.
 *
 *   each partition → Target → enough or news? ──no──> purgatory
 *                                   └─yes──> peer takes answers? → read one after the other → reply
 *
 * Always true: the answer holds at most maxBytes, but its first batch whole; an error answers at
 * once; who comes first in the answer's credit rotates, so that no partition starves behind a busy
 * one.
 * Called by dispatcher.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { fetch } from '../../../protocol/messages/fetch.ts'
import type { Partition } from '../../replication/partition.ts'
import { type Diverging, type FetchEntry, FetchTarget } from '../fetch-target.ts'
import { itemError, requirePartitionLimit } from '../item-error.ts'
import { ownBytes } from '../output-meter.ts'
import type { BrokerParts, Exchange, Handler } from '../parts.ts'

type Response = ResponseOf<typeof fetch>
type Result = Response['partitions'][number]

export const handleFetch: Handler<'fetch'> = (parts, request, exchange) => {
  const { config, purgatory, partitions } = parts
  requirePartitionLimit(request.partitions.length, config.maxPartitionsPerRequest)
  requireDistinct(request.partitions)
  const maxBytes = Math.min(request.maxBytes, config.maxFetchBytes)
  const options = { isolation: request.isolation, maxBytes }
  const targets = request.partitions.map(entry => new FetchTarget(partitions, entry, options))
  return new Promise((resolve, reject) => {
    const answer = (grantedBytes: number) => {
      new FetchAnswer(parts, targets, exchange).send(grantedBytes).then(resolve, reject)
    }
    const waiter = purgatory.wait(targets, {
      minBytes: Math.min(request.minBytes, maxBytes),
      maxWaitMs: request.maxWaitMs,
      ready: () => exchange.whenWritable(maxBytes, answer),
    })
    if (waiter !== null) exchange.onClosed(() => waiter.cancel())
  })
}

/**
 * A partition that is named n times wakes its fetch n times for each record.
 * @throws SluiceError INVALID_REQUEST
 */
function requireDistinct(entries: readonly FetchEntry[]): void {
  if (entries.length < 2) return
  const seen = new Set<string>()
  for (const { topicId, partition } of entries) seen.add(`${topicId}/${partition}`)
  if (seen.size === entries.length) return
  throw new SluiceError('INVALID_REQUEST', 'the fetch names a partition more than once')
}

class FetchAnswer {
  readonly #parts: BrokerParts
  readonly #targets: readonly FetchTarget[]
  readonly #exchange: Exchange<Response>
  readonly #bodies: Uint8Array[][]
  #creditBytes = 0
  #isEmpty = true

  constructor(parts: BrokerParts, targets: readonly FetchTarget[], exchange: Exchange<Response>) {
    this.#parts = parts
    this.#targets = targets
    this.#exchange = exchange
    this.#bodies = targets.map(() => [])
  }

  async send(creditBytes: number): Promise<void> {
    if (!this.#exchange.open) return
    this.#creditBytes = creditBytes
    const count = this.#targets.length
    const results = new Array<Result>(count)
    for (let step = 0; step < count; step++) {
      const index = (this.#exchange.turn + step) % count
      const target = this.#targets[index]
      if (target !== undefined) results[index] = await this.#result(target, index)
    }
    this.#exchange.reply({ partitions: results }, this.#bodies.flat())
  }

  async #result(target: FetchTarget, index: number): Promise<Result> {
    const { topic, topicId, partition: number } = target.entry
    const named = { topicId, partition: number }
    let partition: Partition | null = null
    try {
      partition = target.requirePartition()
      const diverging = target.divergence(partition)
      if (diverging !== null) throw lostTail(target.entry.offset, diverging)
      const read = await this.#read(target, partition, index)
      return { ...named, ...target.positions(partition), bodies: read.bodies, ...read.aborted }
    } catch (error) {
      const context = { logger: this.#parts.logger, topic, partition: number }
      const diverging = partition === null ? null : target.divergence(partition)
      return {
        ...named,
        error: itemError(error, context),
        bodies: 0,
        ...(partition !== null && target.positions(partition)),
        ...(diverging !== null && { diverging }),
      }
    }
  }

  /** Takes what fits the credit that is left; the first batch of the answer comes whole. */
  async #read(
    target: FetchTarget,
    partition: Partition,
    index: number,
  ): Promise<{ bodies: number; aborted: Pick<Result, 'abortedTransactions'> }> {
    if (this.#creditBytes <= 0) return { bodies: 0, aborted: {} }
    const reading = target.read(partition, Math.min(this.#creditBytes, target.maxBytes))
    const read = reading instanceof Promise ? await reading : reading
    const fits = this.#isEmpty || read.sizeBytes <= this.#creditBytes
    if (read.sizeBytes === 0 || !fits) return { bodies: 0, aborted: {} }
    this.#isEmpty = false
    this.#creditBytes -= read.sizeBytes
    partition.countFetched(read)
    this.#bodies[index] = read.bodies.map(ownBytes)
    const { abortedTransactions } = read
    const aborted = abortedTransactions === undefined ? {} : { abortedTransactions }
    return { bodies: read.bodies.length, aborted }
  }
}

function lostTail(offset: number, diverging: Diverging): SluiceError {
  return new SluiceError(
    'OFFSET_OUT_OF_RANGE',
    `what was read below offset ${offset} is not in the log, which has it to ${diverging.endOffset}`,
    { hint: `go on from offset ${Math.min(offset, diverging.endOffset)}` },
  )
}

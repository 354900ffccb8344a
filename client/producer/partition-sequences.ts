/**
 * Partition sequences: the producer id, epoch and next sequence number under which this client's
 * batches go to one partition.
 *
 *   epoch 0: seq 0 … 99 | 100 … 149 | …
 *   after lost state: epoch 1: seq 0 … · after epoch 32767: a new id
 *
 * Always true: a (id, epoch, sequence) is given to one batch only; sequences wrap from 2^31 − 1 to
 * 0; `stale` means that the broker cannot accept the next sequence any more, so the next batch
 * opens a new epoch.
 * Called by partition-queue.ts when a batch is written for the first time.
 */
import type { ProducerStamp } from '../../protocol/records/batch-header.ts'
import type { Random } from '../../protocol/world.ts'

const sequenceEnd = 2 ** 31
const lastEpoch = 32_767
const producerIdBits = 52

export const notIdempotent: ProducerStamp = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

export class PartitionSequences {
  readonly #random: Random
  #producerId: number
  #epoch = 0
  #next = 0
  stale = false

  constructor(producerId: number, random: Random) {
    this.#producerId = producerId
    this.#random = random
  }

  /**
   * What the next batch gets; `advance` makes it final. Opens a new epoch where the old one is
   * stale.
   */
  peek(): ProducerStamp {
    if (this.stale) this.#openEpoch()
    return {
      producerId: this.#producerId,
      producerEpoch: this.#epoch,
      baseSequence: this.#next,
    }
  }

  advance(recordCount: number): void {
    const next = this.#next + recordCount
    this.#next = next >= sequenceEnd ? next - sequenceEnd : next
  }

  #openEpoch(): void {
    this.stale = false
    this.#next = 0
    if (this.#epoch < lastEpoch) {
      this.#epoch++
      return
    }
    this.#epoch = 0
    this.#producerId = this.#random.bits(producerIdBits)
  }
}

export function newProducerId(random: Random): number {
  return random.bits(producerIdBits)
}

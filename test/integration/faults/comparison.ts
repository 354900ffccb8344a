/**
 * Comparison: what is read back against what was sent and acked.
 *
 * Always true: an acked record must be there once, at its offset, with its bytes; a refused one
 * nowhere; one of unknown fate once or not at all; offsets have no hole; the records of a producer
 * are, in each partition, in the order in which they were sent; what a reader was given before
 * still stands where it stood.
 * Used by crash-loop.ts and the other faults.
 */
import type { Client, ReceivedRecord } from '../../../client/index.ts'
import { bytesOfRecord, numberOfRecord } from './crash-plan.ts'
import type { Ledger } from './ledger.ts'

/** What the records of a topic were made from. */
export interface RecordShape {
  readonly round: number
  readonly valueBytes: number
}

/** Numbers of records by partition, the index being the offset. */
export type Content = ReadonlyMap<number, readonly number[]>

/** Given every record in order of its partition. @throws Error with the first difference */
export class Comparison {
  readonly content = new Map<number, number[]>()
  readonly #shape: RecordShape
  readonly #ledger: Ledger
  readonly #seen = new Set<number>()
  readonly #lastOf = new Map<string, number>()

  constructor(shape: RecordShape, ledger: Ledger) {
    this.#shape = shape
    this.#ledger = ledger
  }

  get read(): number {
    return this.#seen.size
  }

  record(received: ReceivedRecord<Uint8Array, Uint8Array>): void {
    const { partition, offset, value } = received
    const place = `partition ${partition}, offset ${offset}`
    const content = this.content.get(partition) ?? []
    this.content.set(partition, content)
    const expected = content.length
    if (offset !== expected) throw new Error(`${place}: offset ${expected} should come next`)
    const n = numberOfRecord(value)
    if (n < 0 || n >= this.#ledger.sent) throw new Error(`${place}: record ${n} was not sent`)
    const { round, valueBytes } = this.#shape
    if (!bytesOfRecord(round, n, valueBytes).equals(value ?? new Uint8Array())) {
      throw new Error(`${place}: record ${n} has wrong bytes`)
    }
    if (this.#seen.has(n)) throw new Error(`${place}: record ${n} is there twice`)
    if (this.#ledger.refused.has(n)) throw new Error(`${place}: record ${n} was refused`)
    this.#seen.add(n)
    content.push(n)
    this.#compareAck(n, partition, offset)
    this.#compareOrder(n, partition, place)
  }

  #compareAck(n: number, partition: number, offset: number): void {
    const ack = this.#ledger.acks[n] ?? null
    if (ack === null) return
    // −1: it was a repetition of a batch whose offset the broker no longer knows.
    if (ack.partition === partition && [offset, -1].includes(ack.offset)) return
    const acked = `partition ${ack.partition}, offset ${ack.offset}`
    throw new Error(`record ${n} was acked at ${acked} and is at ${partition}/${offset}`)
  }

  #compareOrder(n: number, partition: number, place: string): void {
    const producer = this.#ledger.producers[n] ?? -1
    const name = `${producer}/${partition}`
    const before = this.#lastOf.get(name) ?? -1
    if (n < before) throw new Error(`${place}: record ${n} of ${producer} comes after ${before}`)
    this.#lastOf.set(name, n)
  }

  /** `read` is what a reader was given while the load ran. */
  end(read: Content = new Map()): void {
    const lost = this.#ledger.acks.findIndex((ack, n) => ack !== null && !this.#seen.has(n))
    if (lost >= 0) {
      const ack = this.#ledger.acks[lost]
      throw new Error(`record ${lost}, acked at ${ack?.partition}/${ack?.offset}, is lost`)
    }
    for (const [partition, numbers] of read) {
      const now = this.content.get(partition) ?? []
      const offset = numbers.findIndex((n, at) => now[at] !== n)
      if (offset < 0) continue
      const what = `a reader was given record ${numbers[offset]} at ${partition}/${offset}`
      throw new Error(`${what}, where ${now[offset] ?? 'nothing'} is now`)
    }
  }
}

/**
 * Reads a whole topic and compares. @throws Error with the first difference, or what keeps it from
 * being read
 */
export async function compareTopic(
  client: Client,
  topic: string,
  comparison: Comparison,
  read?: Content,
): Promise<void> {
  const consumer = client.consumer({ topics: [topic], start: 'earliest', stopAtEnd: true })
  try {
    for await (const batch of consumer.batches()) {
      for (const record of batch) comparison.record(record)
    }
  } finally {
    await consumer.close()
  }
  comparison.end(read)
}

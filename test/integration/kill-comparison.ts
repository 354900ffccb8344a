/**
 * Kill comparison: what is read back against what was sent and acked.
 *
 * Always true: an acked record must be there once, at its offset, with its bytes; one without an
 * ack may be there once or not at all; offsets have no hole; the records of a key are in the order
 * in which they were sent.
 * Used by kill-loop.ts.
 */
import type { ReceivedRecord, RecordAck } from '../../client/index.ts'
import { bytesOfRecord, type RoundPlan } from './kill-plan.ts'

/** Given every record in order of its partition. @throws Error with the first difference */
export class Comparison {
  read = 0
  readonly #round: number
  readonly #plan: RoundPlan
  readonly #acks: readonly (RecordAck | null)[]
  readonly #seen = new Set<number>()
  readonly #next = new Map<number, number>()
  readonly #lastOfKey = new Map<string, number>()

  constructor(round: number, plan: RoundPlan, acks: readonly (RecordAck | null)[]) {
    this.#round = round
    this.#plan = plan
    this.#acks = acks
  }

  record(received: ReceivedRecord<Uint8Array, Uint8Array>): void {
    const { partition, offset, value, key } = received
    const place = `partition ${partition}, offset ${offset}`
    const expected = this.#next.get(partition) ?? 0
    if (offset !== expected) throw new Error(`${place}: offset ${expected} should come next`)
    this.#next.set(partition, offset + 1)
    this.read++
    const bytes = Buffer.from(value ?? [])
    const n = bytes.length >= 16 ? bytes.readUInt32BE(4) : -1
    if (n < 0 || n >= this.#acks.length) throw new Error(`${place}: record ${n} was not sent`)
    if (!bytes.equals(bytesOfRecord(this.#round, n, this.#plan.valueBytes))) {
      throw new Error(`${place}: record ${n} has wrong bytes`)
    }
    if (this.#seen.has(n)) throw new Error(`${place}: record ${n} is there twice`)
    this.#seen.add(n)
    this.#compareAck(n, partition, offset)
    this.#compareOrder(n, key, place)
  }

  #compareAck(n: number, partition: number, offset: number): void {
    const ack = this.#acks[n] ?? null
    if (ack === null || (ack.partition === partition && ack.offset === offset)) return
    const acked = `partition ${ack.partition}, offset ${ack.offset}`
    throw new Error(`record ${n} was acked at ${acked} and is at ${partition}/${offset}`)
  }

  #compareOrder(n: number, key: Uint8Array | null, place: string): void {
    if (key === null) return
    const name = Buffer.from(key).toString()
    const before = this.#lastOfKey.get(name) ?? -1
    if (n < before) throw new Error(`${place}: record ${n} of ${name} comes after ${before}`)
    this.#lastOfKey.set(name, n)
  }

  end(): void {
    const lost = this.#acks.findIndex((ack, n) => ack !== null && !this.#seen.has(n))
    if (lost >= 0) {
      const ack = this.#acks[lost]
      throw new Error(`record ${lost}, acked at ${ack?.partition}/${ack?.offset}, is lost`)
    }
  }
}

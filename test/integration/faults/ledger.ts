/**
 * Ledger: what the producers of one topic sent, and what they were told about each record.
 *
 * Always true: a record has one number, over all producers, in the order of the calls, and one
 * fate: acked, refused (certainly not written), or unknown.
 * Filled by load.ts, held against the log by comparison.ts.
 */
import { type RecordAck, SluiceError } from '../../../client/index.ts'

export class Ledger {
  /** By number; null while, or where, there was no ack. */
  readonly acks: (RecordAck | null)[] = []
  /** By number: which producer sent it. */
  readonly producers: number[] = []
  /** Records of which an error said that they were not written. */
  readonly refused = new Set<number>()
  acked = 0
  rejected = 0
  /** By number, from the call to the ack; NaN where there was none. */
  readonly latenciesMs: number[] = []
  readonly sentAtMs: number[] = []
  lastAckAtMs = performance.now()
  /** The longest time without an ack, the one under way left out. */
  longestGapMs = 0

  get sent(): number {
    return this.acks.length
  }
  get unanswered(): number {
    return this.acks.length - this.acked - this.rejected
  }

  /** Answers the number of the record. */
  add(producer: number): number {
    this.producers.push(producer)
    this.sentAtMs.push(performance.now())
    this.latenciesMs.push(Number.NaN)
    return this.acks.push(null) - 1
  }

  ack(n: number, ack: RecordAck): void {
    this.acks[n] = ack
    this.acked++
    const nowMs = performance.now()
    this.latenciesMs[n] = nowMs - (this.sentAtMs[n] ?? nowMs)
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastAckAtMs)
    this.lastAckAtMs = nowMs
  }

  reject(n: number, error: unknown): void {
    this.rejected++
    if (SluiceError.is(error) && !error.maybeApplied) this.refused.add(n)
  }
}

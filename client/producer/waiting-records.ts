/**
 * Waiting records: what was given while its topic was not known yet or the buffer was full, in
 * order.
 *
 * Always true: the bytes are those of the call, whatever became of the caller's buffers since; a
 * record leaves once: to a batch, or rejected (aborted, timed out, client closed); flush barriers
 * move with it.
 * Called by topic-producer.ts.
 */
import type { SluiceError } from '../../protocol/errors.ts'
import { abortedError } from '../cluster/backoff.ts'
import type { Waiter } from './deliveries.ts'
import type { EncodedRecord } from './encoded-record.ts'
import type { FlushBarrier } from './flush-barrier.ts'
import type { PendingBatch } from './pending-batch.ts'

/** A record, who waits for it, and since which monotonic time it waits. */
interface Waiting {
  readonly record: EncodedRecord
  readonly waiter: Waiter
  readonly sinceMs: number
}

interface Entry extends Waiting {
  readonly barriers: FlushBarrier[]
  isGone: boolean
  stop(): void
}

export class WaitingRecords {
  #entries: Entry[] = []
  /** Index of the oldest entry; the list is cut now and then, not at each step. */
  #head = 0

  get count(): number {
    return this.#entries.length - this.#head
  }

  add({ record, waiter, sinceMs }: Waiting): void {
    const { signal } = record
    const onAbort = (): void => {
      entry.isGone = true
      if (signal !== undefined) refuse(entry, abortedError(signal))
    }
    const stop = (): void => signal?.removeEventListener('abort', onAbort)
    const kept = { record: copyOf(record), waiter, sinceMs }
    const entry: Entry = { ...kept, barriers: [], isGone: false, stop }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#entries.push(entry)
  }

  addBarrier(barrier: FlushBarrier): void {
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i]
      if (entry === undefined || entry.isGone) continue
      barrier.add()
      entry.barriers.push(barrier)
    }
  }

  /**
   * Gives the oldest record to `append`, which answers with the batch that took it. False where
   * there is none.
   */
  takeOne(append: (record: EncodedRecord, waiter: Waiter) => PendingBatch | undefined): boolean {
    const entry = this.#shift()
    if (entry === undefined) return false
    entry.stop()
    const batch = append(entry.record, entry.waiter)
    for (const barrier of entry.barriers) {
      batch?.addBarrier(barrier)
      barrier.pass()
    }
    return true
  }

  failAll(error: SluiceError): void {
    for (let entry = this.#shift(); entry !== undefined; entry = this.#shift()) refuse(entry, error)
  }

  /**
   * Rejects what waits since `untilMs` or longer; returns since when the oldest of the rest waits.
   */
  expire(untilMs: number, makeError: () => SluiceError): number {
    for (;;) {
      const oldest = this.#entries[this.#head]
      if (oldest === undefined) return Number.POSITIVE_INFINITY
      if (oldest.sinceMs > untilMs) return oldest.sinceMs
      const entry = this.#shift()
      if (entry !== undefined) refuse(entry, makeError())
    }
  }

  #shift(): Entry | undefined {
    while (this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head++]
      if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
        this.#entries = this.#entries.slice(this.#head)
        this.#head = 0
      }
      if (entry !== undefined && !entry.isGone) return entry
    }
    this.#entries = []
    this.#head = 0
    return undefined
  }
}

function refuse({ waiter, barriers, stop }: Entry, error: SluiceError): void {
  stop()
  waiter.reject(error)
  for (const barrier of barriers) barrier.pass()
}

// not slice(): a Buffer's gives a view
const copied = (bytes: Uint8Array | null): Uint8Array | null =>
  bytes === null ? null : new Uint8Array(bytes)

/** With bytes of its own: the caller may use its buffers again as soon as `send` returned. */
function copyOf(record: EncodedRecord): EncodedRecord {
  const { key, value, headers } = record
  return {
    ...record,
    key: copied(key),
    value: copied(value),
    headers: headers?.map(({ name, value }) => ({ name, value: copied(value) })),
  }
}

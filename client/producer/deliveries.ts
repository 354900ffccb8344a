/**
 * Deliveries: who waits for the records of one batch, in the order of the records.
 *
 * Always true: each record's promise settles once; arrays stand in for an object per record; the
 * listeners of abort signals are gone once the batch settled.
 * Called by pending-batch.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RecordAck } from '../types/producing.ts'

export type Resolve = (ack: RecordAck) => void
export type Reject = (error: SluiceError) => void

/** A record whose caller may give up: the place it has in the batch, and how to stop listening. */
interface Watched {
  index: number
  stop(): void
}

export class Deliveries {
  readonly #resolves: (Resolve | undefined)[] = []
  readonly #rejects: (Reject | undefined)[] = []
  readonly #timestamps: number[] = []
  #watched: Watched[] = []
  #removed = new Set<number>()

  /** Places of records that were aborted before the batch was sealed. */
  get removed(): ReadonlySet<number> {
    return this.#removed
  }

  get count(): number {
    return this.#timestamps.length
  }

  push(timestamp: number, resolve: Resolve | undefined, reject: Reject | undefined): void {
    this.#resolves.push(resolve)
    this.#rejects.push(reject)
    this.#timestamps.push(timestamp)
  }

  /**
   * The last record pushed rejects with ABORTED when `signal` fires; `isOpen` says if it can still
   * be taken out.
   */
  watchLast(signal: AbortSignal, isOpen: () => boolean): void {
    const onAbort = (): void => this.#abort(watched.index, signal, isOpen())
    const stop = (): void => signal.removeEventListener('abort', onAbort)
    const watched: Watched = { index: this.#timestamps.length - 1, stop }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#watched.push(watched)
  }

  #abort(index: number, signal: AbortSignal, open: boolean): void {
    const reject = this.#rejects[index]
    this.#resolves[index] = undefined
    this.#rejects[index] = undefined
    if (open) this.#removed.add(index)
    const when = open ? 'before it was sent' : 'when it had been sealed'
    const details = { cause: signal.reason, maybeApplied: !open }
    reject?.(new SluiceError('ABORTED', `the record was aborted ${when}`, details))
  }

  /** Forgets the removed records; the others move up, as they do in the batch. */
  compact(): void {
    const kept = (_: unknown, index: number): boolean => !this.#removed.has(index)
    const resolves = this.#resolves.filter(kept)
    const rejects = this.#rejects.filter(kept)
    const timestamps = this.#timestamps.filter(kept)
    const removed = [...this.#removed]
    this.#watched = this.#watched.filter(watched => kept(watched, watched.index))
    for (const watched of this.#watched) {
      watched.index -= removed.filter(index => index < watched.index).length
    }
    this.#removed = new Set()
    this.#resolves.splice(0, this.#resolves.length, ...resolves)
    this.#rejects.splice(0, this.#rejects.length, ...rejects)
    this.#timestamps.splice(0, this.#timestamps.length, ...timestamps)
  }

  succeed(ack: Omit<RecordAck, 'timestamp'>): void {
    this.#stopWatching()
    const { topic, partition, offset, reached } = ack
    for (let i = 0; i < this.#resolves.length; i++) {
      const resolve = this.#resolves[i]
      if (resolve === undefined) continue
      const timestamp = this.#timestamps[i] ?? 0
      const own = offset < 0 ? offset : offset + i
      resolve({ topic, partition, offset: own, timestamp, reached })
    }
  }

  fail(error: SluiceError): void {
    this.#stopWatching()
    for (const reject of this.#rejects) reject?.(error)
  }

  #stopWatching(): void {
    for (const watched of this.#watched) watched.stop()
    this.#watched = []
  }
}

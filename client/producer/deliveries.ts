/**
 * Deliveries: who waits for the records of one batch, in the order of the records.
 *
 *   promise() ─┬─ promise of record 0        all hang on one promise of the batch: a record in
 *              ├─ promise of record 1        flight costs its own promise and no closure
 *              └─ …
 *   wait(waiter)  callbacks of a record that may settle before its batch does
 *
 * Always true: after each `add` comes one `promise` or `wait`; each record settles once; promises
 * of the batch settle in the order of the records, which is how one shared function knows whose
 * turn it is; the listeners of abort signals are gone once the batch settled.
 * Called by pending-batch.ts and topic-producer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RecordAck } from '../types/producing.ts'

/** Who wants to know of one record; without `resolve`, only of its failure. */
export interface Waiter {
  readonly resolve?: (ack: RecordAck) => void
  readonly reject: (error: SluiceError) => void
}

/** A record whose caller may give up: the place it has in the batch, and how to stop listening. */
interface Watched {
  index: number
  stop(): void
}

/** Stands in the place of a record that was aborted when its batch had been sealed. */
const gone: Waiter = { reject: () => undefined }

type Place = Omit<RecordAck, 'timestamp'>

export class Deliveries {
  #count = 0
  /** Timestamps as runs, for most records share theirs: where each run begins, and its time. */
  #runStarts: number[] = []
  #runTimes: number[] = []
  #lastTime = 0
  /** Run of the record that was asked for last. */
  #run = 0
  /** Sparse: records without a waiter hang on the batch's promise. */
  #waiters: (Waiter | undefined)[] = []
  #watched: Watched[] = []
  #removed = new Set<number>()
  #settled: Promise<Place> | undefined
  #resolve: ((place: Place) => void) | undefined
  #reject: ((error: SluiceError) => void) | undefined
  /** Record whose promise settles next. */
  #next = 0

  /** Places of records that were aborted before the batch was sealed. */
  get removed(): ReadonlySet<number> {
    return this.#removed
  }

  get count(): number {
    return this.#count
  }

  /** One more record. */
  add(timestamp: number): void {
    if (timestamp !== this.#lastTime || this.#count === 0) {
      this.#runStarts.push(this.#count)
      this.#runTimes.push(timestamp)
      this.#lastTime = timestamp
    }
    this.#count++
  }

  /** The record just added: its caller gets a promise of its own. */
  promise(): Promise<RecordAck> {
    this.#settled ??= new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    return this.#settled.then(this.#nextAck)
  }

  /** The record just added is waited for by callbacks. */
  wait(waiter: Waiter): void {
    this.#waiters[this.#count - 1] = waiter
  }

  /**
   * The record just added rejects with ABORTED when `signal` fires; `isOpen` says if it can still
   * be taken out.
   */
  watchLast(signal: AbortSignal, isOpen: () => boolean): void {
    const onAbort = (): void => this.#abort(watched.index, signal, isOpen())
    const stop = (): void => signal.removeEventListener('abort', onAbort)
    const watched: Watched = { index: this.#count - 1, stop }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#watched.push(watched)
  }

  #abort(index: number, signal: AbortSignal, open: boolean): void {
    const waiter = this.#waiters[index]
    this.#waiters[index] = gone
    if (open) this.#removed.add(index)
    const when = open ? 'before it was sent' : 'when it had been sealed'
    const details = { cause: signal.reason, maybeApplied: !open }
    waiter?.reject(new SluiceError('ABORTED', `the record was aborted ${when}`, details))
  }

  /** Forgets the removed records; the others move up, as they do in the batch. */
  compact(): void {
    const all = Array.from({ length: this.#count }, (_, index) => index)
    const kept = all.filter(index => !this.#removed.has(index))
    const times = kept.map(index => this.#timeOf(index))
    this.#waiters = kept.map(index => this.#waiters[index])
    const places = new Map(kept.map((index, place) => [index, place]))
    this.#watched = this.#watched.filter(watched => places.has(watched.index))
    for (const watched of this.#watched) watched.index = places.get(watched.index) ?? 0
    this.#removed = new Set()
    this.#count = 0
    this.#runStarts = []
    this.#runTimes = []
    for (const time of times) this.add(time)
  }

  succeed(place: Place): void {
    this.#stopWatching()
    this.#waiters.forEach((waiter, index) => {
      waiter?.resolve?.(this.#ackOf(index, place))
    })
    this.#resolve?.(place)
  }

  fail(error: SluiceError): void {
    this.#stopWatching()
    for (const waiter of this.#waiters) waiter?.reject(error)
    this.#reject?.(error)
  }

  readonly #nextAck = (place: Place): RecordAck => {
    while (this.#waiters[this.#next] !== undefined) this.#next++
    return this.#ackOf(this.#next++, place)
  }

  #ackOf(index: number, { topic, partition, offset, reached }: Place): RecordAck {
    const timestamp = this.#timeOf(index)
    return { topic, partition, offset: offset < 0 ? offset : offset + index, timestamp, reached }
  }

  /** Records are asked for in their order, so the run is the last one or close behind it. */
  #timeOf(index: number): number {
    if (index < (this.#runStarts[this.#run] ?? 0)) this.#run = 0
    while (index >= (this.#runStarts[this.#run + 1] ?? Number.POSITIVE_INFINITY)) this.#run++
    return this.#runTimes[this.#run] ?? 0
  }

  #stopWatching(): void {
    for (const watched of this.#watched) watched.stop()
    this.#watched = []
  }
}

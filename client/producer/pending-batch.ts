/**
 * Pending batch: records on their way to one partition, from the first append until each promise
 * settled.
 *
 *   open (takes records) ─> sealed (takes no more) ─> written (has id, epoch, sequence) ─> settled
 *
 * Always true: once written, the bytes and the (id, epoch, sequence) never change, however often
 * they are sent (storage.md S10); `outcomeUnknown` is true as soon as one sending of it has no
 * definite answer.
 * Called by partition-queue.ts and sender.ts.
 */

import type { SluiceError } from '../../protocol/errors.ts'
import { invariant } from '../../protocol/invariant.ts'
import type { Acks } from '../../protocol/messages/produce.ts'
import { BatchBuilder, type OutgoingHeader } from '../../protocol/records/batch-builder.ts'
import { type ProducerStamp, readBatchHeader } from '../../protocol/records/batch-header.ts'
import { RecordCursor } from '../../protocol/records/record-reader.ts'
import type { Compression, CompressionCodec } from '../../protocol/world.ts'
import type { BrokerSession } from '../cluster/broker-session.ts'
import { Deliveries } from './deliveries.ts'
import type { FlushBarrier } from './flush-barrier.ts'
import { notIdempotent } from './partition-sequences.ts'

export interface BatchSettings {
  readonly acks: Acks
  readonly codec: CompressionCodec
  readonly capacityBytes: number
  readonly expectedBytes: number
  readonly openedMs: number
}

export class PendingBatch {
  readonly acks: Acks
  readonly codec: CompressionCodec
  /** Monotonic time of the first record: linger and delivery timeout count from here. */
  readonly openedMs: number
  readonly deliveries = new Deliveries()
  /** Unanswered on this session at the moment. */
  inFlightOn: BrokerSession | undefined
  outcomeUnknown = false
  /** Its number among the batches written to its partition. */
  ordinal = -1
  failures = 0
  lastError: SluiceError | undefined
  #builder: BatchBuilder | undefined
  #bytes: Uint8Array | undefined
  #count = 0
  #isOpen = true
  #isSettled = false
  #barriers: FlushBarrier[] = []
  /** Charged against bufferBytes until it settles. */
  heldBytes = 0

  constructor(settings: BatchSettings) {
    this.acks = settings.acks
    this.codec = settings.codec
    this.openedMs = settings.openedMs
    this.#builder = new BatchBuilder(settings)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  get isWritten(): boolean {
    return this.#bytes !== undefined
  }

  get count(): number {
    return this.#count
  }

  /** The wire form. The batch has been written. */
  get bytes(): Uint8Array {
    invariant(this.#bytes !== undefined, 'a batch has bytes once it is written')
    return this.#bytes
  }

  /**
   * False where the batch is full; nothing changed then. Whoever appends tells `deliveries` at once
   * who waits for the record. @throws SluiceError of
   * BatchBuilder.appendParts
   */
  append(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly OutgoingHeader[] | undefined,
  ): boolean {
    const builder = this.#builder
    if (builder?.appendParts(timestamp, key, value, headers) !== true) return false
    this.#count++
    this.deliveries.add(timestamp)
    this.heldBytes = builder.sizeBytes
    return true
  }

  /**
   * No more records. False where every record was aborted: the batch settles without being sent.
   */
  seal(compression: Compression): boolean {
    this.#isOpen = false
    if (this.deliveries.removed.size > 0) this.#takeOutRemoved(compression)
    return this.#count > 0
  }

  /** Makes the wire form under `stamp`; the batch keeps it for good. */
  write(stamp: ProducerStamp, compression: Compression): void {
    invariant(this.#builder !== undefined && !this.#isOpen, 'a sealed batch is written once')
    this.#bytes = this.#builder.build({ codec: this.codec, compression, ...stamp })
    this.#builder = undefined
  }

  addBarrier(barrier: FlushBarrier): void {
    barrier.add()
    this.#barriers.push(barrier)
  }

  succeed(place: { topic: string; partition: number }, offset: number, reached: Reached): void {
    if (!this.#settle()) return
    this.deliveries.succeed({ ...place, offset, reached })
    this.#passBarriers()
  }

  fail(error: SluiceError): void {
    if (!this.#settle()) return
    this.deliveries.fail(error)
    this.#passBarriers()
  }

  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    this.#isOpen = false
    this.#builder = undefined
    return true
  }

  #passBarriers(): void {
    for (const barrier of this.#barriers) barrier.pass()
    this.#barriers = []
  }

  #takeOutRemoved(compression: Compression): void {
    const { removed } = this.deliveries
    const before = this.#builder
    invariant(before !== undefined, 'an unwritten batch has its builder')
    const batch = before.build({ codec: 'none', ...notIdempotent })
    const after = new BatchBuilder({ capacityBytes: batch.length })
    const cursor = new RecordCursor(batch, readBatchHeader(batch), compression)
    for (let i = 0; cursor.next(); i++) {
      if (removed.has(i)) continue
      after.appendParts(cursor.timestamp, cursor.key(), cursor.value(), cursor.headers())
    }
    this.#builder = after
    this.#count = after.count
    this.deliveries.compact()
  }
}

type Reached = 'fsynced' | 'written' | 'sent'

/**
 * Produce run: sends records, at most a fixed number in the air, and remembers what was acked
 * where.
 *
 * Always true: `acked` + failed + in the air = sent; after the first failure nothing more is sent.
 * Used by produce.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { Acks } from '../../protocol/messages/produce.ts'
import type { CompressionCodec, World } from '../../protocol/world.ts'
import type { Client } from '../types/client.ts'
import type { OutgoingRecord, RecordAck, Topic } from '../types/producing.ts'
import { usageError } from './failure.ts'
import { canonicalKey } from './key-json.ts'
import type { Output } from './output.ts'
import type { ReadRecord } from './read-format.ts'

export interface SendOptions {
  /** Where a record names none. */
  readonly topic: string | undefined
  readonly keyJson: boolean
  readonly partition: number | undefined
  readonly compression: CompressionCodec
  readonly acks: Acks
  /** Records per second, or null. */
  readonly rate: number | null
}

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  records: number
  firstOffset: number
  lastOffset: number
}

const maxInTheAir = 20_000

export class ProduceRun {
  acked = 0
  failed = 0
  #failure: SluiceError | null = null
  readonly #broken = new AbortController()
  /** Aborted by the first failure. */
  readonly broken: AbortSignal = this.#broken.signal
  readonly #client: Client
  readonly #world: World
  readonly #options: SendOptions
  readonly #topics = new Map<string, Topic<Uint8Array, Uint8Array>>()
  readonly #partitions = new Map<string, ProducedPartition>()
  readonly #startMs: number
  #sent = 0
  #wake: (() => void) | null = null

  constructor(client: Client, world: World, options: SendOptions) {
    this.#client = client
    this.#world = world
    this.#options = options
    this.#startMs = world.clock.monotonicMs()
  }

  /** Sends in order; resolves when there is room for more. */
  async send(records: readonly ReadRecord[], signal: AbortSignal): Promise<void> {
    for (const record of records) {
      if (this.#failure !== null || signal.aborted) return
      if (this.#options.rate !== null) await this.#untilDue(this.#options.rate)
      const topic = this.#topicOf(record)
      topic.send(this.#outgoing(record, topic.name)).then(this.#onAck, this.#onFailure)
      this.#sent++
      if (this.#inTheAir >= maxInTheAir) await this.#until(maxInTheAir / 2)
    }
  }

  /** Resolves when everything sent is acked or failed. */
  async finish(): Promise<void> {
    await this.#until(0)
  }

  get #inTheAir(): number {
    return this.#sent - this.acked - this.failed
  }

  async #until(limit: number): Promise<void> {
    while (this.#inTheAir > limit) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async #untilDue(rate: number): Promise<void> {
    const dueMs = this.#startMs + (this.#sent * 1000) / rate
    const waitMs = dueMs - this.#world.clock.monotonicMs()
    if (waitMs < 1) return
    await new Promise<void>(resolve => this.#world.timers.after(waitMs, resolve))
  }

  /** Ends the run because the input does; what was sent before is still waited for. */
  stop(reason: SluiceError): void {
    this.#failure ??= reason
    this.#broken.abort()
  }

  /** The first failure, with the number of records that are acked all the same. */
  get failure(): SluiceError | null {
    const error = this.#failure
    if (error === null || this.acked === 0) return error
    const { code, message, hint, maybeApplied } = error
    const acked = this.acked === 1 ? '1 record was acked' : `${this.acked} records were acked`
    return new SluiceError(code, `${message}; ${acked}`, {
      maybeApplied,
      cause: error,
      ...(hint !== undefined && { hint }),
    })
  }

  #topicOf(record: ReadRecord): Topic<Uint8Array, Uint8Array> {
    const name = record.topic ?? this.#options.topic
    if (name === undefined) throw usageError('a record names no topic')
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    const { compression, acks } = this.#options
    const topic = this.#client.topic(name, { compression, acks })
    this.#topics.set(name, topic)
    return topic
  }

  #outgoing(record: ReadRecord, topic: string): OutgoingRecord<Uint8Array, Uint8Array> {
    const { keyJson, partition } = this.#options
    const key = keyJson && record.key !== null ? canonicalKey(record.key, topic) : record.key
    const chosen = record.partition ?? partition
    return {
      key,
      value: record.value,
      headers: record.headers,
      ...(record.timestamp !== undefined && { timestamp: record.timestamp }),
      ...(chosen !== undefined && { partition: chosen }),
    }
  }

  readonly #onAck = (ack: RecordAck): void => {
    this.acked++
    const id = `${ack.topic}/${ack.partition}`
    const known = this.#partitions.get(id)
    if (known === undefined) {
      const { topic, partition, offset } = ack
      const entry = { topic, partition, records: 1, firstOffset: offset, lastOffset: offset }
      this.#partitions.set(id, entry)
    } else {
      known.records++
      known.firstOffset = Math.min(known.firstOffset, ack.offset)
      known.lastOffset = Math.max(known.lastOffset, ack.offset)
    }
    this.#stepped()
  }

  readonly #onFailure = (thrown: unknown): void => {
    this.failed++
    this.stop(asSluiceError(thrown))
    this.#stepped()
  }

  #stepped(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  /** What was acked, per partition. */
  show(output: Output): void {
    const rows = [...this.#partitions.values()].sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    )
    output.list(rows, {
      columns: [
        { title: 'TOPIC', cell: row => row.topic },
        { title: 'PARTITION', cell: row => row.partition },
        { title: 'RECORDS', cell: row => row.records },
        { title: 'FIRST-OFFSET', cell: row => row.firstOffset },
        { title: 'LAST-OFFSET', cell: row => row.lastOffset },
      ],
      name: row => `${row.topic}/${row.partition}`,
      empty: 'no records',
    })
  }
}

/**
 * Load: producers and a reader on one topic, as programs of a user would be, while something
 * happens to the broker.
 *
 *   producer 0 (idempotent) ─┐
 *   producer 1 …             ├──> topic ──> reader, from the start on
 *   each on a connection of its own
 *
 * Always true: an idempotent producer must never hear of an error, whatever happens to the broker
 * within its delivery timeout; a reader is given each offset once, in order. What breaks that is
 * thrown by `stop`.
 * Used by crash-loop.ts and the other faults.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Client,
  type CompressionCodec,
  connect,
  SluiceError,
  type Topic,
} from '../../../client/index.ts'
import type { Content, RecordShape } from './comparison.ts'
import { bytesOfRecord, numberOfRecord } from './crash-plan.ts'
import { Ledger } from './ledger.ts'

export interface LoadOptions extends RecordShape {
  readonly url: string
  readonly topic: string
  /** One producer for each. */
  readonly idempotent: readonly boolean[]
  readonly compression?: CompressionCodec
  /** Default: as fast as the acks come. */
  readonly pace?: { readonly records: number; readonly everyMs: number }
  /** Default 20 s. */
  readonly deliveryTimeoutMs?: number
  /** Of the producers; smaller ones make more of them wait together in the broker. */
  readonly batchBytes?: number
  /** Where all records go. Default: where their keys say. */
  readonly partition?: number
}

const burst = 200
const maxInTheAir = 4000
/** Quick, so that a round is short; a broker that is away for a second is still called often. */
const reconnect = { baseMs: 10, maxMs: 80 }

export function connectQuickly(url: string): Promise<Client> {
  return connect({ servers: url, reconnect, closeTimeoutMs: 1000 })
}

export class Load {
  readonly ledger = new Ledger()
  /** What the reader was given. */
  readonly read: Content
  readonly #read = new Map<number, number[]>()
  readonly #options: LoadOptions
  readonly #clients: Client[] = []
  #running: Promise<unknown> = Promise.resolve()
  #reading: Promise<void> = Promise.resolve()
  #stopped = false
  #failure: unknown = null
  readonly #waiting = new Set<() => void>()

  private constructor(options: LoadOptions) {
    this.#options = options
    this.read = this.#read
  }

  /** Connects and begins; the topic exists. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options)
    try {
      await load.#start()
    } catch (error) {
      await load.abandon()
      throw error
    }
    return load
  }

  async #start(): Promise<void> {
    const { url, idempotent, deliveryTimeoutMs = 20_000, batchBytes } = this.#options
    const { compression = 'none' } = this.#options
    const same = { deliveryTimeoutMs, compression, ...(batchBytes !== undefined && { batchBytes }) }
    const producers = await Promise.all(
      idempotent.map(isIdempotent =>
        connect({
          servers: url,
          reconnect,
          producer: { idempotent: isIdempotent, ...same },
          closeTimeoutMs: 1000,
        }),
      ),
    )
    this.#clients.push(...producers)
    const reader = await connectQuickly(url)
    this.#clients.push(reader)
    this.#reading = this.#follow(reader).catch(this.#fail)
    this.#running = Promise.all(
      producers.map((client, producer) => this.#produce(client, producer)),
    )
    this.#running.catch(this.#fail)
  }

  #wake(): void {
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= error
    this.#wake()
  }

  /** What should not have happened so far; null where nothing did. */
  get failure(): unknown {
    return this.#failure
  }

  get recordsRead(): number {
    let count = 0
    for (const numbers of this.#read.values()) count += numbers.length
    return count
  }

  async #follow(client: Client): Promise<void> {
    const consumer = client.consumer({ topics: [this.#options.topic], start: 'earliest' })
    for await (const batch of consumer.batches()) {
      for (const { partition, offset, value } of batch) {
        const numbers = this.#read.get(partition) ?? []
        this.#read.set(partition, numbers)
        if (offset !== numbers.length) {
          const place = `offset ${offset} of partition ${partition}`
          throw new Error(`a reader was given ${place} when ${numbers.length} was due`)
        }
        numbers.push(numberOfRecord(value))
      }
      if (this.#stopped) break
    }
  }

  async #produce(client: Client, producer: number): Promise<void> {
    const { topic: name, pace } = this.#options
    const topic = client.topic(name)
    while (!this.#stopped && this.#failure === null) {
      for (let i = 0; i < (pace?.records ?? burst); i++) this.#send(topic, producer)
      await (pace === undefined
        ? new Promise<void>(done => setImmediate(done))
        : sleep(pace.everyMs))
      await this.#until(maxInTheAir)
    }
  }

  #send(topic: Topic<Uint8Array, Uint8Array>, producer: number): void {
    const { round, valueBytes, partition, idempotent } = this.#options
    const n = this.ledger.add(producer)
    const key = n % 3 === 0 ? null : Buffer.from(`key-${n % 17}`)
    const value = bytesOfRecord(round, n, valueBytes)
    const sent = topic.send({ key, value, ...(partition !== undefined && { partition }) })
    sent.then(
      ack => {
        this.ledger.ack(n, ack)
        this.#wake()
      },
      error => {
        this.ledger.reject(n, error)
        if (idempotent[producer] === true || !SluiceError.is(error)) this.#failure ??= error
        this.#wake()
      },
    )
  }

  /** Resolves when no more than `limit` records are without an answer, or all has failed. */
  async #until(limit: number): Promise<void> {
    while (this.ledger.unanswered > limit && this.#failure === null) {
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  /** Resolves with the next ack, or after so long. */
  async nextAck(timeoutMs: number): Promise<void> {
    const { acked } = this.ledger
    const deadlineMs = performance.now() + timeoutMs
    while (this.ledger.acked === acked && performance.now() < deadlineMs) {
      await Promise.race([
        new Promise<void>(resolve => this.#waiting.add(resolve)),
        sleep(timeoutMs, undefined, { ref: false }),
      ])
    }
  }

  /** Ends the load when every record has its answer. @throws what should not have happened */
  async stop(): Promise<void> {
    this.#stopped = true
    try {
      await this.#running
      await this.#until(0)
    } finally {
      await this.abandon()
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** Ends it as it is; for a `finally`. */
  async abandon(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await Promise.all(this.#clients.map(client => client.close()))
    await this.#reading
  }
}

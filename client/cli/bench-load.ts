/**
 * Bench load: one client that sends records as fast as they are acked (closed loop) or each at its
 * intended time (open loop).
 *
 * Always true: every record is a `send` of its own, with its promise; in an open loop a record's
 * latency begins at the time at which it should have been sent, however late it was (no coordinated
 * omission).
 * Used by bench produce.
 */
import { asSluiceError, type SluiceError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/world.ts'
import type { OutgoingRecord, RecordAck, Topic } from '../types/producing.ts'
import type { BenchMeter } from './bench-meter.ts'

export interface LoadOptions {
  readonly world: World
  readonly meter: BenchMeter
  readonly topic: Topic<Uint8Array, Uint8Array>
  /** Taken in turn. */
  readonly records: readonly OutgoingRecord<Uint8Array, Uint8Array>[]
  readonly recordBytes: number
  /** Records to send. */
  readonly count: number
  /** Monotonic time after which nothing is sent. */
  readonly endMs: number
  /** Records without an ack. */
  readonly window: number
  /** Records sent in one turn of a closed loop. */
  readonly burst: number
  /** A latency is taken of every n-th record. */
  readonly sampleEvery: number
  readonly signal: AbortSignal
}

export class BenchLoad {
  failure: SluiceError | null = null
  reached: RecordAck['reached'] | null = null
  readonly #options: LoadOptions
  #sent = 0
  #done = 0
  #wake: (() => void) | null = null

  constructor(options: LoadOptions) {
    this.#options = options
  }

  get #stopped(): boolean {
    const { count, endMs, signal, world } = this.#options
    if (this.failure !== null || signal.aborted || this.#sent >= count) return true
    return world.clock.monotonicMs() >= endMs
  }

  /** As fast as acks come, at most `window` in the air. */
  async closedLoop(): Promise<void> {
    const { burst, count, window, world } = this.#options
    while (!this.#stopped) {
      const nowMs = world.clock.monotonicMs()
      const room = Math.min(burst, window - this.#inTheAir, count - this.#sent)
      for (let i = 0; i < room; i++) this.#send(nowMs)
      if (this.#inTheAir >= window) await this.#ackUntil(window - Math.min(burst, window))
      else await this.#turn()
    }
    await this.#ackUntil(0)
  }

  /** Record n at `startMs + n · gapMs`; late ones at once. */
  async openLoop(startMs: number, gapMs: number): Promise<void> {
    const { world } = this.#options
    while (!this.#stopped) {
      const nowMs = world.clock.monotonicMs()
      let dueMs = startMs + this.#sent * gapMs
      while (dueMs <= nowMs && this.#sent < this.#options.count) {
        this.#send(dueMs)
        dueMs = startMs + this.#sent * gapMs
      }
      // A timer is late by up to a millisecond, so the last one is waited out turn by turn.
      if (dueMs - nowMs > 2) await this.#sleep(dueMs - nowMs - 1)
      else await this.#turn()
    }
    await this.#ackUntil(0)
  }

  get #inTheAir(): number {
    return this.#sent - this.#done
  }

  #send(intendedMs: number): void {
    const { topic, records, sampleEvery } = this.#options
    const record = records[this.#sent % records.length]
    if (record === undefined) return
    const sent = topic.send(record)
    if (this.#sent % sampleEvery === 0) {
      sent.then(ack => {
        if (this.#options.meter.isWarm) this.#options.meter.latency(intendedMs)
        this.#onAck(ack)
      }, this.#onFailure)
    } else sent.then(this.#onAck, this.#onFailure)
    this.#sent++
  }

  readonly #onAck = (ack: RecordAck): void => {
    this.#done++
    this.reached = ack.reached
    this.#options.meter.count(1, this.#options.recordBytes)
    this.#stepped()
  }

  readonly #onFailure = (thrown: unknown): void => {
    this.#done++
    this.failure ??= asSluiceError(thrown)
    this.#stepped()
  }

  #wakeAt = 0

  #stepped(): void {
    if (this.#wake === null || this.#inTheAir > this.#wakeAt) return
    const wake = this.#wake
    this.#wake = null
    wake()
  }

  async #ackUntil(limit: number): Promise<void> {
    while (this.#inTheAir > limit) {
      this.#wakeAt = limit
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #turn(): Promise<void> {
    return new Promise(resolve => this.#options.world.timers.endOfTurn(resolve))
  }

  #sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.#options.world.timers.after(ms, resolve))
  }
}

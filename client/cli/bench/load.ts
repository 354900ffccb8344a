/**
 * Bench load: one client that sends records as fast as they are acked (closed loop) or each at its
 * intended time (open loop).
 *
 * Always true: every record is a `send` of its own, with its promise; in an open loop a record's
 * latency begins at the time at which it should have been sent, however late it was (no coordinated
 * omission), and it goes on until every record was sent or `endMs` came. The loops add one `then`
 * to a record and nothing else: counting and timing happen once a turn.
 * Used by bench produce, e2e and connections.
 */
import { asSluiceError, type SluiceError } from '../../../protocol/errors.ts'
import type { World } from '../../../protocol/world.ts'
import type { RecordAck, Topic } from '../../types/producing.ts'
import type { BenchMeter } from './meter.ts'
import type { Payload } from './payload.ts'

export interface LoadOptions {
  readonly world: World
  /** Counts acks; null where something else is counted. */
  readonly meter: BenchMeter | null
  readonly topic: Topic<Uint8Array, Uint8Array>
  readonly payload: Payload
  /** Records to send. */
  readonly count: number
  /** Monotonic time after which nothing more is sent. */
  readonly endMs: number
  /** Records without an ack; above it also an open loop waits, which its latencies show. */
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
  #counted = 0
  #untilSample = 1
  #isStopped = false
  #wakeAtDone = Number.POSITIVE_INFINITY
  #wake: (() => void) | null = null

  constructor(options: LoadOptions) {
    this.#options = options
  }

  get source(): number {
    return this.#options.payload.source
  }

  /** Records that are acked. */
  get acked(): number {
    return this.#done
  }

  /** Records that were never sent, because the end came or something failed. */
  get unsent(): number {
    return this.#options.count - this.#sent
  }

  /** Nothing more is sent; what is in the air is waited for. */
  stop(): void {
    this.#isStopped = true
  }

  /** As fast as acks come, at most `window` in the air. */
  async closedLoop(): Promise<void> {
    const { burst, count, window, world, endMs } = this.#options
    while (!this.#isOver) {
      const nowMs = world.clock.monotonicMs()
      if (nowMs >= endMs) break
      this.#sendMany(Math.min(burst, window - this.#inTheAir, count - this.#sent), nowMs)
      if (this.#inTheAir >= window) await this.#ackUntil(window - burst)
      else await this.#turn()
      this.#count()
    }
    await this.#drain()
  }

  /** One record at a time: the next is sent when the one before is acked. */
  async awaitedLoop(): Promise<void> {
    const { payload, topic, world, endMs, meter } = this.#options
    const { clock } = world
    while (!this.#isOver) {
      const sinceMs = clock.monotonicMs()
      if (sinceMs >= endMs) break
      this.#sent++
      try {
        this.#onAck(await topic.send(payload.next()))
      } catch (thrown) {
        this.#onFailure(thrown)
        break
      }
      meter?.latency(sinceMs)
      this.#count()
    }
  }

  /** Record n at `startMs + n · gapMs`; late ones at once. */
  async openLoop(startMs: number, gapMs: number): Promise<void> {
    const { world, window, count, endMs } = this.#options
    while (!this.#isOver) {
      const nowMs = world.clock.monotonicMs()
      if (nowMs >= endMs) break
      let dueMs = startMs + this.#sent * gapMs
      while (dueMs <= nowMs && this.#sent < count && this.#inTheAir < window) {
        this.#sendDue(dueMs)
        dueMs = startMs + this.#sent * gapMs
      }
      this.#count()
      // A timer is late by up to a millisecond, so the last one is waited out turn by turn.
      if (this.#inTheAir >= window) await this.#ackUntil(window - 1)
      else if (dueMs - nowMs > 2) await this.#sleep(dueMs - nowMs - 1)
      else await this.#turn()
    }
    await this.#drain()
  }

  get #isOver(): boolean {
    const { count, signal } = this.#options
    if (this.failure !== null || this.#isStopped) return true
    return signal.aborted || this.#sent >= count
  }

  get #inTheAir(): number {
    return this.#sent - this.#done
  }

  #sendMany(records: number, nowMs: number): void {
    const { topic, payload, sampleEvery, meter } = this.#options
    const onAck = this.#onAck
    const onFailure = this.#onFailure
    for (let i = 0; i < records; i++) {
      const sent = topic.send(payload.next())
      if (--this.#untilSample > 0) sent.then(onAck, onFailure)
      else {
        this.#untilSample = sampleEvery
        sent.then(ack => {
          meter?.latency(nowMs)
          onAck(ack)
        }, onFailure)
      }
    }
    this.#sent += Math.max(0, records)
  }

  #sendDue(dueMs: number): void {
    const { topic, payload, sampleEvery, meter } = this.#options
    const sent = topic.send(payload.next())
    this.#sent++
    if (--this.#untilSample > 0) {
      sent.then(this.#onAck, this.#onFailure)
      return
    }
    this.#untilSample = sampleEvery
    sent.then(ack => {
      meter?.latency(dueMs)
      this.#onAck(ack)
    }, this.#onFailure)
  }

  readonly #onAck = (ack: RecordAck): void => {
    this.#done++
    this.reached ??= ack.reached
    if (this.#done >= this.#wakeAtDone) this.#wakeUp()
  }

  readonly #onFailure = (thrown: unknown): void => {
    this.#done++
    this.failure ??= asSluiceError(thrown)
    if (this.#done >= this.#wakeAtDone) this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    this.#wakeAtDone = Number.POSITIVE_INFINITY
    wake?.()
  }

  /** Tells the meter what came since. */
  #count(): void {
    const { meter, payload } = this.#options
    const done = this.#done
    if (done === this.#counted) return
    meter?.count(done - this.#counted, payload.bytesOf(done) - payload.bytesOf(this.#counted))
    this.#counted = done
  }

  async #drain(): Promise<void> {
    await this.#ackUntil(0)
    this.#count()
  }

  async #ackUntil(limit: number): Promise<void> {
    if (this.#inTheAir <= limit) return
    await new Promise<void>(resolve => {
      this.#wakeAtDone = this.#sent - limit
      this.#wake = resolve
    })
  }

  #turn(): Promise<void> {
    return new Promise(resolve => this.#options.world.timers.endOfTurn(resolve))
  }

  #sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.#options.world.timers.after(ms, resolve))
  }
}

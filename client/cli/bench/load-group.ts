/**
 * Load group: the senders of a bench, over one or several clients, as one load.
 *
 * Always true: each sender has a source of its own and its share of the records; in an open loop
 * their intended times interleave evenly.
 * Used by bench produce, e2e and connections.
 */
import type { Client } from '../../types/client.ts'
import type { RecordAck } from '../../types/producing.ts'
import type { CommandContext } from '../command.ts'
import { rounded } from './latencies.ts'
import { BenchLoad } from './load.ts'
import type { BenchMeter } from './meter.ts'
import { Payload, type PayloadPlan } from './payload.ts'
import type { GeneratorCost } from './report.ts'
import { maxSource } from './stamp.ts'

export interface LoadPlan {
  readonly topic: string
  readonly payload: PayloadPlan
  /** Records of all senders. */
  readonly count: number
  /** Senders per client. */
  readonly producers: number
  /** Records per second of all senders; null = closed loop. */
  readonly rate: number | null
  /** Records of one sender without an ack. */
  readonly window: number
  /** Records sent in one turn of a closed loop. */
  readonly burst: number
  /** Nothing more is sent that long after the start. */
  readonly endAfterMs: number
}

const mostSamplesPerSecond = 100_000
const closedSampleEvery = 32

function sampleEvery({ rate, window }: LoadPlan): number {
  if (rate !== null) return Math.ceil(rate / mostSamplesPerSecond)
  return window > 1000 ? closedSampleEvery : 1
}

export class LoadGroup {
  readonly #context: CommandContext
  readonly #plan: LoadPlan
  readonly #clients: readonly Client[]
  readonly #payloads: readonly Payload[]
  #loads: readonly BenchLoad[] = []

  /** Makes the payloads, which takes a moment and is not to be measured. */
  constructor(context: CommandContext, plan: LoadPlan, clients: readonly Client[]) {
    const { random } = context.world
    this.#context = context
    this.#plan = plan
    this.#clients = clients.flatMap(client => [...Array(plan.producers)].map(() => client))
    const first = Math.floor(random.fraction() * maxSource)
    this.#payloads = this.#clients.map(
      (_, i) => new Payload(plan.payload, (first + i) % maxSource, random),
    )
  }

  get sources(): readonly number[] {
    return this.#payloads.map(payload => payload.source)
  }

  /** Records acked, by source. */
  get acked(): ReadonlyMap<number, number> {
    return new Map(this.#loads.map(load => [load.source, load.acked]))
  }

  get unsent(): number {
    return this.#loads.reduce((sum, load) => sum + Math.max(0, load.unsent), 0)
  }

  get reached(): RecordAck['reached'] | null {
    return this.#loads.find(load => load.reached !== null)?.reached ?? null
  }

  /** When record `sequence` of sender `index` is due in an open loop that began at `startMs`. */
  intendedMs(startMs: number, index: number, sequence: number): number {
    const rate = this.#plan.rate ?? 1
    return startMs + ((index + sequence * this.#payloads.length) * 1000) / rate
  }

  /** All on this event loop. Resolves when everything sent is acked. @throws SluiceError */
  async run(meter: BenchMeter | null, startMs: number): Promise<void> {
    const { count, rate, window, burst, topic, endAfterMs } = this.#plan
    const senders = this.#payloads.length
    this.#loads = this.#payloads.map(
      (payload, i) =>
        new BenchLoad({
          world: this.#context.world,
          meter,
          topic: (this.#clients[i] as Client).topic(topic),
          payload,
          count: Math.ceil((count - i) / senders),
          endMs: startMs + endAfterMs,
          window,
          burst,
          sampleEvery: sampleEvery(this.#plan),
          signal: this.#context.signal,
        }),
    )
    await Promise.all(
      this.#loads.map((load, i) => {
        if (rate !== null) {
          return load.openLoop(this.intendedMs(startMs, i, 0), (1000 * senders) / rate)
        }
        return window === 1 ? load.awaitedLoop() : load.closedLoop()
      }),
    )
    const failure = this.#loads.find(load => load.failure !== null)?.failure
    if (failure !== undefined && failure !== null) throw failure
  }

  stop(): void {
    for (const load of this.#loads) load.stop()
  }

  /** What making the records cost, against the processor time of one core at this rate. */
  cost(recordsPerSecond: number): GeneratorCost {
    const [first] = this.#payloads
    const nsPerRecord = first?.costNs(this.#context.world.clock) ?? 0
    return {
      nsPerRecord: rounded(nsPerRecord, 1),
      share: rounded((nsPerRecord * recordsPerSecond) / 1e9, 4),
    }
  }
}

/**
 * Kill loop: produce under load, SIGKILL the broker at a random moment, start it again, read
 * everything back.
 *
 *   broker n ── load ── SIGKILL ── broker n+1, same port and directory ── the SDK goes on ── read all, compare
 *
 * Always true: a failed comparison names seed and round; the same seed draws the same plans (the
 * moment of the kill in the load is up to the machine). Acked records must be there once, at their
 * offset, with their bytes; records without an ack may be there once or not at all.
 * Used by kill.test.ts; by hand: node dist/test/integration/kill-loop.js 50 7
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type BrokerProcess, startBrokerProcess } from '../../bench/demo/broker-process.ts'
import { type Client, connect, type RecordAck, SluiceError } from '../../client/index.ts'
import { Comparison } from './kill-comparison.ts'
import { bytesOfRecord, drawPlan, type RoundPlan, seeded } from './kill-plan.ts'

export interface KillLoopOptions {
  readonly rounds: number
  readonly seed: number
  /** Told after each round. */
  readonly onRound?: (report: RoundReport) => void
}

export interface RoundReport {
  readonly round: number
  readonly plan: RoundPlan
  readonly sent: number
  readonly acked: number
  /** Records without an ack when the kill came. */
  readonly unanswered: number
  readonly rejected: number
  readonly read: number
  readonly ms: number
}

const maxInTheAir = 4000

/** The load of one round, and what is known of each record. */
class Load {
  readonly acks: (RecordAck | null)[] = []
  acked = 0
  rejected = 0
  stopped = false
  readonly #round: number
  readonly #plan: RoundPlan
  #wake: () => void = () => {}

  constructor(round: number, plan: RoundPlan) {
    this.#round = round
    this.#plan = plan
  }

  get unanswered(): number {
    return this.acks.length - this.acked - this.rejected
  }

  async run(client: Client): Promise<void> {
    const { compression, valueBytes } = this.#plan
    const topic = client.topic(`load-${this.#round}`, { compression })
    while (!this.stopped) {
      for (let i = 0; i < 200; i++) {
        const n = this.acks.push(null) - 1
        const key = n % 3 === 0 ? null : Buffer.from(`key-${n % 17}`)
        const sent = topic.send({ key, value: bytesOfRecord(this.#round, n, valueBytes) })
        sent.then(ack => this.#onAck(n, ack), this.#onFailure)
      }
      await new Promise<void>(resolve => setImmediate(resolve))
      await this.#until(maxInTheAir)
    }
    await this.#until(0)
  }

  async #until(limit: number): Promise<void> {
    while (this.unanswered > limit) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  #onAck(n: number, ack: RecordAck): void {
    this.acks[n] = ack
    this.acked++
    this.#wake()
  }

  readonly #onFailure = (error: unknown): void => {
    this.rejected++
    // With idempotence an unknown outcome must never reach the caller while the broker comes back.
    const allowed = !this.#plan.idempotent && SluiceError.is(error)
    if (!allowed) this.unexpected ??= error
    this.#wake()
  }
  unexpected: unknown = null
}

async function readBack(client: Client, topic: string, comparison: Comparison): Promise<void> {
  const consumer = client.consumer({ topics: [topic], start: 'earliest', stopAtEnd: true })
  for await (const batch of consumer.batches()) {
    for (const record of batch) comparison.record(record)
  }
  await consumer.close()
  comparison.end()
}

interface Place {
  broker: BrokerProcess
  readonly dataDir: string
}

async function runRound(place: Place, round: number, plan: RoundPlan): Promise<RoundReport> {
  const startedMs = performance.now()
  const { idempotent, partitions, segmentBytes } = plan
  const client = await connect({
    servers: place.broker.url,
    producer: { idempotent, deliveryTimeoutMs: 20_000 },
    closeTimeoutMs: 1000,
  })
  try {
    const topic = `load-${round}`
    const configs = { 'segment.bytes': String(segmentBytes) }
    await client.admin.topics.create({ name: topic, partitions, configs })
    const load = new Load(round, plan)
    const running = load.run(client)
    await sleep(plan.killAfterMs)
    const { unanswered } = load
    const { address } = place.broker
    await place.broker.kill()
    await sleep(plan.pauseMs)
    place.broker = await startBrokerProcess({ dataDir: place.dataDir, listen: address })
    await sleep(plan.afterMs)
    load.stopped = true
    await running
    if (load.unexpected !== null) throw load.unexpected
    const comparison = new Comparison(round, plan, load.acks)
    await readBack(client, topic, comparison)
    await client.admin.topics.delete(topic)
    const { acked, rejected, acks } = load
    const ms = performance.now() - startedMs
    const { read } = comparison
    return { round, plan, sent: acks.length, acked, unanswered, rejected, read, ms }
  } finally {
    await client.close()
  }
}

/**
 * Resolves with the reports of all rounds. @throws Error naming seed and round where a record is
 * lost, doubled or wrong
 */
export async function killLoop(options: KillLoopOptions): Promise<RoundReport[]> {
  const random = seeded(options.seed)
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-kill-'))
  const reports: RoundReport[] = []
  let place: Place | null = null
  try {
    place = { broker: await startBrokerProcess({ dataDir }), dataDir }
    for (let round = 0; round < options.rounds; round++) {
      const plan = drawPlan(random)
      try {
        const report = await runRound(place, round, plan)
        reports.push(report)
        options.onRound?.(report)
      } catch (cause) {
        const where = `seed ${options.seed}, round ${round}, ${JSON.stringify(plan)}`
        throw new Error(`${where}: ${cause instanceof Error ? cause.message : cause}`, { cause })
      }
    }
    return reports
  } finally {
    await place?.broker.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [rounds = '50', seed = '1'] = process.argv.slice(2)
  const onRound = (r: RoundReport): void => {
    const parts = [`sent ${r.sent}`, `acked ${r.acked}`, `unanswered at the kill ${r.unanswered}`]
    const more = [`rejected ${r.rejected}`, `read ${r.read}`, `${r.ms.toFixed(0)} ms`]
    process.stdout.write(`round ${r.round}: ${[...parts, ...more].join(', ')}\n`)
  }
  const startedMs = performance.now()
  await killLoop({ rounds: Number(rounds), seed: Number(seed), onRound })
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  process.stdout.write(`${rounds} rounds in ${seconds} s: nothing lost, nothing twice\n`)
}

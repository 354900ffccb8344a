/**
 * One broker: the real broker and the real SDK on a simulated machine, through crashes, power cuts,
 * cut wires, bad disks and full ones; at the end everything is read back and compared with what the
 * producer was told.
 *
 *   producer ──> broker (killed, powered off, cut off, stalled, out of space) ──> consumer
 *
 * Always true of a correct broker: what was acked is there once, at the offset that was acked, with
 * its bytes; what was refused as not applied is nowhere; nobody ever saw two records at one offset;
 * a partition's records come in the order in which they were sent.
 * Called by index.ts; planted bugs are hunted with it by test/planted.
 */
import { type Broker, createBroker } from '../../../broker/server/broker.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import type { Client, Topic } from '../../../client/index.ts'
import { connect, type SluiceError, string } from '../../../client/index.ts'
import { checkHistory, type Sent } from '../history.ts'
import type { Scenario } from '../scenario.ts'
import type { SimWorld } from '../sim-world.ts'
import { OneBrokerFaults } from './one-broker-faults.ts'
import { allFaults, drawPlan, type Plan } from './one-broker-plan.ts'

const topicName = 'orders'
const healAfterMs = 20_000

/** `machine` changes what the broker is given of its machine; the default leaves it alone. */
export function oneBroker(machine: (world: BrokerWorld) => BrokerWorld = world => world): Scenario {
  return {
    name: 'one-broker',
    faults: allFaults,
    deadlineMs: 3_600_000,
    run: async world => {
      await new OneBrokerRun(world, drawPlan(world), machine).run()
    },
  }
}

class OneBrokerRun {
  readonly #world: SimWorld
  readonly #plan: Plan
  readonly #machine: (world: BrokerWorld) => BrokerWorld
  readonly #sent: Sent[] = []
  /** Value seen by any reader at `partition/offset`. */
  readonly #seen = new Map<string, string>()
  #broker: Broker | null = null
  #starting = false
  #failedStarts = 0
  #peace = false

  constructor(world: SimWorld, plan: Plan, machine: (world: BrokerWorld) => BrokerWorld) {
    this.#world = world
    this.#plan = plan
    this.#machine = machine
  }

  async run(): Promise<void> {
    await this.#startBroker()
    const producer = await this.#connect('producer')
    await producer.admin.topics.create({
      name: topicName,
      partitions: this.#plan.partitions,
      configs: { flush: this.#plan.flush, 'segment.bytes': String(this.#plan.segmentBytes) },
    })
    const topic = producer.topic(topicName, { value: string() })
    const reading = this.#readAlong()
    const chaos = this.#disturb()
    await this.#produce(topic)
    await chaos
    await this.#settleOutcomes()
    const records = await this.#readBack()
    await reading
    await producer.close()
    checkHistory(this.#sent, records)
  }

  /** Keeps a broker running: whenever it is gone it is started again after a moment. */
  async #startBroker(): Promise<void> {
    if (this.#starting) return
    this.#starting = true
    for (;;) {
      const config = {
        dataDir: '/data/sluice',
        listen: 'broker:9290',
        insecure: true,
        minFreeBytes: 2000,
        tailCacheBytes: this.#plan.tailCacheBytes,
      }
      try {
        this.#broker = await this.#whileAlive(
          createBroker(config, this.#machine(this.#world.node('broker'))),
        )
        break
      } catch (error) {
        // A broker that cannot start for lack of space tries again, as its supervisor would make
        // it.
        // What died of a fault is noticed a moment later; in peace it must not go on dying.
        if (this.#peace && ++this.#failedStarts > 3) throw error
        await this.#world.sleep(200)
      }
    }
    this.#starting = false
  }

  /** A promise of a process that dies never settles; this one then rejects. */
  async #whileAlive<T>(work: Promise<T>): Promise<T> {
    let over = false
    const watch = async (): Promise<never> => {
      while (this.#world.isRunning('broker') && !over) await this.#world.sleep(50)
      throw new Error('the broker died while it was starting')
    }
    try {
      return await Promise.race([work, watch()])
    } finally {
      over = true
    }
  }

  #connect(node: string): Promise<Client> {
    const { idempotent } = this.#plan
    return connect(
      {
        servers: 'ws://broker:9290',
        connectTimeoutMs: 300_000,
        requestTimeoutMs: 3000,
        producer: { idempotent, batchBytes: 500, deliveryTimeoutMs: 120_000 },
        reconnect: { baseMs: 50, maxMs: 1000 },
      },
      this.#world.client(node),
    )
  }

  async #produce(topic: Topic<Uint8Array, string>): Promise<void> {
    const { random } = this.#world
    const { pauseMs } = this.#plan
    for (let n = 0; n < this.#plan.records && !this.#peace; n++) {
      const partition = random.below(this.#plan.partitions)
      const sent: Sent = { value: `${n} ${'x'.repeat(random.below(60))}`, partition, outcome: null }
      this.#sent.push(sent)
      topic.send({ value: sent.value, partition }).then(
        ack => {
          sent.outcome = { kind: 'acked', ack }
        },
        (error: SluiceError) => {
          sent.outcome = error.maybeApplied
            ? { kind: 'unknown' }
            : { kind: 'refused', code: error.code }
        },
      )
      if (random.chance(0.3)) await this.#world.sleep(random.exponential(pauseMs))
    }
  }

  async #settleOutcomes(): Promise<void> {
    while (this.#sent.some(sent => sent.outcome === null)) await this.#world.sleep(100)
  }

  async #disturb(): Promise<void> {
    const { random } = this.#world
    const faults = new OneBrokerFaults(this.#world, () => this.#stopCleanly())
    for (let round = 0; round < this.#plan.rounds; round++) {
      await this.#world.sleep(random.exponential(400))
      await faults.inflict(random.pick(this.#plan.faults))
      await this.#world.sleep(random.exponential(500))
      faults.heal()
      if (!this.#world.isRunning('broker')) void this.#startBroker()
    }
    this.#peace = true
    await this.#world.sleep(healAfterMs)
    // A partition whose log could not be opened is offline until its broker is started again.
    const { faults: planned } = this.#plan
    if (planned.includes('failedRead') || planned.includes('failedWrite')) await this.#stopCleanly()
    if (!this.#world.isRunning('broker')) await this.#startBroker()
  }

  /** Answers whether there was a broker to stop. */
  async #stopCleanly(): Promise<boolean> {
    const broker = this.#broker
    if (broker === null || this.#starting || !this.#world.isRunning('broker')) return false
    await this.#whileAlive(broker.close()).catch(() => {})
    this.#world.crashProcess('broker')
    return true
  }

  /** A reader beside the producer: it must never see what is not, or is no more, true. */
  async #readAlong(): Promise<void> {
    const client = await this.#connect('reader')
    const consumer = client.consumer({ topics: [topicName], value: string(), noOffset: 'earliest' })
    const ending = (async () => {
      while (!this.#peace) await this.#world.sleep(500)
      await this.#world.sleep(healAfterMs)
      await client.close()
    })()
    for await (const record of consumer) {
      this.#note(record.partition, record.offset, record.value ?? '')
    }
    await ending
  }

  #note(partition: number, offset: number, value: string): void {
    const key = `${partition}/${offset}`
    const before = this.#seen.get(key)
    if (before !== undefined && before !== value) {
      throw new Error(`partition ${partition} offset ${offset}: first "${before}", then "${value}"`)
    }
    this.#seen.set(key, value)
  }

  async #readBack(): Promise<Map<number, string[]>> {
    const client = await this.#connect('auditor')
    const consumer = client.consumer({
      topics: [topicName],
      value: string(),
      start: 'earliest',
      stopAtEnd: true,
    })
    const partitions = new Map<number, string[]>()
    for await (const { partition, offset, value } of consumer) {
      const values = partitions.get(partition) ?? []
      partitions.set(partition, values)
      if (offset !== values.length) {
        throw new Error(`partition ${partition}: offset ${offset} where ${values.length} must be`)
      }
      values.push(value ?? '')
      this.#note(partition, offset, value ?? '')
    }
    await client.close()
    return partitions
  }
}

/**
 * Arena: a broker that is attacked, the attacker, and the victim: three processes.
 *
 * Always true: all three and their files are gone after `dispose`.
 * Made by hostile-run.ts.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { type Client, connect } from '../../../client/index.ts'
import { MeasuredBroker } from '../memory/broker-child.ts'
import { Child, orEnd } from '../memory/child.ts'
import { MiB } from '../memory/usage.ts'
import type { AttackTarget } from './attack.ts'
import type { AttackedTopic, AttackSize } from './hostile-case.ts'
import { Victim, victimTopic } from './victim.ts'

export class Arena {
  readonly config: BrokerConfigInput
  readonly broker: MeasuredBroker
  readonly victim: Victim
  readonly #client: Client
  readonly #attacker: Child
  #attacked = 0

  private constructor(parts: {
    config: BrokerConfigInput
    broker: MeasuredBroker
    victim: Victim
    client: Client
    attacker: Child
  }) {
    this.config = parts.config
    this.broker = parts.broker
    this.victim = parts.victim
    this.#client = parts.client
    this.#attacker = parts.attacker
  }

  static async open(config: BrokerConfigInput): Promise<Arena> {
    const broker = await MeasuredBroker.start({ config })
    return orEnd(broker, async () => {
      const attacker = await Child.start(new URL('./attacker.js', import.meta.url))
      return orEnd(attacker, async () => {
        const victim = await Victim.start(broker.url)
        return orEnd(victim, async () => {
          const client = await connect({ servers: broker.url, closeTimeoutMs: 1000 })
          return new Arena({ config, broker, victim, client, attacker })
        })
      })
    })
  }

  /** Makes the topic that is attacked, if there is to be one, and answers what to attack. */
  async prepare(topic: AttackedTopic | undefined, size: AttackSize): Promise<AttackTarget> {
    const { port } = this.broker
    if (topic === undefined) {
      const { topicId } = this.victim
      return { port, ...size, topic: victimTopic, topicId, partitions: 1 }
    }
    const { partitions, megabytes = 0, bombs = 0 } = topic
    const name = `attacked-${++this.#attacked}`
    const { topicId } = await this.#client.admin.topics.create({ name, partitions })
    const plain = this.#client.topic(name)
    const half = new Uint8Array(MiB / 2)
    for (let i = 0; i < megabytes * 2; i++) await plain.send({ value: half, partition: 0 })
    const packed = this.#client.topic(name, { compression: 'gzip' })
    const large = new Uint8Array(7 * MiB)
    for (let i = 0; i < bombs; i++) await packed.send({ value: large, partition: 0 })
    return { port, ...size, topic: name, topicId, partitions }
  }

  attack(name: string, target: AttackTarget): Promise<Record<string, number>> {
    return this.#attacker.ask('attack', { name, target })
  }

  /** Leaves nothing of an attack but the broker and its other topics. */
  async clear(topic: string): Promise<void> {
    if (topic !== victimTopic) await this.#client.admin.topics.delete(topic)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#attacker.end()
    await this.victim[Symbol.asyncDispose]()
    await this.#client.close()
    await this.broker[Symbol.asyncDispose]()
  }
}

/**
 * Topics through power loss: real catalogue, real storage, a simulated disk that forgets what was
 * not synced. What was answered holds; what was cut off happened whole or not at all; every topic
 * has all its partitions.
 */
import t from 'tap'
import { brokerConfig } from '../../../broker/config/broker-config.ts'
import { openDataDirectory } from '../../../broker/metadata/data-directory.ts'
import { BrokerCounts } from '../../../broker/metrics/broker-counts.ts'
import { loadTopics } from '../../../broker/replication/load-topics.ts'
import { PartitionManager } from '../../../broker/replication/partition-manager.ts'
import { TopicLifecycle } from '../../../broker/replication/topic-lifecycle.ts'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { silentLogger } from '../../../broker/world/logger.ts'
import type { BrokerWorld } from '../../../broker/world/world.ts'
import type { SimWorld } from '../../simulation/sim-world.ts'
import { simulate } from '../../simulation/simulate.ts'
import { batchOf } from '../../support/test-broker.ts'

interface Known {
  readonly topicId: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  /** Acked records in partition 0. */
  readonly records: number
}
/** null = there is no such topic. */
type State = Known | null

async function start(world: BrokerWorld) {
  const dataDir = '/data'
  const { store } = await openDataDirectory(world, dataDir, 1)
  const limits = { minFreeBytes: 0 }
  const logs = await openLogs({ dataDir, world, limits, logger: silentLogger })
  const config = brokerConfig({ dataDir })
  const partitions = new PartitionManager()
  const parts = {
    world,
    config,
    store,
    logs,
    partitions,
    logger: silentLogger,
    counts: new BrokerCounts(),
  }
  await loadTopics(parts)
  return { store, partitions, topics: new TopicLifecycle(parts) }
}

type Running = Awaited<ReturnType<typeof start>>

class Story {
  readonly #world: SimWorld
  readonly #model = new Map<string, State>()
  readonly #usedIds = new Set<string>()
  /** The operation that was under way when the machine went, and what it would have led to. */
  #pending: { name: string; partitions?: number; segmentMs?: string; isDeletion?: boolean } | null =
    null

  constructor(world: SimWorld) {
    this.#world = world
  }

  async work(broker: Running): Promise<void> {
    const { random } = this.#world
    for (;;) {
      const name = random.pick(['a', 'b', 'c'])
      const known = this.#model.get(name) ?? null
      if (known === null) await this.#create(broker, name)
      else {
        const what = random.pick(['delete', 'grow', 'alter', 'produce', 'produce'] as const)
        if (what === 'delete') await this.#delete(broker, name)
        if (what === 'grow') await this.#grow(broker, name, known)
        if (what === 'alter') await this.#alter(broker, name, known)
        if (what === 'produce') await this.#produce(broker, name, known)
      }
      this.#pending = null
    }
  }

  async #create({ topics }: Running, name: string): Promise<void> {
    const count = 1 + this.#world.random.below(3)
    this.#pending = { name, partitions: count }
    const { topicId } = await topics.create({ name, partitions: count })
    if (this.#usedIds.has(topicId)) throw new Error(`id ${topicId} is used twice`)
    this.#usedIds.add(topicId)
    this.#model.set(name, { topicId, partitions: count, configs: {}, records: 0 })
  }

  async #delete({ topics }: Running, name: string): Promise<void> {
    this.#pending = { name, isDeletion: true }
    await topics.delete(name)
    this.#model.set(name, null)
  }

  async #grow({ topics }: Running, name: string, known: Known): Promise<void> {
    const total = known.partitions + 1
    this.#pending = { name, partitions: total }
    await topics.addPartitions(name, total)
    this.#model.set(name, { ...known, partitions: total })
  }

  async #alter({ topics }: Running, name: string, known: Known): Promise<void> {
    const configs = { 'segment.ms': `${1 + this.#world.random.below(99)}h` }
    this.#pending = { name, segmentMs: configs['segment.ms'] }
    await topics.alterConfigs(name, configs)
    this.#model.set(name, { ...known, configs })
  }

  async #produce({ partitions }: Running, name: string, known: Known): Promise<void> {
    const { log } = partitions.require(name, known.topicId, 0)
    const { lastOffset } = log.appendAsLeader(batchOf(`${name} ${known.records}`))
    await new Promise<void>((resolve, reject) => {
      log.whenCommitted(lastOffset, error => (error === null ? resolve() : reject(error)))
    })
    this.#model.set(name, { ...known, records: lastOffset + 1 })
  }

  /** Compares the restarted broker with what was answered, and takes over what was left open. */
  check({ store, partitions }: Running): void {
    for (const name of ['a', 'b', 'c']) {
      const expected = this.#model.get(name) ?? null
      const found = store.current.topics.get(name)
      const open = this.#pending?.name === name ? this.#pending : null
      if (found === undefined) {
        if (expected !== null && open?.isDeletion !== true) throw new Error(`${name} is gone`)
        this.#model.set(name, null)
        continue
      }
      const { topicId, configs } = found
      if (expected === null && open === null) throw new Error(`${name} has come back`)
      if (expected !== null && expected.topicId !== topicId) throw new Error(`${name}: other id`)
      const mayBe = [expected?.partitions, open?.partitions]
      if (!mayBe.includes(found.partitions)) throw new Error(`${name}: ${found.partitions}`)
      const segmentMs = [expected?.configs['segment.ms'], open?.segmentMs]
      if (!segmentMs.includes(configs['segment.ms'])) throw new Error(`${name}: other configs`)
      const opened = partitions.ofTopic(topicId).length
      if (opened !== found.partitions) throw new Error(`${name}: ${opened} are open`)
      const records = partitions.require(name, topicId, 0).log.highWatermark
      if (records < (expected?.records ?? 0)) throw new Error(`${name}: records are gone`)
      this.#model.set(name, { topicId, partitions: found.partitions, configs, records })
      this.#usedIds.add(topicId)
    }
    if (store.current.tombstones.length > 0) throw new Error('a tombstone is left')
    this.#pending = null
  }
}

t.test('topics survive power loss and SIGKILL between any two steps', async t => {
  await simulate(t, { seeds: 20 }, async world => {
    const story = new Story(world)
    for (let round = 0; round < 8; round++) {
      const broker = await start(world.node('broker'))
      story.check(broker)
      const failed = story.work(broker)
      await Promise.race([failed, world.sleep(world.random.exponential(60))])
      if (world.random.below(2) === 0) world.powerLoss('broker')
      else world.crashProcess('broker')
    }
    if (world.deaths.length > 0) throw new Error(`it died: ${JSON.stringify(world.deaths)}`)
  })
})

/**
 * Fuzz broker: the real broker on a memory disk and a clock that stands still, with a guard: a
 * neighbour on a connection and a topic of its own who must never notice anything.
 *
 * Always true: two of the same seed are the same broker, topic ids and all; nothing real is opened.
 * Used by the targets of requests.
 */
import { type Broker, createBroker } from '../../broker/server/broker.ts'
import { ManualTime } from '../../broker/testing/manual-time.ts'
import { MemoryDisk } from '../../broker/world/memory-disk.ts'
import { realTimers } from '../../protocol/real-world.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { checkBatch } from '../../protocol/records/batch-header.ts'
import type { Random } from '../../protocol/world.ts'
import { DirectNetwork, type Peer } from '../support/direct-network.ts'
import { settled } from '../support/test-broker.ts'
import { compression } from './batches.ts'
import { FuzzRandom } from './random.ts'
import { Broken, require } from './target.ts'

const guardTopic = 'the.guards-own_topic'

/** The broker's own draws, the same for the same seed. */
export function seededRandom(seed: number): Random {
  const random = new FuzzRandom(seed, 7)
  return {
    fraction: () => random.bits() / 2 ** 32,
    bits: bits => (random.below(2 ** 21) * 2 ** 32 + random.bits()) % 2 ** bits,
    bytes: length => random.bytes(length),
  }
}

export class FuzzBroker {
  readonly network = new DirectNetwork()
  readonly time = new ManualTime(1_700_000_000_000, realTimers)
  /** What must never happen, and did. */
  readonly #alarms: string[] = []
  #broker: Broker | null = null
  #guard: Peer | null = null
  #guardId = ''
  #guardEnd = 0

  static async open(seed: number, topics: Readonly<Record<string, number>>): Promise<FuzzBroker> {
    const fuzzed = new FuzzBroker()
    await fuzzed.#open(seed, topics)
    return fuzzed
  }

  async #open(seed: number, topics: Readonly<Record<string, number>>): Promise<void> {
    const { network, time } = this
    const alarm = (what: string) => void this.#alarms.push(what)
    const world = {
      clock: time.clock,
      timers: time.timers,
      random: seededRandom(seed),
      network,
      compression,
      disk: new MemoryDisk(),
      process: { die: (reason: string) => alarm(`the broker ends: ${reason}`) },
    }
    const say = () => {}
    const error = (values: unknown, text?: string) => alarm(`${text ?? ''} ${shown(values)}`)
    const logger = { debug: say, info: say, warn: say, error }
    this.#broker = await createBroker({ dataDir: '/data', minFreeBytes: 0 }, world, {
      logger,
      topics: Object.entries({ ...topics, [guardTopic]: 1 }).map(([name, partitions]) => ({
        name,
        partitions,
      })),
    })
    this.#guard = await network.connect().hello()
    this.#guardId = (await this.topicIds()).get(guardTopic) ?? ''
  }

  async topicIds(): Promise<Map<string, string>> {
    const { header } = await this.guard.call('metadata')
    const topics = header.topics as { name: string; topicId: string }[]
    return new Map(topics.map(({ name, topicId }) => [name, topicId]))
  }

  get guard(): Peer {
    if (this.#guard === null) throw new Error('not open')
    return this.#guard
  }

  /** @throws Broken where the broker ended, or met an error that it has no name for */
  requireCalm(): void {
    const [alarm] = this.#alarms
    if (alarm !== undefined) throw new Broken(alarm)
  }

  /** The neighbour writes a record and reads it back. @throws Broken */
  async requireGuard(): Promise<void> {
    const { guard } = this
    require(guard.closed === null, () => `the neighbour was cut off: ${guard.closed?.reason}`)
    const place = { topic: guardTopic, topicId: this.#guardId, partition: 0 }
    const builder = new BatchBuilder({ capacityBytes: 1000 })
    const value = new TextEncoder().encode(`record ${this.#guardEnd}`)
    builder.append({ timestamp: 1, key: null, value })
    const stamp = { producerId: -1, producerEpoch: -1, baseSequence: -1 }
    const sent = builder.build({ codec: 'none', ...stamp })
    const { crc } = checkBatch(sent)
    const produce = { acks: 'all', timeoutMs: 1000, partitions: [place] }
    const produced = await this.#answered('produce', produce, [sent])
    const written = produced.header as { partitions?: { baseOffset?: number }[] }
    const offset = written.partitions?.[0]?.baseOffset
    require(offset === this.#guardEnd, () => `the neighbour's record: ${shown(produced.header)}`)
    this.#guardEnd++
    const entry = { ...place, offset, maxBytes: 1 }
    const wish = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, isolation: 'uncommitted' }
    const fetched = await this.#answered('fetch', { ...wish, partitions: [entry] }, [])
    const [body = new Uint8Array(0)] = fetched.bodies
    require(body.length > 0 && checkBatch(body).crc === crc, () =>
      'the neighbour reads others’ bytes')
  }

  async #answered(api: string, fields: object, bodies: Uint8Array[]) {
    const id = this.guard.post(api, fields, bodies)
    for (let turn = 0; turn < 20 && !this.guard.answers.has(id); turn++) await settled()
    const answer = this.guard.answers.get(id)
    this.guard.answers.delete(id)
    if (answer === undefined) throw new Broken(`the neighbour waits for an answer to ${api}`)
    return answer
  }

  async close(): Promise<void> {
    this.#guard?.drop()
    await this.#broker?.close()
  }
}

const shown = (values: unknown): string =>
  JSON.stringify(values, (_, value) => (value instanceof Error ? String(value.stack) : value))

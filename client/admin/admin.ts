/**
 * Admin: topics, their settings and logs, and the cluster: what client.admin offers.
 *
 * Always true: a question is asked again until its deadline when that may help; a change is sent
 * once, and if its outcome is unknown the error says so (`maybeApplied`).
 * Made by client.ts; the command line is written on it alone.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RequestLimits } from '../cluster/broker-session.ts'
import { itemErrorOf } from '../cluster/item-error.ts'
import { leaderOf, listOffsets } from '../cluster/list-offsets.ts'
import type {
  Admin,
  BrokerDescription,
  ClusterDescription,
  OffsetAnswer,
  OffsetQuery,
  TopicDescription,
  TopicListing,
  TopicSpec,
} from '../types/administering.ts'
import type { CallOptions } from '../types/calls.ts'
import { type AdminParts, askAny, changeAtController, retrying } from './admin-requests.ts'
import { describePartitions } from './describe-partitions.ts'
import { requireName, requirePartitions, requireSpec, requireTexts } from './topic-spec.ts'

type CheckOptions = CallOptions & { validateOnly?: boolean }
type ErrorField = Parameters<typeof itemErrorOf>[0] | undefined

/** The only answer of a request about one thing. @throws SluiceError what it says */
function requireOne<T extends { error?: ErrorField }>(answers: readonly T[]): T {
  const answer = answers[0]
  if (answer === undefined) throw new SluiceError('PROTOCOL_MISMATCH', 'the answer is empty')
  if (answer.error !== undefined) throw itemErrorOf(answer.error)
  return answer
}

function requireTrimmed(before: unknown): void {
  if (Number.isSafeInteger(before) && Number(before) >= -1) return
  const message = `trim: "before" must be an offset or -1, got ${String(before)}`
  throw new SluiceError('INVALID_ARGUMENT', message, { hint: '-1 trims all that can be read now' })
}

export class ClusterAdmin implements Admin {
  readonly #parts: AdminParts
  readonly topics: Admin['topics']

  constructor(parts: AdminParts) {
    this.#parts = parts
    this.topics = {
      list: options => this.#list(options),
      create: (topic, options) => this.#create(topic, options),
      describe: (name, options) => this.#describe(name, options),
      alter: (name, configs, options) => this.#alter(name, configs, options),
      delete: (name, options) => this.#delete(name, options),
      addPartitions: (name, total, options) => this.#addPartitions(name, total, options),
      trim: (name, partition, before, options) =>
        this.#trim({ topic: name, partition, before }, options),
    }
  }

  async describeCluster(options: CallOptions = {}): Promise<ClusterDescription> {
    const { clusterId, controllerId, brokers } = await this.#metadata([], options)
    const named = brokers.map(({ id, url, rack }) => ({
      id,
      url,
      ...(rack !== undefined && { rack }),
    }))
    return { clusterId, controllerId, brokers: named }
  }

  describeBroker(options: CallOptions = {}): Promise<BrokerDescription> {
    return retrying(this.#parts, this.#limits(options), async limits => {
      const session = await this.#parts.cluster.anySession()
      const { response } = await session.request('describe-log', { topics: [] }, [], limits)
      const { brokerId, clusterId, software, rack } = session.hello
      const { disk } = response
      return {
        ...{ brokerId, clusterId, address: session.address, software },
        ...(rack !== undefined && { rack }),
        ...(disk !== undefined && { disk }),
      }
    })
  }

  async offsets(
    queries: readonly OffsetQuery[],
    options: CallOptions = {},
  ): Promise<OffsetAnswer[]> {
    this.#parts.cluster.requireOpen()
    for (const { topic, at, timestamp } of queries) {
      if (at !== 'timestamp' || timestamp !== undefined) continue
      throw new SluiceError('INVALID_ARGUMENT', `offsets of "${topic}": no timestamp is given`)
    }
    const found = await listOffsets(this.#parts, queries, this.#limits(options))
    return queries.map(({ topic, partition }, index) => {
      const { offset = null, timestamp = null } = found[index] ?? {}
      return { topic, partition, offset, timestamp }
    })
  }

  #limits({ signal, timeoutMs }: CallOptions): RequestLimits {
    return { signal, timeoutMs: timeoutMs ?? this.#parts.cluster.settings.requestTimeoutMs }
  }

  #metadata(names: readonly string[] | undefined, options: CallOptions) {
    return retrying(this.#parts, this.#limits(options), limits =>
      this.#parts.metadata.request(names, limits),
    )
  }

  async #list(options: CallOptions = {}): Promise<TopicListing[]> {
    const { topics } = await this.#metadata(undefined, options)
    return topics
      .filter(topic => topic.internal !== true && topic.error === undefined)
      .map(({ name, topicId = '', partitions }) => ({
        name,
        topicId,
        partitions: partitions.length,
        replicationFactor: partitions[0]?.replicas.length ?? 0,
      }))
  }

  async #create(topic: TopicSpec, options: CheckOptions = {}): Promise<TopicListing> {
    requireSpec(topic)
    const { name, partitions, replicationFactor, configs } = topic
    const spec = {
      name,
      ...(partitions !== undefined && { partitions }),
      ...(replicationFactor !== undefined && { replicationFactor }),
      ...(configs !== undefined && { configs: { ...configs } }),
    }
    const header = { topics: [spec], validateOnly: options.validateOnly === true }
    const response = await changeAtController(
      this.#parts,
      'create-topics',
      header,
      this.#limits(options),
    )
    this.#parts.metadata.forget(name)
    const created = requireOne(response.topics)
    return {
      name,
      topicId: created.topicId ?? '',
      partitions: created.partitions ?? partitions ?? 0,
      replicationFactor: created.replicationFactor ?? replicationFactor ?? 0,
    }
  }

  async #describe(name: string, options: CallOptions = {}): Promise<TopicDescription> {
    requireName(name)
    const limits = this.#limits(options)
    const { topics } = await this.#metadata([name], options)
    const topic = requireOne(topics)
    const configs = await askAny(this.#parts, 'describe-configs', { topics: [name] }, limits)
    const logs = await describePartitions(this.#parts, topic, limits)
    return {
      name,
      topicId: topic.topicId ?? '',
      partitions: topic.partitions.length,
      replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
      flush: logs.flush,
      configs: requireOne(configs.topics).configs,
      partitionDetails: logs.partitions,
    }
  }

  async #alter(
    topic: string,
    configs: Readonly<Record<string, string | null>>,
    options: CheckOptions = {},
  ): Promise<void> {
    requireName(topic)
    requireTexts(configs)
    const validateOnly = options.validateOnly === true
    const header = { topic, configs: { ...configs }, validateOnly }
    await changeAtController(this.#parts, 'alter-configs', header, this.#limits(options))
  }

  async #delete(name: string, options: CallOptions = {}): Promise<void> {
    requireName(name)
    const header = { topics: [{ name }] }
    const limits = this.#limits(options)
    const response = await changeAtController(this.#parts, 'delete-topics', header, limits)
    this.#parts.metadata.forget(name)
    requireOne(response.topics)
  }

  async #addPartitions(topic: string, total: number, options: CheckOptions = {}): Promise<void> {
    requireName(topic)
    requirePartitions(topic, total)
    const header = { topic, total, validateOnly: options.validateOnly === true }
    await changeAtController(this.#parts, 'add-partitions', header, this.#limits(options))
    this.#parts.metadata.forget(topic)
    this.#parts.metadata.refresh()
  }

  async #trim(
    place: { topic: string; partition: number; before: number },
    options: CallOptions = {},
  ): Promise<number> {
    requireName(place.topic)
    requireTrimmed(place.before)
    // Trimming twice to one offset is trimming once, so it may be tried again like a question.
    return retrying(this.#parts, this.#limits(options), async limits => {
      const { cluster, metadata } = this.#parts
      const leader = await leaderOf(metadata, place, limits)
      const header = { partitions: [place] }
      const { response } = await cluster.request(leader, 'delete-records', header, limits)
      return requireOne(response.partitions).logStartOffset ?? 0
    })
  }
}

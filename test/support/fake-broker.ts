/**
 * Fake broker: speaks the protocol over a pipe and keeps logs in memory, so that the SDK is tested
 * end to end. A test may take any request into its own hands: delay it, answer it with an error,
 * apply it and say nothing, cut the connection before or after.
 *
 * Always true: sequences are checked as Kafka does, five batches back; without a script it behaves
 * well.
 * Used by test/client/.
 */
import { type ErrorCode, SluiceError, type WireError } from '../../protocol/errors.ts'
import { decodeFrame, encodeFrame } from '../../protocol/frame.ts'
import { type ApiName, apis } from '../../protocol/messages/apis.ts'
import { checkMessage } from '../../protocol/messages/define.ts'
import type { ConnectionEvents } from '../../protocol/world.ts'
import { fakeFetch } from './fake-fetch.ts'
import { FakeLog } from './fake-log.ts'
import type { FakeAnswer, FakeHeader, FakeRequest, Script } from './fake-request.ts'
import type { ManualWorld, PipeEnd } from './manual-world.ts'

const nameOf = (topic: string | { name: string }): string =>
  typeof topic === 'string' ? topic : topic.name

export interface FakeTopic {
  readonly topicId: string
  readonly logs: FakeLog[]
}

export const wire = (code: ErrorCode, details = {}): WireError =>
  new SluiceError(code, `scripted ${code}`, details).toJSON()

const limits = {
  maxFrameBytes: 32 * 1024 * 1024,
  maxHeaderBytes: 1024 * 1024,
  maxInFlightRequests: 64,
  maxPartitionsPerRequest: 1000,
  maxFetchBytes: 64 * 1024 * 1024,
}

export class FakeBroker {
  readonly world: ManualWorld
  readonly id: number
  readonly url: string
  readonly requests: FakeRequest[] = []
  readonly ends: PipeEnd[] = []
  readonly topics: Map<string, FakeTopic>
  limits = limits
  clusterId = 'cluster-1'
  /** Brokers that metadata names, and who leads a partition. */
  peers: FakeBroker[] = [this]
  leaderOf: (topic: string, partition: number) => number = () => this.id
  #scripts = new Map<ApiName, Script[]>()
  #always = new Map<ApiName, Script>()
  #nextTopicId = 1

  constructor(world: ManualWorld, options: { id?: number; topics?: Map<string, FakeTopic> } = {}) {
    this.world = world
    this.id = options.id ?? 1
    this.url = `ws://broker-${this.id}:9290`
    this.topics = options.topics ?? new Map()
    this.start()
  }

  start(): void {
    this.world.network.serve(this.url, end => this.#accept(end))
  }

  /** As a killed process: connections break, dials are refused. */
  stop(): void {
    this.world.network.unserve(this.url)
    for (const end of this.ends.splice(0)) end.cut()
  }

  createTopic(name: string, partitions = 1): FakeTopic {
    const topicId = `topic-${this.id}-${this.#nextTopicId++}`
    const logs = Array.from({ length: partitions }, () => new FakeLog())
    const topic = { topicId, logs }
    this.topics.set(name, topic)
    return topic
  }

  log(topic: string, partition = 0): FakeLog {
    const log = this.topics.get(topic)?.logs[partition]
    if (log === undefined) throw new Error(`no ${topic}/${partition}`)
    return log
  }

  /** Each script takes one request of the api, in order. */
  script(api: ApiName, ...scripts: Script[]): void {
    this.#scripts.set(api, [...(this.#scripts.get(api) ?? []), ...scripts])
  }

  always(api: ApiName, script: Script): void {
    this.#always.set(api, script)
  }

  count(api: ApiName): number {
    return this.requests.filter(request => request.api === api).length
  }

  #accept(end: PipeEnd): ConnectionEvents {
    this.ends.push(end)
    return {
      onMessage: parts => void this.#onMessage(end, parts),
      onText: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined,
    }
  }

  async #onMessage(end: PipeEnd, parts: Uint8Array[]): Promise<void> {
    const frame = decodeFrame(parts, limits.maxHeaderBytes)
    const { bodies } = frame
    const api = frame.header['api'] as ApiName
    checkMessage(apis[api].request, frame.header)
    const header = frame.header as unknown as FakeHeader
    const request: FakeRequest = { api, header, bodies, end }
    this.requests.push(request)
    const script = this.#scripts.get(api)?.shift() ?? this.#always.get(api)
    const proceed = (): Promise<FakeAnswer> => this.#handle(request)
    const answer = script === undefined ? await proceed() : await script(request, proceed)
    if (answer === undefined || header.acks === 'none') return
    end.send(encodeFrame({ id: header.id, ...answer.header }, answer.bodies ?? []))
  }

  async #handle(request: FakeRequest): Promise<FakeAnswer> {
    switch (request.api) {
      case 'hello':
        return this.#hello()
      case 'metadata':
        return this.#metadata(request)
      case 'produce':
        return this.#produce(request)
      case 'fetch':
        return fakeFetch(this.world, request, entry => this.#find(entry))
      case 'list-offsets':
        return this.#listOffsets(request)
      case 'delete-records':
        return this.#deleteRecords(request)
      case 'create-topics':
        return this.#createTopics(request)
      case 'delete-topics':
        return this.#deleteTopics(request)
      default:
        return { header: { error: wire('UNKNOWN_API') } }
    }
  }

  #hello(): FakeAnswer {
    const apiList = Object.keys(apis).map(name => ({ name, minVersion: 1, maxVersion: 1 }))
    const { id: brokerId, clusterId } = this
    return {
      header: { brokerId, clusterId, software: 'fake 1', apis: apiList, limits: this.limits },
    }
  }

  #metadata({ header }: FakeRequest): FakeAnswer {
    const names = header.topics?.map(nameOf) ?? [...this.topics.keys()]
    const topics = names.map(name => {
      const topic = this.topics.get(name)
      if (topic === undefined) {
        return { name, error: wire('UNKNOWN_TOPIC_OR_PARTITION'), partitions: [] }
      }
      const partitions = topic.logs.map((log, partition) => {
        const leader = this.leaderOf(name, partition)
        return { partition, leader, leaderEpoch: log.epoch, replicas: [1], isr: [1] }
      })
      return { name, topicId: topic.topicId, partitions }
    })
    const brokers = this.peers.map(({ id, url }) => ({ id, url }))
    return { header: { clusterId: this.clusterId, controllerId: this.id, brokers, topics } }
  }

  #find({
    topic,
    topicId,
    partition,
  }: {
    topic: string
    topicId?: string
    partition: number
  }): FakeLog | WireError {
    const found = this.topics.get(topic)
    const log = found?.logs[partition]
    if (found === undefined || log === undefined) return wire('UNKNOWN_TOPIC_OR_PARTITION')
    if (topicId !== undefined && topicId !== found.topicId) return wire('UNKNOWN_TOPIC_ID')
    if (this.leaderOf(topic, partition) !== this.id) return wire('NOT_LEADER_OR_FOLLOWER')
    return log
  }

  #produce({ header, bodies }: FakeRequest): FakeAnswer {
    const partitions = header.partitions.map((entry, i) => {
      const { partition, topicId } = entry
      const log = this.#find(entry)
      const result = log instanceof FakeLog ? log.append(bodies[i] as Uint8Array) : { error: log }
      return { partition, topicId, ...result }
    })
    return { header: { partitions } }
  }

  #listOffsets({ header }: FakeRequest): FakeAnswer {
    const partitions = header.partitions.map(entry => {
      const { partition } = entry
      const log = this.#find(entry)
      if (!(log instanceof FakeLog)) return { partition, error: log }
      return { partition, ...log.findOffset(entry.at, entry.timestamp) }
    })
    return { header: { partitions } }
  }

  #deleteRecords({ header }: FakeRequest): FakeAnswer {
    const partitions = header.partitions.map(entry => {
      const log = this.#find(entry)
      if (!(log instanceof FakeLog)) return { partition: entry.partition, error: log }
      log.logStart = entry.before < 0 ? log.end : entry.before
      return { partition: entry.partition, logStartOffset: log.logStart }
    })
    return { header: { partitions } }
  }

  #createTopics({ header }: FakeRequest): FakeAnswer {
    const topics = (header.topics ?? []).map(topic => {
      const name = nameOf(topic)
      const partitions = typeof topic === 'string' ? 1 : (topic.partitions ?? 1)
      if (this.topics.has(name)) return { name, error: wire('TOPIC_ALREADY_EXISTS') }
      const { topicId } = this.createTopic(name, partitions)
      return { name, topicId, partitions, replicationFactor: 1 }
    })
    return { header: { topics } }
  }

  #deleteTopics({ header }: FakeRequest): FakeAnswer {
    const topics = (header.topics ?? []).map(nameOf).map(name => {
      const existed = this.topics.delete(name)
      return existed ? { name } : { name, error: wire('UNKNOWN_TOPIC_OR_PARTITION') }
    })
    return { header: { topics } }
  }
}

/**
 * Metadata cache: which topics there are, their ids and partitions, and who leads each, as far as
 * this client uses them.
 *
 * Always true: one metadata request is under way at a time; a topic that does not exist is an error
 * at once and never made by asking; topics in use are looked at again every metadataMaxAgeMs, so
 * that new partitions and recreated topics are noticed without any error.
 * Called by producer/, consumer/ and admin/.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { TimerHandle } from '../../protocol/world.ts'
import { backoffMs, sleep, within } from './backoff.ts'
import type { ResponseHeader } from './broker-session.ts'
import type { Cluster } from './cluster.ts'
import { itemErrorOf } from './item-error.ts'

export interface PartitionMetadata {
  readonly partition: number
  /** −1 = none at the moment. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}
export interface TopicMetadata {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionMetadata[]
}
/** What an answer said about one topic in use. */
export type TopicNews = { topic: TopicMetadata } | { missing: SluiceError }
export type MetadataListener = (name: string, news: TopicNews) => void

interface CallLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** A topic that nobody asked for this long (in ages) is no longer looked at. */
const agesInUse = 5
const retryPace = { baseMs: 50, maxMs: 1000 }

export class MetadataCache {
  readonly #cluster: Cluster
  readonly #topics = new Map<string, { topic: TopicMetadata; sinceMs: number }>()
  /** How many consumers read the topic at the moment. */
  readonly #holders = new Map<string, number>()
  /** Monotonic time of the last use. */
  readonly #usedMs = new Map<string, number>()
  readonly #listeners = new Set<MetadataListener>()
  #refreshing: Promise<void> | undefined
  #timer: TimerHandle | undefined
  #failures = 0

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  onNews(listener: MetadataListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What is known now; may be old. */
  known(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)?.topic
  }

  /** Keeps the topic fresh for a while. */
  use(name: string): void {
    this.#usedMs.set(name, this.#cluster.world.clock.monotonicMs())
    if (this.#timer === undefined) this.#arm(this.#cluster.settings.metadataMaxAgeMs)
  }

  /** Keeps the topic fresh until release(), once for each hold(). */
  hold(name: string): void {
    this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1)
    this.use(name)
  }

  release(name: string): void {
    const left = (this.#holders.get(name) ?? 0) - 1
    if (left > 0) this.#holders.set(name, left)
    else this.#holders.delete(name)
  }

  /** After a topic was created, changed or deleted by this client. */
  forget(name: string): void {
    this.#topics.delete(name)
  }

  /**
   * The topic, asked for if it is not known. Retries what is retriable within the limits.
   * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC, REQUEST_TIMED_OUT, ABORTED,
   * CLOSED
   */
  async topic(name: string, limits: CallLimits): Promise<TopicMetadata> {
    const { clock, timers } = this.#cluster.world
    const oldestMs = clock.monotonicMs() - this.#cluster.settings.metadataMaxAgeMs
    const known = this.#topics.get(name)
    if (known !== undefined && known.sinceMs >= oldestMs) return known.topic
    const what = `metadata of topic "${name}"`
    return within(timers, this.#load(name, limits), { ...limits, what })
  }

  async #load(name: string, limits: CallLimits): Promise<TopicMetadata> {
    const { clock, timers, random } = this.#cluster.world
    const endMs = clock.monotonicMs() + limits.timeoutMs
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.request([name], limits)
        return requireTopic(response, name)
      } catch (cause) {
        const error = asSluiceError(cause)
        const unknown = error.code === 'UNKNOWN_TOPIC_OR_PARTITION'
        if (!error.retriable || unknown || clock.monotonicMs() >= endMs) throw error
        await sleep(timers, backoffMs(attempt, retryPace, random), limits.signal)
      }
    }
  }

  /**
   * One metadata request; what it says is remembered. `undefined` = all topics.
   * @throws SluiceError PROTOCOL_MISMATCH too, where partitions are left out
   */
  async request(
    names: readonly string[] | undefined,
    limits: CallLimits,
  ): Promise<ResponseHeader<'metadata'>> {
    const header = names === undefined ? {} : { topics: [...names] }
    const { response } = await this.#cluster.requestAny('metadata', header, limits)
    for (const topic of response.topics) requireAllPartitions(topic)
    this.#cluster.learnBrokers(response.brokers)
    for (const topic of response.topics) this.#learn(topic)
    return response
  }

  /** Looks again at everything in use, soon; many calls make one request. */
  refresh(): void {
    if (this.#refreshing !== undefined || this.#cluster.closed) return
    this.#refreshing = this.#refreshNow().finally(() => {
      this.#refreshing = undefined
    })
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#listeners.clear()
  }

  async #refreshNow(): Promise<void> {
    const { settings, world } = this.#cluster
    const oldestMs = world.clock.monotonicMs() - agesInUse * settings.metadataMaxAgeMs
    for (const [name, usedMs] of this.#usedMs) {
      if (usedMs < oldestMs && !this.#holders.has(name)) this.#usedMs.delete(name)
    }
    const names = [...this.#usedMs.keys()]
    if (names.length === 0) return
    try {
      await this.request(names, { timeoutMs: settings.requestTimeoutMs })
      this.#failures = 0
      this.#arm(settings.metadataMaxAgeMs)
    } catch (error) {
      if (this.#cluster.closed) return
      this.#failures++
      settings.logger.debug({ error }, 'metadata refresh failed')
      this.#arm(backoffMs(this.#failures, retryPace, world.random))
    }
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#cluster.closed || this.#usedMs.size === 0) {
      this.#timer = undefined
      return
    }
    const fire = (): void => {
      this.#timer = undefined
      this.refresh()
    }
    this.#timer = this.#cluster.world.timers.after(delayMs, fire, { background: true })
  }

  #learn(answer: ResponseHeader<'metadata'>['topics'][number]): void {
    const { name } = answer
    if (answer.error !== undefined) {
      const missing = missingTopic(name, itemErrorOf(answer.error))
      if (!missing.retriable || missing.code === 'UNKNOWN_TOPIC_OR_PARTITION') {
        this.#topics.delete(name)
        this.#tell(name, { missing })
      }
      return
    }
    const topic: TopicMetadata = {
      name,
      topicId: answer.topicId ?? '',
      partitions: answer.partitions,
    }
    this.#topics.set(name, { topic, sinceMs: this.#cluster.world.clock.monotonicMs() })
    this.#tell(name, { topic })
  }

  #tell(name: string, news: TopicNews): void {
    for (const listener of this.#listeners) listener(name, news)
  }
}

/** Everything that counts partitions counts on it. @throws SluiceError PROTOCOL_MISMATCH */
function requireAllPartitions({
  name,
  partitions,
}: ResponseHeader<'metadata'>['topics'][number]): void {
  if (partitions.every(({ partition }, at) => partition === at)) return
  const message = `the metadata of topic "${name}" does not name its partitions from 0 on`
  throw new SluiceError('PROTOCOL_MISMATCH', message, { topic: name })
}

function missingTopic(name: string, error: SluiceError): SluiceError {
  if (error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') return error
  return new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', `topic "${name}" does not exist`, {
    topic: name,
    hint: `topics are not created by use: sluice topic create ${name}`,
  })
}

function requireTopic(response: ResponseHeader<'metadata'>, name: string): TopicMetadata {
  const answer = response.topics.find(topic => topic.name === name)
  if (answer === undefined) {
    throw new SluiceError('UNKNOWN_SERVER_ERROR', `no answer about topic "${name}"`)
  }
  if (answer.error !== undefined) throw missingTopic(name, itemErrorOf(answer.error))
  return { name, topicId: answer.topicId ?? '', partitions: answer.partitions }
}

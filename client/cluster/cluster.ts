/**
 * Cluster: a link to every broker that is known, and requests to one broker, to a partition's
 * leader, or to whichever broker answers.
 *
 * Always true: brokers are known by id; a session belongs to the cluster of the first one or is
 * refused; a link outlives its sockets.
 * Called by producer/, consumer/ and admin/; made by client.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { ApiName } from '../../protocol/messages/apis.ts'
import type { World } from '../../protocol/world.ts'
import type { ClientSettings } from '../config/options.ts'
import { within } from './backoff.ts'
import { BrokerLink, closedError, type LinkContext } from './broker-link.ts'
import type { Answer, BrokerSession, RequestHeader, RequestLimits } from './broker-session.ts'
import { StatusFeed } from './status-feed.ts'

const retriedAtConnect = new Set(['NETWORK_ERROR', 'BROKER_NOT_AVAILABLE', 'REQUEST_TIMED_OUT'])

export class Cluster {
  readonly world: World
  readonly settings: ClientSettings
  readonly status = new StatusFeed()
  readonly #context: LinkContext
  readonly #seeds = new Map<string, BrokerLink>()
  readonly #links = new Map<number, BrokerLink>()
  #clusterId: string | undefined
  #closed = false

  constructor(settings: ClientSettings, world: World) {
    this.world = world
    this.settings = settings
    this.#context = {
      world,
      settings,
      status: this.status,
      onOpened: (link, session) => this.#onOpened(link, session),
    }
  }

  get clusterId(): string {
    return this.#clusterId ?? ''
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @throws SluiceError CLOSED */
  requireOpen(): void {
    if (this.#closed) throw closedError()
  }

  /** Until one broker has said hello. Errors that waiting does not heal are thrown at once. */
  async connect(signal?: AbortSignal): Promise<void> {
    const { connectTimeoutMs } = this.settings
    const deadlineMs = this.world.clock.monotonicMs() + connectTimeoutMs
    for (let last: SluiceError | undefined; ; ) {
      const timeoutMs = deadlineMs - this.world.clock.monotonicMs()
      const onTimeout = (): SluiceError => this.#unreachable(last)
      if (timeoutMs <= 0) throw onTimeout()
      try {
        const limits = { timeoutMs, signal, what: 'connect', onTimeout }
        await within(this.world.timers, this.anySession(), limits)
        return
      } catch (error) {
        last = asSluiceError(error)
        if (!retriedAtConnect.has(last.code) || this.world.clock.monotonicMs() >= deadlineMs) {
          throw last
        }
      }
    }
  }

  #unreachable(cause: SluiceError | undefined): SluiceError {
    const { servers, connectTimeoutMs } = this.settings
    const message = `no broker answered within ${connectTimeoutMs} ms: ${servers.join(', ')}`
    return new SluiceError('BROKER_NOT_AVAILABLE', message, {
      cause,
      hint: cause?.message ?? 'is the broker running, and the address right?',
    })
  }

  /** Learns addresses from metadata. A link that is up stays up. */
  learnBrokers(brokers: readonly { id: number; url: string }[]): void {
    for (const { id, url } of brokers) {
      const link = this.#links.get(id)
      if (link !== undefined) link.url = url
      else if (!this.#closed) this.#links.set(id, new BrokerLink(url, this.#context))
    }
  }

  /** The session with this broker if it is up now; never waits. */
  currentSession(brokerId: number): BrokerSession | undefined {
    return this.#links.get(brokerId)?.current
  }

  /**
   * Waits for the outcome of the next attempt. @throws SluiceError BROKER_NOT_AVAILABLE,
   * NETWORK_ERROR, CLOSED
   */
  session(brokerId: number): Promise<BrokerSession> {
    if (this.#closed) return Promise.reject(closedError())
    const link = this.#links.get(brokerId)
    if (link !== undefined) return link.session()
    const message = `broker ${brokerId} is not known`
    return Promise.reject(new SluiceError('BROKER_NOT_AVAILABLE', message, { broker: brokerId }))
  }

  /**
   * A session that is up, or the first one that comes up; the error of the last link tried if none
   * does.
   */
  async anySession(): Promise<BrokerSession> {
    this.requireOpen()
    const links = this.#candidates()
    const up = links.find(link => link.current !== undefined)
    if (up?.current !== undefined) return up.current
    let last: SluiceError = new SluiceError('BROKER_NOT_AVAILABLE', 'no broker is known')
    for (const link of links) {
      try {
        return await link.session()
      } catch (error) {
        last = asSluiceError(error)
        if (!retriedAtConnect.has(last.code)) throw last
      }
    }
    throw last
  }

  async request<N extends ApiName>(
    brokerId: number,
    api: N,
    header: RequestHeader<N>,
    limits: RequestLimits,
  ): Promise<Answer<N>> {
    const session = await this.session(brokerId)
    return session.request(api, header, [], limits)
  }

  async requestAny<N extends ApiName>(
    api: N,
    header: RequestHeader<N>,
    limits: RequestLimits,
  ): Promise<Answer<N>> {
    const session = await this.anySession()
    return session.request(api, header, [], limits)
  }

  close(): void {
    this.#closed = true
    for (const link of [...this.#links.values(), ...this.#seeds.values()]) link.close()
    this.status.close()
  }

  /** Known brokers and the addresses given at the start; in random order, those in backoff last. */
  #candidates(): BrokerLink[] {
    for (const url of this.settings.servers) {
      const known = [...this.#links.values()].some(link => link.url === url)
      if (!known && !this.#seeds.has(url)) this.#seeds.set(url, new BrokerLink(url, this.#context))
    }
    const links = [...new Set([...this.#links.values(), ...this.#seeds.values()])]
    const keyed = links.map(link => ({ link, order: this.world.random.fraction() }))
    keyed.sort((a, b) => a.link.notBeforeMs - b.link.notBeforeMs || a.order - b.order)
    return keyed.map(({ link }) => link)
  }

  #onOpened(link: BrokerLink, session: BrokerSession): void {
    const { brokerId, clusterId } = session.hello
    this.#clusterId ??= clusterId
    if (clusterId !== this.#clusterId) {
      const message = `${link.url} belongs to cluster ${clusterId}, not to ${this.#clusterId}`
      throw new SluiceError('BROKER_NOT_AVAILABLE', message, {
        broker: brokerId,
        hint: 'the data directory was replaced, or the addresses are of different clusters',
      })
    }
    for (const [id, known] of this.#links) {
      if (known === link && id !== brokerId) {
        throw new SluiceError(
          'BROKER_NOT_AVAILABLE',
          `${link.url} is broker ${brokerId}, not ${id}`,
        )
      }
    }
    if (this.#links.has(brokerId)) return
    this.#links.set(brokerId, link)
    this.#seeds.delete(link.url)
  }
}

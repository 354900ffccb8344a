/**
 * Broker child: starts a measured broker on a data directory of its own and watches it.
 *
 * Always true: `dispose` ends the process and removes its files, whatever happened before; so
 * does a
 * start that fails, and a signal that ends this process (workplace.ts).
 * Used by the memory lane and the hostile clients.
 */
import type { BrokerConfigInput } from '../../../broker/config/broker-config.ts'
import { Workplace } from '../faults/workplace.ts'
import { Child, orEnd } from './child.ts'
import { type Usage, untilBack } from './usage.ts'

export interface MeasuredOptions {
  readonly config?: BrokerConfigInput
  /** Whether `hangSyncs` is going to be asked. */
  readonly mayHang?: boolean
}

export class MeasuredBroker {
  readonly child: Child
  readonly url: string
  /** Of the process with the code loaded and no broker made. */
  readonly before: Usage
  /** Of the broker that has just started. */
  readonly idle: Usage
  readonly #place: Workplace

  private constructor(
    child: Child,
    place: Workplace,
    at: { url: string; before: Usage; idle: Usage },
  ) {
    this.child = child
    this.#place = place
    this.url = at.url
    this.before = at.before
    this.idle = at.idle
  }

  static async start(options: MeasuredOptions = {}): Promise<MeasuredBroker> {
    const place = new Workplace({ onDisk: true })
    try {
      return await MeasuredBroker.#startIn(place, options)
    } catch (error) {
      place.remove()
      throw error
    }
  }

  static async #startIn(place: Workplace, options: MeasuredOptions): Promise<MeasuredBroker> {
    const config = { dataDir: place.folder('data'), listen: '127.0.0.1:0', ...options.config }
    const words = [JSON.stringify(config), options.mayHang === true ? 'may-hang' : '']
    const child = await Child.start(new URL('./measured-broker.js', import.meta.url), words)
    return orEnd(child, async () => {
      const before = await child.ask<Usage>('usage')
      const url = await child.ask<string>('start')
      const idle = await child.ask<Usage>('usage')
      return new MeasuredBroker(child, place, { url, before, idle })
    })
  }

  get pid(): number {
    return this.child.pid
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  usage(): Promise<Usage> {
    return this.child.ask<Usage>('usage')
  }

  /** What a running broker holds more of than when it had just started; empty = nothing. */
  leftRunning(): Promise<string> {
    return untilBack(this.idle, () => this.usage())
  }

  /** Closes the broker; what its process holds more of than before there was one. */
  async leftAfterClose(): Promise<string> {
    await this.child.ask('close')
    return untilBack(this.before, () => this.usage())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.end()
    this.#place.remove()
  }
}

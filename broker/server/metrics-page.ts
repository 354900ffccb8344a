/**
 * Metrics page: what /metrics answers. prom-client is loaded at the first scrape: a broker that
 * nobody watches does not pay for it.
 *
 * Always true: scrapes that come while one is made share it, and a page is made at most once a
 * second, so a storm of scrapes costs what one costs.
 * Made by broker.ts.
 */
import type { HttpAnswer } from '../../protocol/world.ts'
import type { Exposition } from '../metrics/exposition.ts'
import { type Observed, observe } from './observations.ts'

const freshMs = 1000

export class MetricsPage {
  readonly #observed: () => Observed
  readonly #ofProcess: boolean
  #exposition: Promise<Exposition> | null = null
  #page: Promise<HttpAnswer> | null = null
  #madeMs = Number.NEGATIVE_INFINITY

  /** @param ofProcess as for Exposition */
  constructor(observed: () => Observed, ofProcess: boolean) {
    this.#observed = observed
    this.#ofProcess = ofProcess
  }

  answer(): Promise<HttpAnswer> {
    const { world } = this.#observed()
    const nowMs = world.clock.monotonicMs()
    if (this.#page === null || nowMs - this.#madeMs >= freshMs) {
      this.#madeMs = nowMs
      // one after the other, and a failure is not remembered for longer than a page
      this.#page = (this.#page ?? Promise.resolve()).then(
        () => this.#make(),
        () => this.#make(),
      )
    }
    return this.#page
  }

  async #make(): Promise<HttpAnswer> {
    const exposition = await this.#loaded()
    const body = await exposition.render(observe(this.#observed()))
    return { status: 200, contentType: exposition.contentType, body }
  }

  async #loaded(): Promise<Exposition> {
    this.#exposition ??= this.#load()
    try {
      return await this.#exposition
    } catch (error) {
      this.#exposition = null
      throw error
    }
  }

  async #load(): Promise<Exposition> {
    const { Exposition } = await import('../metrics/exposition.ts')
    return new Exposition(this.#ofProcess)
  }
}

/**
 * Reading: waits for all records of a log, checks each, and says which is missing.
 *
 * Always true: it ends: a record that does not come in time is an error that names it; it listens
 * on for a moment after the last one, so that a record too many is seen.
 * Used by works.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { NumberedCheck } from '../support/numbered-values.ts'
import type { PeerClient, PeerReading } from './peer.ts'

/** Joining a group of Kafka's takes three seconds of it. */
const longestSilenceMs = 15_000
const usualListenOnMs = 200

export interface ReadingOptions {
  readonly client: Pick<PeerClient, 'read'>
  readonly log: string
  readonly from: 'start' | 'end'
  readonly check: NumberedCheck
  /** Records that are to come. */
  readonly total: number
  /** Told each value before it is checked. */
  readonly onValue?: (value: Uint8Array) => void
  /** How long nothing may come. Default 15 s. */
  readonly silenceMs?: number
  /** Default 200 ms. */
  readonly listenOnMs?: number
}

export class Reading {
  readonly #options: ReadingOptions
  #reading: PeerReading | null = null
  #finish: (error?: unknown) => void = () => {}
  readonly #all: Promise<void>

  private constructor(options: ReadingOptions) {
    this.#options = options
    this.#all = new Promise((resolve, reject) => {
      this.#finish = error => (error === undefined ? resolve() : reject(error))
    })
    // Nobody may be waiting yet when it fails.
    this.#all.catch(() => {})
  }

  /** Resolves when reading has begun. */
  static async begin(options: ReadingOptions): Promise<Reading> {
    const reading = new Reading(options)
    const { client, log, from } = options
    reading.#reading = await client.read(log, from, value => reading.#saw(value))
    return reading
  }

  /** Ends the wait, because a record could not be sent. */
  fail(error: unknown): void {
    this.#finish(error)
  }

  #saw(value: Uint8Array): void {
    const { check, total, onValue } = this.#options
    onValue?.(value)
    check.saw(value)
    if (check.count === total || check.problem !== null) this.#finish()
  }

  /**
   * Resolves as soon as the last record is there, or one is wrong, which `end` will tell.
   * @throws Error where nothing comes for too long
   */
  async all(): Promise<void> {
    const { check, total, silenceMs = longestSilenceMs } = this.#options
    let seen = -1
    const watch = setInterval(() => {
      const missing = `record ${check.count} of ${total} did not come within ${silenceMs} ms`
      if (check.count === seen) this.#finish(new Error(missing))
      seen = check.count
    }, silenceMs)
    try {
      await this.#all
    } finally {
      clearInterval(watch)
    }
  }

  /** Listens on for a moment, then stops. @throws Error where not exactly the records came */
  async end(): Promise<void> {
    const { check, total, listenOnMs = usualListenOnMs } = this.#options
    await sleep(listenOnMs)
    await this.#reading?.stop()
    check.require(total)
  }
}

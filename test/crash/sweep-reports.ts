/**
 * Sweep reports: what a start said about damage, and about which log.
 *
 * Always true: a line counts for a log only if it names that log, by its directory or by topic and
 * partition; that the last stop was not clean is news only where it was clean.
 * Called by sweep-check.ts.
 */
import type { Logger } from '../../broker/world/logger.ts'
import { dataDir } from './storage-node.ts'

export interface LogName {
  readonly topic: string
  readonly partition: number
}

export const directoryOf = ({ topic, partition }: LogName): string =>
  `${dataDir}/${topic}-${partition}`

/** Says that the end of a log is gone. */
export const endEvents = ['tail-cut', 'quarantined']
/** Says that a log begins elsewhere than it did. */
export const startEvents = ['checkpoint-unknown', 'quarantined']

interface Facts {
  readonly event?: string
  readonly topic?: string
  readonly partition?: number
  readonly directory?: string
}

export class Reports {
  readonly said: string[] = []
  readonly logger: Logger
  readonly #facts: Facts[] = []
  #hasNews = false

  /** `isClean`: so was the stop before the damage. */
  constructor(isClean: boolean) {
    const say = (facts: Facts, message: string): void => {
      this.said.push(`${message} ${JSON.stringify(facts)}`)
      this.#facts.push(facts)
      if (isClean || facts.event !== 'recovering') this.#hasNews = true
    }
    // A topic that is found without a catalogue is news; that all is well is none.
    const info = (facts: Facts, message: string): void => {
      if (facts.event === 'topic-adopted') say(facts, message)
    }
    this.logger = { debug: () => {}, info, warn: say, error: say }
  }

  get hasNews(): boolean {
    return this.#hasNews
  }

  /** Whether one of these events was told of this very log. */
  tells(log: LogName, events: readonly string[]): boolean {
    const directory = directoryOf(log)
    return this.#facts.some(facts => {
      const isNamed =
        facts.directory === directory ||
        (facts.topic === log.topic && facts.partition === log.partition)
      return isNamed && events.includes(facts.event ?? '')
    })
  }
}

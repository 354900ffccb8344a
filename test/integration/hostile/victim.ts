/**
 * Victim: a client that does its work while others attack: it sends one record at a time and reads
 * it back, and notes how long both take.
 *
 * Always true: a record that is refused or lost ends the measurement with an error; only whole
 * rounds (sent, acked, read) count.
 * Used by hostile-run.ts, in the process of the test, which nobody attacks.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, connect } from '../../../client/index.ts'
import { orEnd } from '../memory/child.ts'

export interface Latency {
  readonly rounds: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly maxMs: number
}

export const victimTopic = 'victim'
const pauseMs = 3

export class Victim {
  readonly topicId: string
  readonly #client: Client
  readonly #records: AsyncIterator<{ readonly offset: number }>

  private constructor(
    client: Client,
    topicId: string,
    records: AsyncIterator<{ readonly offset: number }>,
  ) {
    this.topicId = topicId
    this.#client = client
    this.#records = records
  }

  static async start(url: string): Promise<Victim> {
    const client = await connect({ servers: url, closeTimeoutMs: 1000 })
    return orEnd(client, async () => {
      const { topicId } = await client.admin.topics.create({ name: victimTopic, partitions: 1 })
      const consumer = client.consumer({ topics: [victimTopic], start: 'earliest' })
      const victim = new Victim(client, topicId, consumer[Symbol.asyncIterator]())
      for (let i = 0; i < 20; i++) await victim.#round()
      return victim
    })
  }

  /** Works until `over` settles, but for at least `leastMs`. */
  async measure(over: Promise<unknown>, leastMs: number): Promise<Latency> {
    let isOver = false
    const end = (): void => {
      isOver = true
    }
    over.then(end, end)
    const leastEndMs = performance.now() + leastMs
    const taken: number[] = []
    while (!isOver || performance.now() < leastEndMs) {
      taken.push(await this.#round())
      await sleep(pauseMs)
    }
    return summary(taken)
  }

  async #round(): Promise<number> {
    const startedMs = performance.now()
    const sent = this.#client.topic(victimTopic).send({ value: new Uint8Array(100) })
    const [ack, read] = await Promise.all([sent, this.#records.next()])
    if (read.done === true || read.value.offset !== ack.offset) {
      throw new Error(`sent offset ${ack.offset}, read ${JSON.stringify(read.value?.offset)}`)
    }
    return performance.now() - startedMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}

function summary(taken: readonly number[]): Latency {
  const sorted = [...taken].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { rounds: sorted.length, medianMs: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 }
}

/**
 * Turn batches: gathers what is sent in one turn of the event loop, for clients that only know
 * sends of many records.
 *
 * Always true: one promise per record, settled with its batch; batches leave in order and a bounded
 * number of them is on the way, so that what waits meanwhile becomes the next one.
 * Used by kafka.ts.
 */

export const maxBatchRecords = 5000
export const maxInFlight = 5

interface Waiting {
  readonly value: Buffer
  resolve(): void
  reject(error: unknown): void
}

export class TurnBatches {
  readonly #send: (log: string, values: Buffer[]) => Promise<unknown>
  #waiting: Waiting[] = []
  #log = ''
  #inFlight = 0
  #isDue = false

  /** `send` settles when all of the values are confirmed. */
  constructor(send: (log: string, values: Buffer[]) => Promise<unknown>) {
    this.#send = send
  }

  /** All calls until the next turn name the same log. */
  add(log: string, value: Buffer): Promise<void> {
    this.#log = log
    if (!this.#isDue) {
      this.#isDue = true
      setImmediate(() => {
        this.#isDue = false
        this.#flush()
      })
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ value, resolve, reject })
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < maxInFlight) {
      const batch = this.#waiting.splice(0, maxBatchRecords)
      this.#inFlight++
      const settle = (each: (one: Waiting) => void): void => {
        this.#inFlight--
        for (const one of batch) each(one)
        this.#flush()
      }
      this.#send(
        this.#log,
        batch.map(({ value }) => value),
      ).then(
        () => settle(one => one.resolve()),
        error => settle(one => one.reject(error)),
      )
    }
  }
}

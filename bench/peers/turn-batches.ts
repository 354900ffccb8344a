/**
 * Turn batches: gathers what is sent in one turn of the event loop, for clients that only know
 * sends of many records.
 *
 * Always true: one promise per record, settled with its batch; batches leave in order and a bounded
 * number of them is on the way, so that what waits meanwhile becomes the next one. The first batch
 * of a log goes alone: the clients look for its leader then, and what leaves beside it overtakes.
 * Used by kafka.ts.
 */

/** Kafka takes batches of up to 1 MiB by default. */
const maxBatchBytes = 900_000
/** What a record costs beside its value, at most. */
const recordOverheadBytes = 20

interface Waiting {
  readonly value: Buffer
  resolve(): void
  reject(error: unknown): void
}

export class TurnBatches {
  readonly #send: (log: string, values: Buffer[]) => Promise<unknown>
  readonly #maxInFlight: number
  #waiting: Waiting[] = []
  #log = ''
  #inFlight = 0
  #knownLog = ''
  #isDue = false

  /** `send` settles when all of the values are confirmed. */
  constructor(maxInFlight: number, send: (log: string, values: Buffer[]) => Promise<unknown>) {
    this.#maxInFlight = maxInFlight
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

  /** Records of the next batch; at least one. */
  #batchCount(): number {
    let bytes = 0
    let count = 0
    for (const { value } of this.#waiting) {
      bytes += value.byteLength + recordOverheadBytes
      if (count > 0 && bytes > maxBatchBytes) break
      count++
    }
    return count
  }

  #flush(): void {
    const most = this.#knownLog === this.#log ? this.#maxInFlight : 1
    while (this.#waiting.length > 0 && this.#inFlight < most) {
      const batch = this.#waiting.splice(0, this.#batchCount())
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
        () => {
          this.#knownLog = this.#log
          settle(one => one.resolve())
        },
        error => settle(one => one.reject(error)),
      )
    }
  }
}

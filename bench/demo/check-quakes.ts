/**
 * Check quakes: reads everything back and compares it with what was sent and acked.
 *
 * Always true: every difference is counted and the first few are kept as sentences; no difference =
 * each record is there exactly once, with its content, in the order of its key, at the offset of
 * its ack, and offsets have no hole.
 * Used by the demo.
 */
import type { Client, ReceivedRecord } from '../../client/index.ts'
import { string } from '../../client/index.ts'
import type { AckLog } from './produce-quakes.ts'
import type { Quakes } from './quakes.ts'

const utf8 = new TextDecoder()

export class QuakeCheck {
  records = 0
  differences = 0
  readonly examples: string[] = []
  readonly #quakes: Quakes
  readonly #log: AckLog
  readonly #lineOf: Map<string, number>
  readonly #seen: Uint8Array
  readonly #nextOffset = new Map<number, number>()
  readonly #lastOfKey = new Map<string, number>()

  constructor(quakes: Quakes, log: AckLog) {
    this.#quakes = quakes
    this.#log = log
    this.#lineOf = new Map(quakes.lines.map((line, i) => [line, i]))
    this.#seen = new Uint8Array(quakes.total)
  }

  #differs(what: string): void {
    this.differences++
    if (this.examples.length < 10) this.examples.push(what)
  }

  record(received: ReceivedRecord<string, string>): void {
    const { partition, offset, key, value, headers } = received
    this.records++
    const place = `partition ${partition}, offset ${offset}`
    const expected = this.#nextOffset.get(partition) ?? 0
    if (offset !== expected) this.#differs(`${place}: offset ${expected} should come next`)
    this.#nextOffset.set(partition, offset + 1)
    const line = this.#lineOf.get(value ?? '')
    const [header] = headers
    const pass = header?.name === 'pass' ? Number(utf8.decode(header.value ?? undefined)) : -1
    if (line === undefined || headers.length !== 1 || !(pass >= 0 && pass < this.#quakes.passes)) {
      this.#differs(`${place}: nobody sent a record with this content`)
      return
    }
    this.#known(pass * this.#quakes.lines.length + line, line, { partition, offset, key, place })
  }

  #known(
    record: number,
    line: number,
    found: { partition: number; offset: number; key: string | null; place: string },
  ): void {
    const { partition, offset, key, place } = found
    if (key === null || key !== this.#quakes.keys[line]) {
      this.#differs(`${place}: key ${key}, sent with ${this.#quakes.keys[line]}`)
      return
    }
    if (this.#seen[record] === 1) this.#differs(`${place}: record ${record} is there twice`)
    this.#seen[record] = 1
    if (this.#log.partitions[record] !== partition || this.#log.offsets[record] !== offset) {
      const acked = `partition ${this.#log.partitions[record]}, offset ${this.#log.offsets[record]}`
      this.#differs(`${place}: record ${record} was acked at ${acked}`)
    }
    const before = this.#lastOfKey.get(key) ?? -1
    if (record <= before) {
      this.#differs(`${place}: record ${record} of key ${key} comes after record ${before}`)
    }
    this.#lastOfKey.set(key, record)
  }

  /** After the last record: whatever never came. */
  end(): void {
    const missing = this.#seen.reduce((sum, seen) => sum + (1 - seen), 0)
    if (missing > 0) this.#differs(`${missing} records are missing`)
    if (missing > 1) this.differences += missing - 1
  }
}

/** Reads from the beginning to the ends of now. */
export async function checkQuakes(
  client: Client,
  quakes: Quakes,
  log: AckLog,
): Promise<QuakeCheck> {
  const check = new QuakeCheck(quakes, log)
  const consumer = client.consumer({
    topics: ['quakes'],
    start: 'earliest',
    stopAtEnd: true,
    key: string(),
    value: string(),
  })
  for await (const batch of consumer.batches()) for (const record of batch) check.record(record)
  await consumer.close()
  check.end()
  return check
}

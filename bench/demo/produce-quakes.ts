/**
 * Produce quakes: sends every record in order through the SDK and notes each ack: where the record
 * landed and when.
 *
 * Always true: a bounded number of records is in the air; nothing here retries or reconnects: the
 * SDK does.
 * Used by the demo.
 */
import type { Client, RecordAck } from '../../client/index.ts'
import { string } from '../../client/index.ts'
import type { Quakes } from './quakes.ts'

const maxInTheAir = 20_000

/** What is known about the records so far; index = number of the record. */
export class AckLog {
  readonly partitions: Int32Array
  readonly offsets: Float64Array
  readonly latenciesMs: Float64Array
  acked = 0
  sent = 0
  startMs = 0
  endMs = 0
  longestGapMs = 0
  failure: unknown = null

  constructor(total: number) {
    this.partitions = new Int32Array(total).fill(-1)
    this.offsets = new Float64Array(total).fill(-1)
    this.latenciesMs = new Float64Array(total)
  }

  get inTheAir(): number {
    return this.sent - this.acked
  }

  ack(record: number, ack: RecordAck, sentMs: number): void {
    const nowMs = performance.now()
    this.partitions[record] = ack.partition
    this.offsets[record] = ack.offset
    this.latenciesMs[record] = nowMs - sentMs
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.endMs)
    this.endMs = nowMs
    this.acked++
  }

  /** Of all records, in milliseconds. */
  percentile(fraction: number): number {
    const sorted = this.latenciesMs.slice(0, this.acked).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0
  }
}

/**
 * Sends everything; `onAck` runs after each ack. Resolves when all are acked. @throws the first
 * failure
 */
export async function produceQuakes(
  client: Client,
  quakes: Quakes,
  log: AckLog,
  onAck: () => void,
): Promise<void> {
  const topic = client.topic('quakes', { key: string(), value: string() })
  let wake: () => void = () => {}
  const stepped = (): void => {
    if (log.inTheAir <= maxInTheAir / 2 || log.failure !== null) wake()
  }
  const settled = async (limit: number): Promise<void> => {
    while (log.inTheAir > limit && log.failure === null) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    if (log.failure !== null) throw log.failure
  }
  log.startMs = performance.now()
  log.endMs = log.startMs
  for (let record = 0; record < quakes.total; record++) {
    const line = record % quakes.lines.length
    const pass = String(Math.floor(record / quakes.lines.length))
    const sentMs = performance.now()
    const key = quakes.keys[line] ?? null
    topic.send({ key, value: quakes.lines[line] ?? null, headers: { pass } }).then(
      ack => {
        log.ack(record, ack, sentMs)
        onAck()
        stepped()
      },
      error => {
        log.failure ??= error
        stepped()
      },
    )
    log.sent++
    if (log.inTheAir >= maxInTheAir) await settled(maxInTheAir / 2)
  }
  await settled(0)
}

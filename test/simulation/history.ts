/**
 * History: what a producer was told, held against what the log turned out to hold.
 *
 * Always true of a correct broker and SDK: what was acked is there once, at the offset that was
 * acked; what was refused as not applied is nowhere; nothing is there twice; a partition's acked
 * records stand in the order in which they were sent.
 * Called by scenarios at their end; its test has one made-up history per anomaly.
 */
import type { RecordAck } from '../../client/index.ts'

export type Outcome =
  | { readonly kind: 'acked'; readonly ack: Pick<RecordAck, 'partition' | 'offset'> }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly code: string }

/** One record; `value` is unlike every other. */
export interface Sent {
  readonly value: string
  readonly partition: number
  outcome: Outcome | null
}

/** Values by partition, the index being the offset. */
export type LogContent = ReadonlyMap<number, readonly string[]>

/** @throws Error naming the first anomaly. `sent` is in the order of the calls. */
export function checkHistory(sent: readonly Sent[], log: LogContent): void {
  const places = placesOf(log)
  for (const record of sent) checkRecord(record, places.get(record.value) ?? [])
  const numbers = new Map(sent.map(({ value }, number) => [value, number]))
  const acked = new Set(sent.filter(s => s.outcome?.kind === 'acked').map(s => s.value))
  for (const [partition, values] of log) {
    const stranger = values.find(value => !numbers.has(value))
    if (stranger !== undefined) throw new Error(`nobody sent "${stranger}"`)
    const order = values.filter(value => acked.has(value)).map(value => numbers.get(value) ?? 0)
    const wrong = order.findIndex((number, i) => number < (order[i - 1] ?? 0))
    if (wrong < 0) continue
    throw new Error(`partition ${partition}: ${order[wrong]} stands after ${order[wrong - 1]}`)
  }
}

function placesOf(log: LogContent): Map<string, string[]> {
  const places = new Map<string, string[]>()
  for (const [partition, values] of log) {
    for (const [offset, value] of values.entries()) {
      places.set(value, [...(places.get(value) ?? []), `${partition}/${offset}`])
    }
  }
  return places
}

function checkRecord({ value, partition, outcome }: Sent, places: readonly string[]): void {
  if (places.length > 1) throw new Error(`"${value}" is there more than once: ${places}`)
  const [place] = places
  if (place !== undefined && !place.startsWith(`${partition}/`)) {
    throw new Error(`"${value}" is at ${place}, was sent to partition ${partition}`)
  }
  if (outcome?.kind === 'refused' && place !== undefined) {
    throw new Error(`"${value}" was refused (${outcome.code}) but is at ${place}`)
  }
  if (outcome?.kind !== 'acked') return
  const { ack } = outcome
  if (place === undefined) {
    throw new Error(`lost: "${value}" was acked at ${ack.partition}/${ack.offset}`)
  }
  // −1: stored for certain, but so long ago that its offset is no longer known.
  if (ack.offset >= 0 && place !== `${ack.partition}/${ack.offset}`) {
    throw new Error(`"${value}" was acked at ${ack.partition}/${ack.offset}, is at ${place}`)
  }
}

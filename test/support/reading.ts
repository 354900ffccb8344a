/**
 * Reading: batches made by hand and loops read to their end, for the tests of the consumer.
 * Used by test/client/consumer/.
 */
import { string } from '../../client/codecs/codecs.ts'
import type { Client } from '../../client/types/client.ts'
import type { ReceivedRecord } from '../../client/types/consuming.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { wire } from './fake-broker.ts'
import type { FakeLog } from './fake-log.ts'
import type { FakeAnswer } from './fake-request.ts'

const encoder = new TextEncoder()

/** A batch of text values; `producerId` makes it one of a transaction. */
export function batchOf(values: readonly string[], producerId = -1): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 2 ** 26 })
  values.forEach((value, i) => {
    builder.append({ timestamp: 1000 + i, key: null, value: encoder.encode(value) })
  })
  const inTransaction = producerId >= 0
  return builder.build({
    codec: 'none',
    producerId,
    producerEpoch: inTransaction ? 0 : -1,
    baseSequence: inTransaction ? 0 : -1,
    isTransactional: inTransaction,
  })
}

/** `count` batches of `size` records whose values are their offsets. */
export function fill(log: FakeLog, count: number, size = 1): void {
  for (let i = 0; i < count; i++) {
    log.store(batchOf(Array.from({ length: size }, (_, j) => `${log.end + j}`)))
  }
}

export async function readAll(
  { client }: { client: Client },
  options: Parameters<Client['consumer']>[0],
): Promise<ReceivedRecord<Uint8Array, string>[]> {
  const seen: ReceivedRecord<Uint8Array, string>[] = []
  const all = { stopAtEnd: true, ...options, value: string() } as object
  for await (const record of client.consumer<Uint8Array, string>(all)) seen.push(record)
  return seen
}
export const valuesOf = (records: readonly { value: unknown }[]): unknown[] =>
  records.map(r => r.value)
export const offsetsOf = (records: readonly { offset: number }[]): number[] =>
  records.map(r => r.offset)

export function partitionErrors(
  asked: readonly { partition: number; topicId: string }[],
  code: Parameters<typeof wire>[0],
): FakeAnswer {
  const partitions = asked.map(({ partition, topicId }) => ({
    partition,
    topicId,
    bodies: 0,
    error: wire(code),
  }))
  return { header: { partitions } }
}

/**
 * Produce scripts: the ways in which a produce request goes wrong, for the fake broker.
 * Used by test/client/producer/.
 */
import { readBatchHeader } from '../../protocol/records/batch-header.ts'
import { wire } from './fake-broker.ts'
import type { FakeAnswer, FakeRequest, Script } from './fake-request.ts'

export const range = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`)

/** Answers every partition of a produce request with one error. */
export const refuse =
  (code: Parameters<typeof wire>[0], details = {}): Script =>
  request =>
    partitionError(request, code, details)

export function partitionError(
  { header }: FakeRequest,
  code: Parameters<typeof wire>[0],
  details = {},
): FakeAnswer {
  const partitions = header.partitions.map((entry: { partition: number; topicId: string }) => ({
    partition: entry.partition,
    topicId: entry.topicId,
    error: wire(code, details),
  }))
  return { header: { partitions } }
}

export const applyAndCut: Script = async (request, proceed) => {
  await proceed()
  request.end.cut()
  return undefined
}
export const cut: Script = async request => {
  request.end.cut()
  return undefined
}
export const silence: Script = () => undefined

export const stampOf = (request: FakeRequest | undefined): string => {
  const { producerId, producerEpoch, baseSequence } = readBatchHeader(
    request?.bodies[0] ?? new Uint8Array(0),
  )
  return `${producerId}/${producerEpoch}/${baseSequence}`
}

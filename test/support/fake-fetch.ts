/**
 * Fake fetch: the long poll of the fake broker.
 * Used by fake-broker.ts.
 */
import type { WireError } from '../../protocol/errors.ts'
import { FakeLog } from './fake-log.ts'
import type { FakeAnswer, FakeEntry, FakeRequest } from './fake-request.ts'
import type { ManualWorld } from './manual-world.ts'

type Find = (entry: FakeEntry) => FakeLog | WireError

/** Answers as soon as minBytes or an error are there, or the time is up. */
export async function fakeFetch(
  world: ManualWorld,
  request: FakeRequest,
  find: Find,
): Promise<FakeAnswer> {
  const { minBytes, maxWaitMs, partitions } = request.header
  const endMs = world.nowMs + maxWaitMs
  for (;;) {
    const { bytes, hasError, answer } = readOnce(request, find)
    const isLate = world.nowMs >= endMs
    if (hasError || bytes >= minBytes || isLate || !request.end.isOpen) return answer
    await new Promise<void>(resolve => {
      const timer = world.timers.after(endMs - world.nowMs, resolve)
      const wake = (): void => {
        timer.cancel()
        resolve()
      }
      for (const entry of partitions) {
        const log = find(entry)
        if (log instanceof FakeLog) log.waiters.push(wake)
      }
    })
  }
}

function readOnce({ header }: FakeRequest, find: Find) {
  let bytes = 0
  let hasError = false
  const bodies: Uint8Array[] = []
  const partitions = header.partitions.map(entry => {
    const { topicId, partition } = entry
    const log = find(entry)
    if (!(log instanceof FakeLog)) {
      hasError = true
      return { topicId, partition, error: log, bodies: 0 }
    }
    const maxBytes = Math.min(entry.maxBytes, header.maxBytes - bytes)
    const result = log.read(entry, { maxBytes, isFirst: bytes === 0 })
    hasError ||= result.header['error'] !== undefined
    bytes += result.bytes.length
    if (result.bytes.length > 0) bodies.push(result.bytes)
    return { topicId, partition, bodies: result.bytes.length > 0 ? 1 : 0, ...result.header }
  })
  return { bytes, hasError, answer: { header: { partitions }, bodies } }
}

/**
 * Admin requests: how questions and changes reach the broker that can answer them.
 *
 * Always true: a question is repeated while its error is retriable and there is time; a change is
 * repeated only where it certainly was not made.
 * Called by admin.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import type { ApiName } from '../../protocol/messages/apis.ts'
import { backoffMs, sleep, within } from '../cluster/backoff.ts'
import type { RequestHeader, RequestLimits, ResponseHeader } from '../cluster/broker-session.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'

export interface AdminParts {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
}

const retryPace = { baseMs: 20, maxMs: 1000 }
/**
 * Retriable by the table, because a broker may not know yet; asked by a person it is the answer.
 */
const finalCodes = new Set(['UNKNOWN_TOPIC_OR_PARTITION'])

/** @throws the last error when time is up or trying again cannot help */
export async function retrying<T>(
  { cluster }: AdminParts,
  limits: RequestLimits,
  work: (limits: RequestLimits) => Promise<T>,
): Promise<T> {
  cluster.requireOpen()
  const { clock, timers, random } = cluster.world
  const endMs = clock.monotonicMs() + limits.timeoutMs
  let last: SluiceError | undefined
  const loop = async (): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const timeoutMs = Math.max(1, endMs - clock.monotonicMs())
      try {
        return await work({ ...limits, timeoutMs })
      } catch (error) {
        last = asSluiceError(error)
        const isFinal = !last.retriable || last.maybeApplied || finalCodes.has(last.code)
        if (isFinal || clock.monotonicMs() >= endMs) throw last
        await sleep(timers, backoffMs(attempt, retryPace, random), limits.signal)
      }
    }
  }
  const onTimeout = (): SluiceError =>
    last ?? new SluiceError('REQUEST_TIMED_OUT', `no answer within ${limits.timeoutMs} ms`)
  return within(timers, loop(), { ...limits, what: 'admin', onTimeout })
}

export async function askAny<N extends ApiName>(
  parts: AdminParts,
  api: N,
  header: RequestHeader<N>,
  limits: RequestLimits,
): Promise<ResponseHeader<N>> {
  return retrying(parts, limits, async left => {
    const { response } = await parts.cluster.requestAny(api, header, left)
    return response
  })
}

/** A change of topics goes to the controller. */
export async function changeAtController<N extends ApiName>(
  parts: AdminParts,
  api: N,
  header: RequestHeader<N>,
  limits: RequestLimits,
): Promise<ResponseHeader<N>> {
  return retrying(parts, limits, async left => {
    const { controllerId } = await parts.metadata.request([], left)
    const { response } = await parts.cluster.request(controllerId, api, header, left)
    return response
  })
}

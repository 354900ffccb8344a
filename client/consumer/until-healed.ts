/**
 * Until healed: tries again, for as long as it takes, what a consumer needs before it can read.
 *
 * Always true: only the consumer's end or an error that waiting does not heal stops it; a topic
 * that does not exist is such an error, whatever the table says of other occasions; each further
 * attempt is in the log.
 * Called by subscription.ts.
 */
import { asSluiceError } from '../../protocol/errors.ts'
import { backoffMs, sleep } from '../cluster/backoff.ts'
import type { Cluster } from '../cluster/cluster.ts'

const retryPace = { baseMs: 50, maxMs: 2000 }

/** @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, what is not retriable, ABORTED by `signal` */
export async function untilHealed(
  { cluster, signal }: { readonly cluster: Cluster; readonly signal: AbortSignal },
  work: () => Promise<void>,
): Promise<void> {
  const { timers, random } = cluster.world
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (cause) {
      const error = asSluiceError(cause)
      if (!error.retriable || error.code === 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      const values = { attempt, error }
      cluster.settings.logger.warn(values, 'the place to read from is not known yet; trying again')
      await sleep(timers, backoffMs(attempt, retryPace, random), signal)
    }
  }
}

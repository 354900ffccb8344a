/**
 * List offsets: questions about positions, asked of the partitions' leaders, with everything
 * retried that may heal within the limits.
 *
 * Always true: one answer per question, in order.
 * Called by consumer/positions.ts and admin/admin.ts.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { backoffMs, sleep } from './backoff.ts'
import type { RequestHeader, RequestLimits, ResponseHeader } from './broker-session.ts'
import type { Cluster } from './cluster.ts'
import { itemErrorOf, withOutcome } from './item-error.ts'
import type { MetadataCache } from './metadata-cache.ts'

export type OffsetQuestion = RequestHeader<'list-offsets'>['partitions'][number]
export type OffsetFound = ResponseHeader<'list-offsets'>['partitions'][number]

const retryPace = { baseMs: 20, maxMs: 1000 }
/** In one request to a broker whose limits are not known yet. */
const partitionsAtFirst = 100

/**
 * @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, LEADER_NOT_AVAILABLE,
 * REQUEST_TIMED_OUT, ABORTED
 */
export async function listOffsets(
  parts: { cluster: Cluster; metadata: MetadataCache },
  questions: readonly OffsetQuestion[],
  limits: RequestLimits,
): Promise<OffsetFound[]> {
  const { clock, timers, random } = parts.cluster.world
  const endMs = clock.monotonicMs() + limits.timeoutMs
  const found: OffsetFound[] = []
  let open = questions.map((_, index) => index)
  for (let attempt = 1; ; attempt++) {
    const failed = await askOnce(parts, { questions, open, found, limits })
    const last = failed[0]?.error
    if (last === undefined) return found
    open = failed.map(({ index }) => index)
    for (const index of open) parts.metadata.forget(questions[index]?.topic ?? '')
    const stuck = failed.find(({ error }) => !error.retriable)
    if (stuck !== undefined) throw stuck.error
    if (clock.monotonicMs() >= endMs) throw last
    await sleep(timers, backoffMs(attempt, retryPace, random), limits.signal)
  }
}

interface Round {
  readonly questions: readonly OffsetQuestion[]
  readonly open: readonly number[]
  readonly found: OffsetFound[]
  readonly limits: RequestLimits
}
type Failed = { index: number; error: SluiceError }[]

/** One request per leader; fills `found` and returns what failed. */
async function askOnce(
  parts: { cluster: Cluster; metadata: MetadataCache },
  round: Round,
): Promise<Failed> {
  const failed: Failed = []
  const byLeader = new Map<number, number[]>()
  for (const index of round.open) {
    try {
      const question = requireQuestion(round, index)
      const leader = await leaderOf(parts.metadata, question, round.limits)
      const others = byLeader.get(leader)
      if (others === undefined) byLeader.set(leader, [index])
      else others.push(index)
    } catch (cause) {
      const error = asSluiceError(cause)
      // A topic that does not exist is an error at once, whatever the table says of other
      // occasions.
      if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      failed.push({ index, error })
    }
  }
  const asked = [...byLeader].flatMap(([leader, indexes]) => {
    const most = parts.cluster.currentSession(leader)?.maxPartitions ?? partitionsAtFirst
    return inChunks(indexes, most).map(async chunk => {
      failed.push(...(await askLeader(parts.cluster, round, { leader, indexes: chunk })))
    })
  })
  await Promise.all(asked)
  return failed
}

function inChunks<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size))
  return chunks
}

async function askLeader(
  cluster: Cluster,
  round: Round,
  { leader, indexes }: { leader: number; indexes: number[] },
): Promise<Failed> {
  const partitions = indexes.map(index => requireQuestion(round, index))
  try {
    const answer = await cluster.request(leader, 'list-offsets', { partitions }, round.limits)
    return indexes.flatMap((index, i) => {
      const found = answer.response.partitions[i]
      if (found === undefined) throw new SluiceError('PROTOCOL_MISMATCH', 'an answer is missing')
      round.found[index] = found
      if (found.error === undefined) return []
      const { topic, partition } = requireQuestion(round, index)
      return [{ index, error: withOutcome(itemErrorOf(found.error), false, { topic, partition }) }]
    })
  } catch (cause) {
    const error = asSluiceError(cause)
    return indexes.map(index => ({ index, error }))
  }
}

function requireQuestion(round: Round, index: number): OffsetQuestion {
  const question = round.questions[index]
  if (question === undefined) throw new SluiceError('INVALID_ARGUMENT', `no question ${index}`)
  return question
}

/** @throws SluiceError UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE */
export async function leaderOf(
  metadata: MetadataCache,
  place: { topic: string; partition: number },
  limits: RequestLimits,
): Promise<number> {
  const { topic: name, partition } = place
  const topic = await metadata.topic(name, limits)
  const found = topic.partitions[partition]
  if (found === undefined) {
    metadata.forget(name)
    const count = topic.partitions.length
    const message = `topic "${name}" has no partition ${partition}: it has ${count}`
    throw new SluiceError('UNKNOWN_TOPIC_OR_PARTITION', message, { topic: name, partition })
  }
  if (found.leader >= 0) return found.leader
  metadata.forget(name)
  const message = `partition ${partition} of topic "${name}" has no leader`
  throw new SluiceError('LEADER_NOT_AVAILABLE', message, { topic: name, partition })
}

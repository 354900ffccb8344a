/**
 * Item error: what went wrong with one item of a request, as data in its answer, so that its
 * neighbours go on.
 *
 * Always true: a broken invariant is never turned into data; it goes on to the dispatcher, which
 * stops the broker.
 * Called by the handlers that serve several items.
 */
import { SluiceError, type WireError } from '../../protocol/errors.ts'
import { InvariantError } from '../../protocol/invariant.ts'
import { DiskError } from '../world/disk.ts'
import type { Logger } from '../world/logger.ts'

export interface ItemContext {
  readonly logger: Logger
  readonly topic?: string
  readonly partition?: number
  /** Whether an unforeseen error may come after the write. */
  readonly maybeApplied?: boolean
}

/** @throws InvariantError which `error` was */
export function itemError(error: unknown, context: ItemContext): WireError {
  if (error instanceof InvariantError) throw error
  const { logger, topic, partition, maybeApplied } = context
  if (SluiceError.is(error)) {
    const wire = asSeenByClients(error).toJSON()
    if (topic !== undefined) wire.topic ??= topic
    if (partition !== undefined) wire.partition ??= partition
    return wire
  }
  const values = { event: 'request-failed', topic, partition, error }
  logger.error(values, 'a request met an error that has no name')
  return {
    ...unforeseen(error, maybeApplied ?? false).toJSON(),
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition }),
  }
}

/**
 * A log that is closed belongs to a broker that stops: the client finds the partition again when
 * the broker is back, so it is not told that anything of its own was closed.
 */
function asSeenByClients(error: SluiceError): SluiceError {
  if (error.code !== 'CLOSED') return error
  const { message, maybeApplied } = error
  return new SluiceError('BROKER_NOT_AVAILABLE', `the broker is stopping: ${message}`, {
    maybeApplied,
    cause: error,
  })
}

/** What a client is told of an error that is not a SluiceError. */
export function unforeseen(error: unknown, maybeApplied: boolean): SluiceError {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof DiskError ? 'KAFKA_STORAGE_ERROR' : 'UNKNOWN_SERVER_ERROR'
  return new SluiceError(code, message, { maybeApplied, cause: error })
}

/** @throws SluiceError INVALID_REQUEST where a request names more partitions than it may */
export function requirePartitionLimit(count: number, max: number): void {
  if (count <= max) return
  throw new SluiceError('INVALID_REQUEST', `${count} partitions in one request, limit ${max}`, {
    hint: 'split the request; the limit is max.partitions.per.request',
  })
}

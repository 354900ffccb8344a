/**
 * Log rules: when a log takes no batch at all, whatever is in it, and which offsets it can be read
 * from.
 *
 * Always true: every refusal of an append here means that nothing was written.
 * Called by log.ts before a batch is looked at, and before a read.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { LogShared } from './shared.ts'
import type { TailBatch } from './tail-cache.ts'
import type { LogIdentity, LogSettings } from './types.ts'

/** Of max.uncommitted.bytes: from here on a log with more than the other share waits. */
const crowdedShare = 7 / 8
const spareShare = 1 / 64

export interface AppendState {
  readonly identity: LogIdentity
  readonly settings: LogSettings
  readonly shared: LogShared
  readonly closed: boolean
  readonly quarantine: string | null
  readonly writer: {
    /** A full disk is being cleared up. */
    readonly dropping: boolean
    /** Not committed, of this log. */
    readonly queuedBytes: number
  }
}

/** @throws SluiceError CLOSED, KAFKA_STORAGE_ERROR, DISK_FULL, MESSAGE_TOO_LARGE, THROTTLED */
export function requireAppendable(state: AppendState, batchBytes: number): void {
  requireWritable(state)
  const { shared, settings } = state
  const { topic, partition } = state.identity
  const at = { topic, partition }
  if (shared.space.full || state.writer.dropping || batchBytes > shared.space.leftBytes) {
    throw new SluiceError('DISK_FULL', 'the disk of this broker is full', {
      ...at,
      retryAfterMs: 1000,
      hint: 'free some space, or lower retention; writes go on by themselves',
    })
  }
  if (batchBytes > settings.maxMessageBytes) {
    const limit = settings.maxMessageBytes
    throw new SluiceError('MESSAGE_TOO_LARGE', `a batch of ${batchBytes} bytes, limit ${limit}`, {
      ...at,
      hint: 'send smaller batches, or raise max.message.bytes',
    })
  }
  if (isThrottled(state, batchBytes)) {
    throw new SluiceError('THROTTLED', 'the disk does not keep up with what is being written', {
      ...at,
      retryAfterMs: 100,
    })
  }
}

/**
 * @throws SluiceError CLOSED, KAFKA_STORAGE_ERROR: maintenance may not touch a damaged log either
 */
export function requireWritable(
  state: Pick<AppendState, 'identity' | 'closed' | 'quarantine'>,
): void {
  const { topic, partition } = state.identity
  const at = { topic, partition }
  if (state.closed) throw new SluiceError('CLOSED', 'the log is being closed', at)
  if (state.quarantine === null) return
  throw new SluiceError('KAFKA_STORAGE_ERROR', `the log takes no writes: ${state.quarantine}`, {
    ...at,
    hint: 'sluice segment verify shows the damage; what lies before it can be read',
  })
}

/**
 * Above the limit every log waits, and shortly below it those that have much in the queue, so that
 * one that is flooded does not keep the others from their turn.
 */
function isThrottled({ shared, writer }: AppendState, batchBytes: number): boolean {
  const { maxUncommittedBytes } = shared.limits
  const bytes = shared.load.uncommittedBytes + batchBytes
  if (bytes > maxUncommittedBytes) return true
  if (bytes <= maxUncommittedBytes * crowdedShare) return false
  return writer.queuedBytes + batchBytes > maxUncommittedBytes * spareShare
}

/** The indexes count offsets from the segment's base in 31 bits. */
export function isTooWide(segment: { readonly baseOffset: number }, batch: TailBatch): boolean {
  return batch.lastOffset - segment.baseOffset > 2 ** 31 - 1
}

/** A batch was taken, and is to be written. */
export function noteAppended({ load, space }: LogShared, bytes: number): void {
  load.uncommittedBytes += bytes
  space.leftBytes -= bytes
}

/** @throws SluiceError INVALID_RECORD where the last record would get no exact offset */
export function requireOffset(lastOffset: number, { topic, partition }: LogIdentity): void {
  if (Number.isSafeInteger(lastOffset)) return
  throw new SluiceError('INVALID_RECORD', 'the partition has no more offsets to give', {
    topic,
    partition,
  })
}

/** The log start to be: −1 means the high watermark. @throws as requireInRange, where it is above */
export function requireTrimmable(
  before: number,
  range: { readonly logStartOffset: number; readonly highWatermark: number },
  identity: LogIdentity,
): number {
  const { highWatermark } = range
  const wanted = before === -1 ? highWatermark : before
  if (!Number.isSafeInteger(wanted) || wanted < 0 || wanted > highWatermark) {
    requireInRange(wanted, range, identity)
  }
  return wanted
}

/** @throws SluiceError OFFSET_OUT_OF_RANGE unless logStart <= offset <= end */
export function requireInRange(
  offset: number,
  range: { readonly logStartOffset: number; readonly highWatermark: number },
  { topic, partition }: LogIdentity,
): void {
  const { logStartOffset, highWatermark } = range
  if (offset >= logStartOffset && offset <= highWatermark) return
  throw new SluiceError(
    'OFFSET_OUT_OF_RANGE',
    `offset ${offset} is not within ${logStartOffset} to ${highWatermark}`,
    { topic, partition },
  )
}

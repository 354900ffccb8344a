/**
 * Log rules: when a log takes no batch at all, whatever is in it, and which offsets it can be read
 * from.
 *
 * Always true: every refusal of an append here means that nothing was written.
 * Called by log.ts before a batch is looked at, and before a read.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { LogShared } from './shared.ts'
import type { LogIdentity, LogSettings } from './types.ts'

export interface AppendState {
  readonly identity: LogIdentity
  readonly settings: LogSettings
  readonly shared: LogShared
  readonly closed: boolean
  readonly quarantine: string | null
  /** A full disk is being cleared up. */
  readonly dropping: boolean
}

/** @throws SluiceError CLOSED, KAFKA_STORAGE_ERROR, DISK_FULL, MESSAGE_TOO_LARGE, THROTTLED */
export function requireAppendable(state: AppendState, batchBytes: number): void {
  requireWritable(state)
  const { shared, settings } = state
  const { topic, partition } = state.identity
  const at = { topic, partition }
  if (shared.space.full || state.dropping || batchBytes > shared.space.leftBytes) {
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
  if (shared.load.uncommittedBytes + batchBytes > shared.limits.maxUncommittedBytes) {
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

/**
 * Segment access: how readers use a segment, and what becomes of what goes wrong there.
 *
 * Always true: a failing disk or damaged bytes are this reader's trouble, never the broker's; a
 * segment that was deleted under a reader is an offset out of range, not damage; the indexes are
 * loaded while the segment is held, so that they are never those of a later segment under the same
 * name (S6).
 * Called by log-reader.ts and time-lookup.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { DiskError, type DiskFile } from '../world/disk.ts'
import type { Segment, SegmentIndexes } from './segment.ts'
import type { LogShared } from './shared.ts'
import type { LogIdentity } from './types.ts'

export class SegmentAccess {
  readonly #shared: LogShared
  readonly #identity: LogIdentity

  constructor(shared: LogShared, identity: LogIdentity) {
    this.#shared = shared
    this.#identity = identity
  }

  /** @throws SluiceError OFFSET_OUT_OF_RANGE (deleted meanwhile), KAFKA_STORAGE_ERROR */
  async use<T>(
    segment: Segment,
    work: (file: DiskFile, indexes: SegmentIndexes) => Promise<T>,
  ): Promise<T> {
    try {
      return await segment.use(async file => work(file, await segment.indexes()))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      if (segment.isRetired) throw this.#gone(segment)
      throw this.damaged(`${error.path}: ${error.message}`)
    }
  }

  #gone({ baseOffset, endOffset }: Segment): SluiceError {
    const { topic, partition } = this.#identity
    const message = `offsets ${baseOffset} to ${endOffset - 1} were deleted meanwhile`
    return new SluiceError('OFFSET_OUT_OF_RANGE', message, { topic, partition })
  }

  damaged(reason: string): SluiceError {
    const { topic, partition } = this.#identity
    const { logger, counts } = this.#shared
    counts.corruptBatches++
    const values = { event: 'damage-found', topic, partition, reason }
    logger.error(values, 'damaged bytes were found by a read')
    return new SluiceError('KAFKA_STORAGE_ERROR', `the log is damaged: ${reason}`, {
      topic,
      partition,
      hint: 'sluice segment verify shows the extent; records before and after it can be read',
    })
  }
}

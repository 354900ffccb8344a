/**
 * Fetch outcomes: what an answer, or the lack of one, means for the partitions that were asked for.
 *
 * Always true: what may heal is tried again for ever; what cannot heal becomes the reader's
 * `failure`, which ends the loop after what was buffered before it; a lost tail is followed and
 * said in the status feed.
 * Called by fetcher.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { itemErrorOf, withOutcome } from '../cluster/item-error.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import { answerBatches, type FetchAnswer } from './answer-batches.ts'
import type { FetchSettings } from './consumer-settings.ts'
import type { Asked, PartitionReader } from './partition-reader.ts'

/** The same bytes fetched this often and wrong each time are wrong in the log. */
const maxBadAnswers = 3

export interface OutcomeParts {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
  readonly settings: FetchSettings
  /** The reader needs a position. */
  findPosition(reader: PartitionReader): void
}

export class FetchOutcomes {
  readonly #parts: OutcomeParts

  constructor(parts: OutcomeParts) {
    this.#parts = parts
  }

  onAnswer(asked: Asked, answer: FetchAnswer, bodies: readonly Uint8Array[]): void {
    const { reader } = asked
    if (answer.error !== undefined) {
      this.#onError(reader, answer, withOutcome(itemErrorOf(answer.error), false, reader))
      return
    }
    reader.failures = 0
    reader.isAlone = false
    reader.wasAnswered = true
    if (answer.highWatermark !== undefined) reader.highWatermark = answer.highWatermark
    if (answer.lastStableOffset !== undefined) reader.endAt(answer.lastStableOffset)
    try {
      const { compression } = this.#parts.cluster.world
      const { checkCrc } = this.#parts.settings
      const options = { offset: asked.offset, lastEpoch: asked.lastEpoch, checkCrc, compression }
      for (const batch of answerBatches(answer, bodies, options)) reader.push(batch)
      reader.badAnswers = 0
    } catch (error) {
      if (!SluiceError.is(error)) throw error
      this.#onBadAnswer(reader, error)
    }
  }

  /** The whole request failed. */
  onRequestFailed(readers: readonly PartitionReader[], error: SluiceError): void {
    if (error.code === 'FRAME_TOO_LARGE') {
      this.#onTooLarge(readers, error)
      return
    }
    this.#parts.metadata.refresh()
    for (const reader of readers) {
      reader.failures++
      if (!error.retriable) reader.failure = withOutcome(error, false, reader)
    }
  }

  /** One of the readers has a batch that no message can hold; alone, it can be named. */
  #onTooLarge(readers: readonly PartitionReader[], cause: SluiceError): void {
    for (const reader of readers) {
      if (!reader.isAlone) {
        reader.isAlone = true
        continue
      }
      reader.isAlone = false
      const { topic, partition, fetchOffset } = reader
      const place = `${topic}/${partition}, offset ${fetchOffset}`
      const message = `${place}: the batch is larger than a message that this client reads`
      const next = `{ offset: ${fetchOffset + 1} }`
      reader.failure = new SluiceError('FRAME_TOO_LARGE', message, {
        cause,
        topic,
        partition,
        hint: `seek past it: consumer.seek('${topic}', ${partition}, ${next})`,
      })
    }
  }

  #onBadAnswer(reader: PartitionReader, error: SluiceError): void {
    reader.failures++
    reader.badAnswers++
    const values = { topic: reader.topic, partition: reader.partition, error }
    this.#parts.cluster.settings.logger.warn(values, 'a fetch answer is damaged; fetching again')
    if (reader.badAnswers < maxBadAnswers) return
    reader.badAnswers = 0
    reader.failure = withOutcome(error, false, reader)
  }

  #onError(reader: PartitionReader, answer: FetchAnswer, error: SluiceError): void {
    if (error.code === 'OFFSET_OUT_OF_RANGE') {
      this.#onOutOfRange(reader, answer, error)
      return
    }
    reader.failures++
    if (error.retriable) this.#parts.metadata.refresh()
    else reader.failure = error
  }

  #onOutOfRange(reader: PartitionReader, answer: FetchAnswer, error: SluiceError): void {
    const { topic, partition } = reader
    const { noOffset } = this.#parts.settings
    const { diverging } = answer
    if (diverging !== undefined) {
      reader.truncateTo(diverging.endOffset, diverging.epoch)
      const position = reader.position ?? diverging.endOffset
      this.#parts.cluster.status.emit({ type: 'truncated', topic, partition, position })
      return
    }
    if (noOffset === 'error') {
      const place = `${topic}/${partition}, offset ${reader.fetchOffset}`
      const message = `${place}: not there (${error.message})`
      reader.failure = new SluiceError('OFFSET_OUT_OF_RANGE', message, {
        topic,
        partition,
        hint: "noOffset: 'earliest' or 'latest' goes on from there instead",
      })
      return
    }
    if (!reader.isDrained) {
      // What was fetched before the log lost it is shown first.
      reader.failures = 1
      return
    }
    reader.moveToStart(noOffset)
    this.#parts.findPosition(reader)
  }
}

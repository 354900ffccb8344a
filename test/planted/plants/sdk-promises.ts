/**
 * Plants against promises of the SDK: order, bounded buffers, no gap over reconnects.
 * Called by all-plants.ts.
 */
import { edit, harmful, harmless, type Plant } from '../plant.ts'

const fetcher = 'client/consumer/fetcher.ts'
const queue = 'client/producer/partition-queue.ts'

export const order: readonly Plant[] = harmful('order', {
  'sent-past-unanswered-session': [
    'a batch goes out on a new connection while one before it is unanswered on the old one',
    edit(queue, 'if (batch.inFlightOn !== session) return undefined', ''),
  ],
  'refused-batch-sent-behind-others': [
    'without idempotence a refused batch is sent again behind later ones',
    edit(
      'client/producer/batch-outcomes.ts',
      'return error.retriable && !batch.outcomeUnknown && first && queue.inFlight === 0',
      'return error.retriable && !batch.outcomeUnknown',
    ),
  ],
  'sixth-batch-in-flight': [
    'a batch goes out though one five places before it is unsettled, beyond what a broker remembers',
    edit(
      queue,
      'if (oldest !== undefined && this.#writtenCount - oldest.ordinal >= maxInFlight) return undefined',
      '',
    ),
  ],
  'new-epoch-beside-old-one': [
    'a new producer epoch begins while batches of the old one are unsettled',
    edit(
      queue,
      'if (this.sequences?.stale === true && this.written.length > 0) return undefined',
      '',
    ),
  ],
})

export const reading: readonly Plant[] = harmful('reading', {
  'skips-after-reconnect': [
    'a fetch that failed is asked again one record farther on',
    edit(
      'client/consumer/fetch-outcomes.ts',
      'for (const reader of readers) {\n      reader.failures++',
      'for (const reader of readers) {\n      reader.fetchOffset++\n      reader.failures++',
    ),
  ],
  'answer-before-seek-used': [
    'an answer to what was asked before a seek or a truncation is used',
    edit(fetcher, 'if (one.generation === one.reader.generation)', 'if (one.generation >= 0)'),
  ],
  'lost-tail-not-followed': [
    'a consumer told that the log lost its tail reads on from where it was',
    edit(
      'client/consumer/partition-reader.ts',
      'this.fetchOffset = endOffset\n',
      'this.lastEpoch = undefined\n    this.fetchOffset = Math.max(endOffset, this.fetchOffset)\n',
    ),
  ],
})

export const buffers: readonly Plant[] = harmless('bounded memory', {
  'prefetch-unbounded': [
    'a consumer fetches ahead without end',
    edit(
      fetcher,
      'return reader.bufferedBytes < this.#shareBytes',
      'return reader.bufferedBytes >= 0',
    ),
    edit(fetcher, 'if (this.#excessBytes >= 0) return', ''),
    edit(
      fetcher,
      'Math.min(fetchBytes, shareBytes - reader.bufferedBytes)',
      'Math.min(fetchBytes, shareBytes)',
    ),
  ],
  'send-buffer-unbounded': [
    'a producer takes records however many are not acked',
    edit(
      'client/producer/buffer-budget.ts',
      'return this.#usedBytes >= this.#limitBytes',
      'return this.#usedBytes < 0',
    ),
  ],
})

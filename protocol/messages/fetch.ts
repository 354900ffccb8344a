/**
 * fetch: record batches from offsets on. A fetch is also a byte credit: the answer is never larger
 * than `maxBytes`, except that the first batch of the answer always comes whole. Batches come as
 * stored, so the first one may begin below the asked offset; the reader drops those records.
 *
 * Bodies: `bodies` of them per entry, in order; each holds whole batches, contiguous in offset.
 * Long poll: waits up to `maxWaitMs` until `minBytes` are there; an error or a moved log start
 * answers at once.
 */
import { itemError, offset, partitionNumber, topicId, topicName } from './common.ts'
import { choice, defineApi, group, integer, list, optional } from './define.ts'

export const fetch = defineApi({
  name: 'fetch',
  about: 'Reads record batches from one or more partitions.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'OFFSET_OUT_OF_RANGE'],
  bodies: {
    response:
      'For each entry of partitions, in order, as many as its field bodies says; ' +
      'each holds whole record batches, contiguous in offset.',
  },
  request: {
    maxWaitMs: integer('Longest wait for minBytes.', 0, 300_000),
    minBytes: integer('Answer as soon as this much is there; 0 = at once.', 0, 2 ** 31 - 1),
    maxBytes: integer('Credit of the whole answer.', 1, 2 ** 31 - 1),
    isolation: choice(
      ['uncommitted', 'committed'],
      'Whether records of open and aborted transactions are included.',
    ),
    partitions: list(
      group(
        {
          topic: topicName(),
          topicId: topicId(),
          partition: partitionNumber(),
          offset: offset('First offset wanted.'),
          maxBytes: integer('Credit of this partition.', 1, 2 ** 31 - 1),
          lastEpoch: optional(
            integer(
              'Leader epoch of the last record read before `offset`; detects a log that lost its tail.',
            ),
          ),
        },
        'One partition.',
      ),
      'What to read.',
    ),
  },
  response: {
    partitions: list(
      group(
        {
          topicId: topicId(),
          partition: partitionNumber(),
          error: itemError(),
          bodies: integer('How many of the bodies belong to this entry.'),
          logStartOffset: optional(offset('Oldest offset that is there.')),
          highWatermark: optional(offset('First offset that consumers may not read yet.')),
          lastStableOffset: optional(
            offset(
              'With isolation committed, only where it is below highWatermark: an open ' +
                'transaction begins here, and nothing from here on is given.',
            ),
          ),
          diverging: optional(
            group(
              {
                epoch: integer('Highest epoch of the log that is not above lastEpoch.'),
                endOffset: offset('First offset after it: reading goes on from here.'),
              },
              'With OFFSET_OUT_OF_RANGE: what was read lies on a tail that the log has lost.',
            ),
          ),
          abortedTransactions: optional(
            list(
              group(
                {
                  producerId: integer('The producer.'),
                  firstOffset: offset('First record of the transaction.'),
                },
                'Skip records of the producer from firstOffset up to its abort marker.',
              ),
              'With isolation committed.',
            ),
          ),
        },
        'Same order as the request.',
      ),
      'What was read.',
    ),
  },
})

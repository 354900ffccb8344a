/**
 * produce: record batches for partitions that this broker leads. Each partition has one body:
 * exactly one record batch v2 (`protocol/records/batch.ts`). Order per partition on one connection
 * is kept.
 *
 * Bodies: one per entry of `partitions`, in order. A partition's error is data; its neighbours go
 * on. With acks `none` there is no answer at all.
 */
import { itemError, offset, partitionNumber, topicId, topicName } from './common.ts'
import { choice, defineApi, group, integer, list, optional } from './define.ts'

export const acksLevels = ['all', 'leader', 'none'] as const
export type Acks = (typeof acksLevels)[number]

export const produce = defineApi({
  name: 'produce',
  about:
    'Appends one record batch to each of the named partitions; with acks none there is no answer.',
  versions: [1, 1],
  errors: [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_TOPIC_ID',
    'CORRUPT_MESSAGE',
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    'MESSAGE_TOO_LARGE',
    'INVALID_RECORD',
    'INVALID_TIMESTAMP',
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'DUPLICATE_SEQUENCE_NUMBER',
    'INVALID_PRODUCER_EPOCH',
    'UNKNOWN_PRODUCER_ID',
    'PRODUCER_LIMIT_REACHED',
    'DISK_FULL',
    'THROTTLED',
    'REQUEST_TIMED_OUT',
  ],
  bodies: {
    request: 'One record batch per entry of partitions, in order.',
  },
  request: {
    acks: choice(
      acksLevels,
      'Who must have the batch before the answer: all in-sync replicas, the leader, nobody.',
    ),
    timeoutMs: integer(
      'How long to wait for it before answering REQUEST_TIMED_OUT.',
      0,
      2 ** 31 - 1,
    ),
    partitions: list(
      group(
        { topic: topicName(), topicId: topicId(), partition: partitionNumber() },
        'Whose body it is.',
      ),
      'One entry per body.',
    ),
  },
  response: {
    partitions: list(
      group(
        {
          partition: partitionNumber(),
          topicId: topicId(),
          error: itemError(),
          baseOffset: optional(
            offset('Offset of the first record; the others follow without gap.'),
          ),
          logStartOffset: optional(offset('Oldest offset that is still there.')),
          duplicate: optional(
            integer('1 if the batch was there already and its first offset is answered.', 0, 1),
          ),
          reached: optional(
            choice(
              ['fsynced', 'written'],
              'Where the batch is: on disk (flush=commit) or in the page cache (flush=os).',
            ),
          ),
        },
        'Same order as the request.',
      ),
      'One entry per body.',
    ),
  },
})

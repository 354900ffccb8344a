/**
 * list-offsets: finds offsets by position or by time.
 *
 * Always true: an answer without offset and without error means that no record is that late.
 */
import { itemError, offset, partitionNumber, topicId, topicName } from './common.ts'
import { choice, defineApi, group, integer, list, optional } from './define.ts'

export const offsetSpecs = [
  'earliest',
  'latest',
  'highWatermark',
  'timestamp',
  'maxTimestamp',
] as const
export type OffsetSpec = (typeof offsetSpecs)[number]

export const listOffsets = defineApi({
  name: 'list-offsets',
  about:
    'Answers the offset at the log start, at the high watermark, or of the first record at or after a time.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'],
  request: {
    partitions: list(
      group(
        {
          topic: topicName(),
          topicId: optional(topicId()),
          partition: partitionNumber(),
          at: choice(
            offsetSpecs,
            'earliest = log start; latest and highWatermark = what the next committed record ' +
              'will get, whatever transactions are open; ' +
              'timestamp = first record at or after `timestamp`; ' +
              'maxTimestamp = the record with the highest one.',
          ),
          timestamp: optional(integer('Milliseconds since 1970, with at = timestamp.')),
        },
        'One question.',
      ),
      'What to find.',
    ),
  },
  response: {
    partitions: list(
      group(
        {
          partition: partitionNumber(),
          error: itemError(),
          offset: optional(offset('Absent (without an error) where no record is that late.')),
          timestamp: optional(integer('Of the record found by time.', -1)),
          leaderEpoch: optional(
            integer('Epoch of the record before the offset, to be sent as lastEpoch.'),
          ),
        },
        'Same order as the request.',
      ),
      'The answers.',
    ),
  },
})

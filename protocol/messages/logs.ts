/**
 * describe-log, delete-records: the log of a partition as it lies on this broker.
 *
 * Always true: offsets of one answer belong to one moment.
 */
import { itemError, offset, partitionNumber, topicId, topicName } from './common.ts'
import {
  choice,
  defineApi,
  flag,
  group,
  type Infer,
  integer,
  list,
  number,
  optional,
  text,
} from './define.ts'

const disk = {
  freeBytes: optional(integer('Free space, looked up each second; absent = not known yet.')),
  totalBytes: optional(integer('Size of the file system; absent = unknown.')),
  minFreeBytes: integer('Below this much free space writes are refused.'),
  full: flag('Writes are refused for lack of space.'),
  fsyncs: integer('Fsyncs of logs in the last one to two minutes.'),
  fsyncP50Ms: number('Half of them took no longer.'),
  fsyncP99Ms: number('99 of 100 took no longer.'),
  fsyncMaxMs: number('The longest of them, or one that is under way if that is longer.'),
}
export type DiskState = Infer<typeof disk>

export const describeLog = defineApi({
  name: 'describe-log',
  about: 'Shows offsets, size, segments and state of logs on this broker.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION'],
  request: { topics: optional(list(topicName(), 'Only these; absent = all.')) },
  response: {
    partitions: list(
      group(
        {
          topic: topicName(),
          topicId: topicId(),
          partition: partitionNumber(),
          state: choice(
            ['ok', 'quarantined'],
            'quarantined = damage was found: good prefix served, writes refused.',
          ),
          reason: optional(text('Why it is quarantined.', 8192)),
          flush: choice(
            ['commit', 'os'],
            'commit = acked means fsynced; os = acked means in the page cache.',
          ),
          logStartOffset: offset('Oldest record.'),
          highWatermark: offset('First offset that consumers may not read yet.'),
          durableEndOffset: offset('First offset not known to be on disk.'),
          logEndOffset: offset('Offset of the next record.'),
          leaderEpoch: integer('Epoch in which the broker leads it.', -1),
          sizeBytes: integer('Bytes of all segment files.'),
          producers: integer('Idempotent producers tracked.'),
          segments: list(
            group(
              {
                baseOffset: offset('First offset.'),
                endOffset: offset('First offset after it.'),
                sizeBytes: integer('Bytes of the .log file.'),
                maxTimestamp: integer('Highest record timestamp, −1 = unknown.', -1),
                sealedAtMs: optional(integer('When it was sealed; absent = active.')),
              },
              'One segment.',
            ),
            'Oldest first.',
          ),
        },
        'One log.',
      ),
      'Sorted by topic and partition.',
    ),
    disk: optional(group(disk, 'The disk that the logs are on.')),
  },
})

export const deleteRecords = defineApi({
  name: 'delete-records',
  about: 'Moves the log start of partitions (trim); durable when answered.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'OFFSET_OUT_OF_RANGE', 'DISK_FULL'],
  request: {
    partitions: list(
      group(
        {
          topic: topicName(),
          topicId: optional(topicId()),
          partition: partitionNumber(),
          before: integer(
            'Records below this offset go away; −1 = all that consumers can see now.',
            -1,
          ),
        },
        'One partition.',
      ),
      'What to trim.',
    ),
  },
  response: {
    partitions: list(
      group(
        {
          partition: partitionNumber(),
          error: itemError(),
          logStartOffset: optional(offset('Oldest record now.')),
        },
        'Same order as the request.',
      ),
      'Results.',
    ),
  },
})

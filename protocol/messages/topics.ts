/**
 * create-topics, delete-topics, add-partitions: the topics of a cluster.
 *
 * Always true: each topic of a request succeeds or fails by itself; an answer means that it
 * survives a crash.
 */
import { itemError, topicId, topicName } from './common.ts'
import { defineApi, flag, group, integer, list, optional, textMap } from './define.ts'

export const maxPartitionsPerTopic = 10_000
export const maxReplicasPerPartition = 32

export const createTopics = defineApi({
  name: 'create-topics',
  about: 'Creates topics; answers when they can be used and survive a crash.',
  versions: [1, 1],
  errors: [
    'TOPIC_ALREADY_EXISTS',
    'INVALID_TOPIC',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_CONFIG',
    'POLICY_VIOLATION',
    'DISK_FULL',
  ],
  request: {
    topics: list(
      group(
        {
          name: topicName(),
          partitions: optional(
            integer('Default: num.partitions of the broker.', 1, maxPartitionsPerTopic),
          ),
          replicationFactor: optional(
            integer('Default: as the cluster allows.', 1, maxReplicasPerPartition),
          ),
          configs: optional(textMap('Topic settings that differ from the defaults.')),
        },
        'One topic.',
      ),
      'What to create.',
      1000,
    ),
    validateOnly: optional(flag('Check everything, create nothing.')),
  },
  response: {
    topics: list(
      group(
        {
          name: topicName(),
          error: itemError(),
          topicId: optional(topicId()),
          partitions: optional(integer('How many it has.')),
          replicationFactor: optional(integer('Copies of each.')),
        },
        'Same order as the request.',
      ),
      'Results.',
    ),
  },
})

export const deleteTopics = defineApi({
  name: 'delete-topics',
  about: 'Deletes topics and their records; answers when the names are free.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'DISK_FULL'],
  request: {
    topics: list(
      group(
        { name: topicName(), topicId: optional(topicId()) },
        'With an id, only if the topic still has it.',
      ),
      'What to delete.',
      1000,
    ),
  },
  response: {
    topics: list(
      group({ name: topicName(), error: itemError() }, 'Same order as the request.'),
      'Results.',
    ),
  },
})

export const addPartitions = defineApi({
  name: 'add-partitions',
  about: 'Raises the number of partitions of a topic; keys move to other partitions from then on.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_PARTITIONS', 'POLICY_VIOLATION', 'DISK_FULL'],
  request: {
    topic: topicName(),
    total: integer('Number of partitions afterwards.', 1, maxPartitionsPerTopic),
    validateOnly: optional(flag('Check only.')),
  },
  response: { topicId: topicId(), partitions: integer('How many it has now.') },
})

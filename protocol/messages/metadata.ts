/**
 * metadata: who the brokers are, which topics there are, and who leads each partition.
 *
 * Always true: an asked topic is in the answer, with an error where it does not exist.
 */
import { itemError, partitionNumber, topicId, topicName } from './common.ts'
import { defineApi, flag, group, integer, list, optional, text } from './define.ts'

export const metadata = defineApi({
  name: 'metadata',
  about: 'Describes the cluster and all or some of its topics.',
  versions: [1, 1],
  errors: ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'],
  request: { topics: optional(list(topicName(), 'Only these; absent = all.')) },
  response: {
    clusterId: text('Id of the cluster.'),
    controllerId: integer('The broker that decides about topics.'),
    brokers: list(
      group(
        {
          id: integer('Broker id.'),
          url: text('Where clients reach it.', 2048),
          rack: optional(text('Where it stands.', 200)),
        },
        'One broker.',
      ),
      'Brokers that are up.',
    ),
    topics: list(
      group(
        {
          name: topicName(),
          topicId: optional(topicId()),
          internal: optional(flag('Made by Sluice for itself.')),
          error: itemError(),
          partitions: list(
            group(
              {
                partition: partitionNumber(),
                leader: integer('Broker id, −1 = none.', -1),
                leaderEpoch: integer('Grows with each change of leader.', -1),
                replicas: list(integer('Broker id.'), 'Preferred leader first.'),
                isr: list(integer('Broker id.'), 'In-sync replicas.'),
                error: itemError(),
              },
              'One partition.',
            ),
            'In order of their numbers.',
          ),
        },
        'One topic.',
      ),
      'Sorted by name; an asked topic that does not exist has an error.',
    ),
  },
})

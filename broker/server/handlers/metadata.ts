/**
 * metadata: the broker, and all or some of its topics with who leads each partition.
 *
 * Always true: with one broker it leads everything that is open.
 * Called by dispatcher.ts.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import type { ResponseOf } from '../../../protocol/messages/define.ts'
import type { metadata } from '../../../protocol/messages/metadata.ts'
import { type CatalogueTopic, unknownTopic } from '../../metadata/catalogue.ts'
import type { BrokerParts, Handler } from '../parts.ts'

type Topic = ResponseOf<typeof metadata>['topics'][number]
type PartitionState = Topic['partitions'][number]

export const handleMetadata: Handler<'metadata'> = (parts, request, exchange) => {
  const { config, store, url } = parts
  const { topics } = store.current
  const names = request.topics === undefined ? [...topics.keys()] : [...new Set(request.topics)]
  exchange.reply({
    clusterId: store.current.clusterId,
    controllerId: config.brokerId,
    brokers: [
      { id: config.brokerId, url: url(), ...(config.rack !== '' && { rack: config.rack }) },
    ],
    topics: names.sort().map(name => describeTopic(parts, name, topics.get(name))),
  })
}

function describeTopic(parts: BrokerParts, name: string, topic: CatalogueTopic | undefined): Topic {
  if (topic === undefined) return { name, error: unknownTopic(name).toJSON(), partitions: [] }
  const partitions = Array.from({ length: topic.partitions }, (_, number) =>
    describePartition(parts, topic, number),
  )
  return { name, topicId: topic.topicId, partitions }
}

function describePartition(
  parts: BrokerParts,
  topic: CatalogueTopic,
  number: number,
): PartitionState {
  const { brokerId } = parts.config
  const partition = parts.partitions.get(topic.topicId, number)
  const state = { partition: number, replicas: [brokerId], isr: [brokerId] }
  if (partition !== undefined) {
    return { ...state, leader: brokerId, leaderEpoch: partition.log.leaderEpoch }
  }
  const error =
    parts.partitions.whyOffline(topic.topicId, number) ??
    // only while a topic is just becoming visible or going away
    new SluiceError('LEADER_NOT_AVAILABLE', `${topic.name}-${number} is not open`)
  return { ...state, leader: -1, leaderEpoch: -1, error: error.toJSON() }
}

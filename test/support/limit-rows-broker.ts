/**
 * Limit rows of the broker: what is held against who asks, and against all together.
 *
 * Put into the table by limits-table.ts.
 */
import { topicOptions } from '../../broker/config/topic-config.ts'
import { maxTopicLabels } from '../../broker/metrics/topic-counts.ts'
import { maxLookups } from '../../broker/server/broker.ts'
import { maxLines, windowMs } from '../../broker/server/calm-logger.ts'
import { defaultStorageLimits } from '../../broker/storage/shared.ts'
import { maxTopicNameLength } from '../../protocol/messages/common.ts'
import { maxPartitionsPerTopic } from '../../protocol/messages/topics.ts'
import { defaultMaxUncompressedBytes } from '../../protocol/records/record-reader.ts'
import { bytes, constant, type LimitRow, option, server, serverTest } from './limit-row.ts'

export const memoryLimits: readonly LimitRow[] = [
  option('maxReceiveBytes', {
    file: `${server}/sessions.ts`,
    beyond:
      'at 7/8 of it who holds much is not read from, at it nobody; half-received messages: close 1013',
    test: `${serverTest}/limits.test.ts`,
    proof: 'at its limit the receive budget pauses everybody, and who comes then',
  }),
  option('maxSendBytes', {
    file: `${server}/sessions.ts`,
    beyond: 'smaller answers; who takes none: close 1013',
    test: `${serverTest}/send-budget.test.ts`,
    proof: 'the fuller it is the smaller the next answer becomes, down to 64 KiB',
  }),
  option('maxUncommittedBytes', {
    file: 'broker/storage/log-rules.ts',
    beyond: 'THROTTLED',
    test: 'test/broker/storage/rules-state.test.ts',
    proof: 'S16: what is not committed is bounded over all logs, and freed again',
  }),
  option('tailCacheBytes', {
    file: 'broker/storage/log-manager.ts',
    beyond: 'reads go to the disk',
    test: 'test/broker/storage/tail-cache.test.ts',
    proof: 'two logs under one budget: contiguous, uncommitted kept, and the books add up',
  }),
  constant('defaultMaxUncompressedBytes', bytes(defaultMaxUncompressedBytes), {
    file: 'protocol/records/record-reader.ts',
    beyond: 'CORRUPT_MESSAGE',
    test: 'test/protocol/compression/compression.test.ts',
    proof: 'a bomb is refused without taking its memory',
  }),
  constant('maxLookups', maxLookups, {
    file: `${server}/broker.ts`,
    beyond: 'lookups by time wait for each other',
    test: `${serverTest}/lookups.test.ts`,
    proof: 'lookups by time go one by one, over all connections and all partitions',
  }),
]

export const requestLimits: readonly LimitRow[] = [
  option('maxBufferedBytes', {
    file: `${server}/session.ts`,
    beyond: 'close 1013',
    test: `${serverTest}/broker.test.ts`,
    proof: 'a peer that takes no answers is dropped above max.buffered.bytes, and only that one',
  }),
  option('maxInFlightRequests', {
    file: `${server}/session.ts`,
    beyond: 'TOO_MANY_REQUESTS',
    test: `${serverTest}/broker.test.ts`,
    proof: 'more requests than allowed are refused one by one, retriably',
  }),
  option('maxPartitionsPerRequest', {
    file: `${server}/handlers/fetch.ts`,
    beyond: 'INVALID_REQUEST',
    test: `${serverTest}/request-limits.test.ts`,
    proof: 'more partitions than max.partitions.per.request are refused by every api',
  }),
  option('maxFetchBytes', {
    file: `${server}/handlers/fetch.ts`,
    beyond: 'a shorter answer',
    test: `${serverTest}/request-limits.test.ts`,
    proof: 'one answer holds no more than max.fetch.bytes, whatever was asked for',
  }),
  option('maxPartitions', {
    file: 'broker/replication/topic-lifecycle.ts',
    beyond: 'POLICY_VIOLATION',
    test: `${serverTest}/request-limits.test.ts`,
    proof: 'partitions above max.partitions are POLICY_VIOLATION, created or added',
  }),
  constant('maxPartitionsPerTopic', maxPartitionsPerTopic, {
    file: 'protocol/messages/topics.ts',
    beyond: 'INVALID_PARTITIONS',
    test: 'test/broker/metadata/catalogue.test.ts',
    proof: 'each command is refused for its own reason and then changes nothing',
  }),
  constant('maxTopicNameLength', maxTopicNameLength, {
    file: 'broker/metadata/topic-name.ts',
    beyond: 'INVALID_TOPIC',
    test: 'test/broker/metadata/catalogue.test.ts',
    proof: 'a topic name is one harmless directory name',
  }),
  {
    limit: topicOptions.maxMessageBytes.name,
    value: topicOptions.maxMessageBytes.format(topicOptions.maxMessageBytes.default),
    known: 'maxMessageBytes',
    file: 'broker/storage/log-rules.ts',
    beyond: 'MESSAGE_TOO_LARGE',
    test: `${serverTest}/bad-batches.test.ts`,
    proof: 'a batch over max.message.bytes',
  },
  constant('maxProducers', defaultStorageLimits.producers.maxProducers, {
    file: 'broker/storage/producer-state.ts',
    beyond: 'PRODUCER_LIMIT_REACHED',
    test: 'test/broker/storage/limits.test.ts',
    proof: 'a full table keeps ten thousand producers, and the oldest for 15 minutes',
  }),
  constant('maxConcurrentSyncs', defaultStorageLimits.maxConcurrentSyncs, {
    file: 'broker/storage/shared.ts',
    beyond: 'logs wait for each other',
    test: 'test/broker/storage/limits.test.ts',
    proof: 'at most eight logs sync at once, and all get their turn',
  }),
  constant('maxTopicLabels', maxTopicLabels, {
    file: 'broker/metrics/topic-counts.ts',
    beyond: 'counted together in /metrics',
    test: 'test/broker/metrics/counts.test.ts',
    proof: 'a thousand topics that come and go leave no label behind',
  }),
  constant('maxLines', `${maxLines} in ${windowMs / 1000}s`, {
    file: `${server}/calm-logger.ts`,
    beyond: 'log lines of one event are counted',
    test: `${serverTest}/calm-logger.test.ts`,
    proof: 'twenty lines of an event in ten seconds, then how many more there were',
  }),
]

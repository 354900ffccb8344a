/**
 * Limit rows of the SDK: what a program that uses it can run into.
 *
 * Put into the table by limits-table.ts.
 */
import { maxQueuedRequests, maxReceivedMessageBytes } from '../../client/cluster/broker-session.ts'
import { maxQueuedEvents } from '../../client/cluster/status-feed.ts'
import { clientSettings } from '../../client/config/options.ts'
import { consumerSettings } from '../../client/consumer/consumer-settings.ts'
import { bytes, constant, type LimitRow, transportTest } from './limit-row.ts'

const { producer } = clientSettings({ servers: 'ws://localhost' })
const consumer = consumerSettings({ topics: ['any'] })

export const sdkLimits: readonly LimitRow[] = [
  {
    limit: 'producer bufferBytes',
    value: bytes(producer.bufferBytes),
    known: 'bufferBytes',
    file: 'client/producer/producer.ts',
    beyond: '`send` waits, `post` says false, then BUFFER_FULL',
    test: 'test/client/producer/producer.test.ts',
    proof: 'with a full buffer send waits, post says false, and BUFFER_FULL ends the wait',
  },
  {
    limit: 'consumer bufferBytes',
    value: bytes(consumer.bufferBytes),
    known: 'bufferBytes',
    file: 'client/consumer/fetcher.ts',
    beyond: 'nothing more is fetched',
    test: 'test/client/consumer/consumer.test.ts',
    proof: 'a slow or paused partition never stops the others, and buffers stay bounded',
  },
  constant('maxReceivedMessageBytes', bytes(maxReceivedMessageBytes), {
    file: 'client/cluster/broker-session.ts',
    beyond: 'FRAME_TOO_LARGE',
    test: 'test/client/consumer/fetcher.test.ts',
    proof: 'a batch larger than a message may be is an error by name, not an endless refetch',
  }),
  constant('maxQueuedRequests', maxQueuedRequests, {
    file: 'client/cluster/broker-session.ts',
    beyond: 'TOO_MANY_REQUESTS',
    test: `${transportTest}/request-channel.test.ts`,
    proof: 'at most maxInFlight are sent; the rest wait their turn, in order',
  }),
  constant('maxQueuedEvents', maxQueuedEvents, {
    file: 'client/cluster/status-feed.ts',
    beyond: 'the oldest event is dropped',
    test: 'test/client/cluster/status-feed.test.ts',
    proof: 'a reader that is slow loses the oldest events, and costs no more',
  }),
]

/**
 * Protocol examples: one exchange of each api, for the protocol page.
 *
 * Always true: typed by the message schemas, and made of fixed values, so the page only changes
 * when the protocol does; a test encodes, decodes and checks each.
 * Used by protocol-page.ts and its test.
 */
import type { ApiName, Apis } from '../../protocol/messages/apis.ts'
import type { RequestOf, ResponseOf } from '../../protocol/messages/define.ts'
import { BatchBuilder } from '../../protocol/records/batch-builder.ts'
import { patchBatch } from '../../protocol/records/batch-header.ts'

export interface Example<N extends ApiName> {
  readonly request: RequestOf<Apis[N]>
  readonly requestBodies?: readonly Uint8Array[]
  readonly response: ResponseOf<Apis[N]>
  readonly responseBodies?: readonly Uint8Array[]
}

const topic = 'orders'
const topicId = 'aB3dE5gH7jK9mN1pQ2rS4t'
const atMs = 1_700_000_000_000

/** Two records of an idempotent producer, as a producer sends them. */
export function exampleBatch(): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 1024 })
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  builder.append({ timestamp: atMs, key: bytes('eu'), value: bytes('{"id":1}') })
  builder.append({ timestamp: atMs + 1, key: bytes('us'), value: bytes('{"id":2}') })
  return builder.build({ codec: 'none', producerId: 4711, producerEpoch: 0, baseSequence: 0 })
}

/** The same as the broker stores it, at offset 40 in epoch 3. */
function storedBatch(): Uint8Array {
  const batch = exampleBatch()
  patchBatch(batch, 40, 3)
  return batch
}

export const protocolExamples: { readonly [N in ApiName]: Example<N> } = {
  hello: {
    request: { client: { software: 'my-client 1.0', id: 'billing' } },
    response: {
      brokerId: 1,
      clusterId: 'xY1zA2bC3dE4fG5hI6jK7l',
      software: 'sluice 0.1.0',
      apis: [{ name: 'produce', minVersion: 1, maxVersion: 1 }],
      limits: {
        maxFrameBytes: 16_777_216,
        maxHeaderBytes: 1_048_576,
        maxInFlightRequests: 100,
        maxPartitionsPerRequest: 5000,
        maxFetchBytes: 16_777_216,
      },
    },
  },
  produce: {
    request: { acks: 'all', timeoutMs: 30_000, partitions: [{ topic, topicId, partition: 0 }] },
    requestBodies: [exampleBatch()],
    response: {
      partitions: [
        { partition: 0, topicId, baseOffset: 40, logStartOffset: 0, reached: 'fsynced' },
      ],
    },
  },
  fetch: {
    request: {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_048_576,
      isolation: 'uncommitted',
      partitions: [{ topic, topicId, partition: 0, offset: 40, maxBytes: 1_048_576 }],
    },
    response: {
      partitions: [{ topicId, partition: 0, bodies: 1, logStartOffset: 0, highWatermark: 42 }],
    },
    responseBodies: [storedBatch()],
  },
  'list-offsets': {
    request: { partitions: [{ topic, partition: 0, at: 'timestamp', timestamp: atMs }] },
    response: { partitions: [{ partition: 0, offset: 40, timestamp: atMs, leaderEpoch: 3 }] },
  },
  metadata: {
    request: { topics: [topic] },
    response: {
      clusterId: 'xY1zA2bC3dE4fG5hI6jK7l',
      controllerId: 1,
      brokers: [{ id: 1, url: 'ws://127.0.0.1:9290' }],
      topics: [
        {
          name: topic,
          topicId,
          partitions: [{ partition: 0, leader: 1, leaderEpoch: 3, replicas: [1], isr: [1] }],
        },
      ],
    },
  },
  'create-topics': {
    request: { topics: [{ name: topic, partitions: 3, configs: { 'retention.ms': '7d' } }] },
    response: { topics: [{ name: topic, topicId, partitions: 3, replicationFactor: 1 }] },
  },
  'delete-topics': {
    request: { topics: [{ name: topic, topicId }] },
    response: { topics: [{ name: topic }] },
  },
  'add-partitions': { request: { topic, total: 6 }, response: { topicId, partitions: 6 } },
  'describe-configs': {
    request: { topics: [topic] },
    response: {
      topics: [
        {
          name: topic,
          configs: [
            {
              name: 'flush',
              value: 'commit',
              origin: 'default',
              default: 'commit',
              about: 'What an ack means.',
            },
          ],
        },
      ],
    },
  },
  'alter-configs': { request: { topic, configs: { 'retention.ms': '1d' } }, response: {} },
  'describe-log': {
    request: { topics: [topic] },
    response: { partitions: [], disk: exampleDisk() },
  },
  'delete-records': {
    request: { partitions: [{ topic, topicId, partition: 0, before: 40 }] },
    response: { partitions: [{ partition: 0, logStartOffset: 40 }] },
  },
}

function exampleDisk() {
  return {
    freeBytes: 107_374_182_400,
    totalBytes: 214_748_364_800,
    minFreeBytes: 67_108_864,
    full: false,
    fsyncs: 120,
    fsyncP50Ms: 0.5,
    fsyncP99Ms: 4,
    fsyncMaxMs: 3.2,
  }
}

/**
 * Storage node: everything of a broker but its network: data directory, catalogue, logs and topics,
 * put together in the order of broker/server/broker.ts.
 *
 * Always true: it runs the real code on the disk and the clock of its fixture and on nothing else;
 * the settings are small, so that few operations roll, index and retain.
 * Called by the crash lane and the corruption sweep.
 */
import { brokerConfig } from '../../broker/config/broker-config.ts'
import { openDataDirectory } from '../../broker/metadata/data-directory.ts'
import { BrokerCounts } from '../../broker/metrics/broker-counts.ts'
import { loadTopics } from '../../broker/replication/load-topics.ts'
import { PartitionManager } from '../../broker/replication/partition-manager.ts'
import { TopicLifecycle } from '../../broker/replication/topic-lifecycle.ts'
import { openLogs } from '../../broker/storage/log-manager.ts'
import type { PartitionLogs } from '../../broker/storage/types.ts'
import { type Logger, silentLogger } from '../../broker/world/logger.ts'
import type { FixtureWorld } from '../support/storage-fixture.ts'

export const dataDir = '/data'
export const segmentMs = 3_600_000

const config = brokerConfig({
  dataDir,
  topicDefaults: {
    'segment.bytes': '1KiB',
    'segment.ms': `${segmentMs}ms`,
    'index.interval.bytes': '100',
    'retention.ms': '-1',
    'retention.bytes': '0',
  },
})

/** Retention is never due by the clock: the workload asks for it. */
const limits = { minFreeBytes: 1024, reserveBytes: 0, retentionCheckIntervalMs: 2 ** 40 }

/** One for all nodes: nobody reads them, and to make them costs as much as a small recovery. */
const counts = new BrokerCounts()

export interface StorageNode {
  readonly logs: PartitionLogs
  readonly partitions: PartitionManager
  readonly topics: TopicLifecycle
  /** The clean stop of a broker. */
  close(): Promise<void>
}

/** @throws SluiceError as broker/server/broker.ts does at start; DiskError */
export async function startNode(
  fixture: FixtureWorld,
  logger: Logger = silentLogger,
): Promise<StorageNode> {
  const world = fixture.world()
  const data = await openDataDirectory(world, dataDir, 1)
  const logs = await openLogs({ dataDir, world, limits, logger, counts: counts.storage })
  const partitions = new PartitionManager()
  const parts = { world, config, store: data.store, logs, partitions, counts, logger }
  await loadTopics(parts)
  const topics = new TopicLifecycle(parts)
  const close = async () => {
    await topics.idle()
    await logs.closeCleanly()
    await data.release()
  }
  return { logs, partitions, topics, close }
}

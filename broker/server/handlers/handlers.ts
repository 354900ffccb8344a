/**
 * Handlers: one per api of protocol/messages/apis.ts, in one table.
 *
 * Always true: an api without a handler does not compile.
 * Read by dispatcher.ts.
 */
import type { ApiName } from '../../../protocol/messages/apis.ts'
import type { Handler } from '../parts.ts'
import { handleAddPartitions } from './add-partitions.ts'
import { handleAlterConfigs } from './alter-configs.ts'
import { handleCreateTopics } from './create-topics.ts'
import { handleDeleteRecords } from './delete-records.ts'
import { handleDeleteTopics } from './delete-topics.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleDescribeLog } from './describe-log.ts'
import { handleFetch } from './fetch.ts'
import { handleHello } from './hello.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleMetadata } from './metadata.ts'
import { handleProduce } from './produce.ts'

export const handlers: { readonly [N in ApiName]: Handler<N> } = {
  hello: handleHello,
  produce: handleProduce,
  fetch: handleFetch,
  'list-offsets': handleListOffsets,
  metadata: handleMetadata,
  'create-topics': handleCreateTopics,
  'delete-topics': handleDeleteTopics,
  'add-partitions': handleAddPartitions,
  'describe-configs': handleDescribeConfigs,
  'alter-configs': handleAlterConfigs,
  'describe-log': handleDescribeLog,
  'delete-records': handleDeleteRecords,
}

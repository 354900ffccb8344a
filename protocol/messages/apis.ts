/**
 * Apis: every message of the protocol in one list.
 *
 * Always true: a name here is the api's name on the wire. Dispatcher, request channel and docs work
 * from it.
 */
import { alterConfigs, describeConfigs } from './configs.ts'
import { fetch } from './fetch.ts'
import { hello } from './hello.ts'
import { listOffsets } from './list-offsets.ts'
import { deleteRecords, describeLog } from './logs.ts'
import { metadata } from './metadata.ts'
import { produce } from './produce.ts'
import { addPartitions, createTopics, deleteTopics } from './topics.ts'

export const apis = {
  hello,
  produce,
  fetch,
  'list-offsets': listOffsets,
  metadata,
  'create-topics': createTopics,
  'delete-topics': deleteTopics,
  'add-partitions': addPartitions,
  'describe-configs': describeConfigs,
  'alter-configs': alterConfigs,
  'describe-log': describeLog,
  'delete-records': deleteRecords,
} as const

export type Apis = typeof apis
export type ApiName = keyof Apis

/**
 * Partition directory: whose a directory is, as Kafka's partition.metadata says it.
 *
 *   version: 0
 *   topic_id: DU5v4co3S0K2ALk665RULA
 *
 * Always true: the id is durable before any record is.
 * Called by log-manager.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { batchOverheadBytes, batchSizeAt, checkBatch } from '../../protocol/records/batch-header.ts'
import type { Disk } from '../world/disk.ts'
import { readWholeFile, replaceFile } from './checked-file.ts'
import { parseSegmentFileName, partitionMetadataName } from './file-names.ts'
import { finalSync } from './final-sync.ts'
import type { LogIdentity } from './types.ts'

/**
 * null where there is none, as in directories of Kafka before 2.8, or what stands there cannot be
 * one: ids are parts of file names.
 */
export async function readTopicId(disk: Disk, directory: string): Promise<string | null> {
  const bytes = await readWholeFile(disk, `${directory}/${partitionMetadataName}`)
  const text = new TextDecoder().decode(bytes ?? new Uint8Array(0))
  return /^topic_id: ([\w-]{1,64})$/m.exec(text)?.[1] ?? null
}

export async function writeTopicId(
  disk: Disk,
  dataDir: string,
  directory: string,
  topicId: string,
): Promise<void> {
  await disk.makeDirectory(directory)
  const content = new TextEncoder().encode(`version: 0\ntopic_id: ${topicId}\n`)
  await replaceFile(disk, { directory, name: partitionMetadataName }, content)
  await finalSync(disk.syncDirectory(dataDir))
}

export interface DirectoryClaim {
  readonly dataDir: string
  readonly directory: string
  /** Its topic id where that was read a moment ago. */
  readonly foundId: string | undefined
  /** The log has been there before. */
  readonly isKnown: boolean
}

/**
 * Makes the directory, or makes sure that it is this topic's and no other's of the same name.
 * @throws SluiceError KAFKA_STORAGE_ERROR; DiskError
 */
export async function claimDirectory(
  disk: Disk,
  { topic, topicId, partition }: LogIdentity,
  { dataDir, directory, foundId, isKnown }: DirectoryClaim,
): Promise<void> {
  const exists = (await disk.stat(directory)) !== null
  if (!exists && isKnown) {
    throw new SluiceError('KAFKA_STORAGE_ERROR', `the directory ${directory} is gone`, {
      topic,
      partition,
      hint: 'bring it back, or delete the topic: its records were in it',
    })
  }
  const owner = exists ? (foundId ?? (await readTopicId(disk, directory))) : null
  if (owner !== null && owner !== topicId) {
    throw new SluiceError('KAFKA_STORAGE_ERROR', `${directory} belongs to topic ${owner}`, {
      topic,
      partition,
      hint: 'move the directory away: it is of another topic with the same name',
    })
  }
  if (owner === null) await writeTopicId(disk, dataDir, directory, topicId)
}

/**
 * What lies in a directory that nobody knows. `records`: its oldest .log that is not empty begins
 * with a whole, valid batch of format version 2; `foreign`: with anything else.
 */
export async function directoryContent(
  disk: Disk,
  directory: string,
): Promise<'nothing' | 'records' | 'foreign'> {
  for (const name of await disk.list(directory)) {
    if (parseSegmentFileName(name)?.suffix !== 'log') continue
    const path = `${directory}/${name}`
    const size = (await disk.stat(path))?.size ?? 0
    if (size > 0) return (await beginsWithBatch(disk, path, size)) ? 'records' : 'foreign'
  }
  return 'nothing'
}

async function beginsWithBatch(disk: Disk, path: string, size: number): Promise<boolean> {
  const file = await disk.open(path, 'read')
  try {
    const batchBytes = batchSizeAt(await file.read(0, batchOverheadBytes), 0)
    if (batchBytes < 0 || batchBytes > size) return false
    checkBatch(await file.read(0, batchBytes))
    return true
  } catch (error) {
    if (!SluiceError.is(error)) throw error
    return false
  } finally {
    await file.close()
  }
}

/**
 * Partition directory: whose a directory is, as Kafka's partition.metadata says it.
 *
 *   version: 0
 *   topic_id: DU5v4co3S0K2ALk665RULA
 *
 * Always true: the id is durable before any record is.
 * Called by log-manager.ts.
 */
import type { Disk } from '../world/disk.ts'
import { readWholeFile, replaceFile } from './checked-file.ts'
import { parseSegmentFileName, partitionMetadataName } from './file-names.ts'
import { finalSync } from './final-sync.ts'

/** null where there is none, as in directories of Kafka before 2.8. */
export async function readTopicId(disk: Disk, directory: string): Promise<string | null> {
  const bytes = await readWholeFile(disk, `${directory}/${partitionMetadataName}`)
  const text = new TextDecoder().decode(bytes ?? new Uint8Array(0))
  return /^topic_id: (\S+)$/m.exec(text)?.[1] ?? null
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

export async function directoryHasRecords(disk: Disk, directory: string): Promise<boolean> {
  for (const name of await disk.list(directory)) {
    if (parseSegmentFileName(name)?.suffix !== 'log') continue
    if (((await disk.stat(`${directory}/${name}`))?.size ?? 0) > 0) return true
  }
  return false
}

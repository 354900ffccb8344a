/**
 * File names: how the files of one partition are called, in Kafka's way where Kafka has the file.
 *
 *   <20-digit base offset>.log .index .timeindex .txnindex    Kafka's
 *   leader-epoch-checkpoint, partition.metadata               Kafka's
 *   <20-digit offset>.producers, segment-list, transactions, epochs   ours
 *   <base>.log.<position>.cut                                 ours: bytes that recovery took off a tail
 *   <base>.log.<position>.tail                                ours: bytes that recovery writes anew
 *
 * Called by every file of this room that touches the disk.
 */

export type SegmentSuffix = 'log' | 'index' | 'timeindex' | 'txnindex' | 'producers'

export const epochCheckpointName = 'leader-epoch-checkpoint'
export const partitionMetadataName = 'partition.metadata'
/** Ours: the same with a checksum, and believed before the other. */
export const epochsName = 'epochs'
export const segmentListName = 'segment-list'
export const transactionsName = 'transactions'
/** Suffix of a directory whose topic was deleted; the rest is topicId-partition. */
export const deletedSuffix = '.del'

export function segmentFileName(baseOffset: number, suffix: SegmentSuffix): string {
  return `${String(baseOffset).padStart(20, '0')}.${suffix}`
}

/**
 * The kind of a checked file that is one partition's: with its place, so that one which lies where
 * another belongs is not taken for it.
 */
export function kindAt(kind: string, directory: string, name: string): string {
  return `${kind}@${directory.slice(directory.lastIndexOf('/') + 1)}/${name}`
}

const segmentPattern = /^(\d{20})\.(log|index|timeindex|txnindex|producers)$/

/** null for a name that is not a segment file's, or whose offset is not a safe integer. */
export function parseSegmentFileName(
  name: string,
): { baseOffset: number; suffix: SegmentSuffix } | null {
  const match = segmentPattern.exec(name)
  const baseOffset = Number(match?.[1])
  if (match === null || !Number.isSafeInteger(baseOffset)) return null
  return { baseOffset, suffix: match[2] as SegmentSuffix }
}

const tailPattern = /^(\d{20})\.log\.(\d{1,16})\.tail$/

/** Of the bytes of a segment from `position` on. */
export function tailFileName(baseOffset: number, position: number): string {
  return `${segmentFileName(baseOffset, 'log')}.${position}.tail`
}

/** null for a name that is not a tail file's. */
export function parseTailFileName(name: string): { baseOffset: number; position: number } | null {
  const match = tailPattern.exec(name)
  if (match === null) return null
  return { baseOffset: Number(match[1]), position: Number(match[2]) }
}

const directoryPattern = /^(.+)-(\d{1,10})$/

/**
 * `orders-3` → topic orders, partition 3; null for anything else, and for names that mean a
 * deletion.
 */
export function parsePartitionDirectory(name: string): { topic: string; partition: number } | null {
  if (name.endsWith(deletedSuffix)) return null
  const match = directoryPattern.exec(name)
  if (match?.[1] === undefined) return null
  // one spelling per partition: "orders-03" is nobody's directory
  const partition = Number(match[2])
  return String(partition) === match[2] ? { topic: match[1], partition } : null
}

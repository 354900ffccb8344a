/**
 * Positions: from "earliest", "latest", a time or "the last n" to an offset per partition.
 *
 * Always true: a time after the last record means the end; "the last n" never lies below the log
 * start.
 * Called by consumer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { RequestLimits } from '../cluster/broker-session.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { listOffsets, type OffsetFound, type OffsetQuestion } from '../cluster/list-offsets.ts'
import type { MetadataCache } from '../cluster/metadata-cache.ts'
import type { StartPosition } from '../types/consuming.ts'
import type { PartitionReader } from './partition-reader.ts'

export interface PositionParts {
  readonly cluster: Cluster
  readonly metadata: MetadataCache
}

/** @throws SluiceError INVALID_ARGUMENT unless it is a start position */
export function checkStart(start: unknown): asserts start is StartPosition {
  if (start === 'earliest' || start === 'latest') return
  if (typeof start === 'object' && start !== null) {
    const entries = Object.entries(start)
    const [name, value] = entries[0] ?? []
    const known = name === 'offset' || name === 'timestamp' || name === 'last'
    if (entries.length === 1 && known && Number.isSafeInteger(value) && Number(value) >= 0) return
  }
  const message = `${JSON.stringify(start)} is not a start position`
  throw new SluiceError('INVALID_ARGUMENT', message, {
    hint: "'earliest', 'latest', { offset }, { timestamp } or { last }, whole numbers from 0",
  })
}

/** Finds the positions of readers that have none. @throws as listOffsets */
export async function findPositions(
  parts: PositionParts,
  readers: readonly PartitionReader[],
  limits: RequestLimits,
): Promise<void> {
  const open: PartitionReader[] = []
  for (const reader of readers) {
    const { start } = reader
    if (typeof start === 'object' && 'offset' in start) reader.moveTo(start.offset)
    else open.push(reader)
  }
  if (open.length === 0) return
  const questions = open.map(reader => [question(reader), ...secondQuestion(reader)])
  const generations = open.map(reader => reader.generation)
  const found = await listOffsets(parts, questions.flat(), limits)
  let at = 0
  open.forEach((reader, index) => {
    const answers = found.slice(at, at + (questions[index]?.length ?? 0))
    at += answers.length
    if (reader.generation === generations[index]) place(reader, answers)
  })
}

/** What consumers can see up to now, for stopAtEnd. */
export async function findEnds(
  parts: PositionParts,
  readers: readonly PartitionReader[],
  options: RequestLimits & { isolation: 'committed' | 'uncommitted' },
): Promise<void> {
  const at = options.isolation === 'committed' ? 'latest' : 'highWatermark'
  const questions = readers.map(reader => ({ ...address(reader), at }) satisfies OffsetQuestion)
  const found = await listOffsets(parts, questions, options)
  readers.forEach((reader, index) => {
    reader.endOffset = found[index]?.offset ?? 0
  })
}

function address(reader: PartitionReader): Omit<OffsetQuestion, 'at'> {
  const { topic, topicId, partition } = reader
  return { topic, topicId, partition }
}

function question(reader: PartitionReader): OffsetQuestion {
  const { start } = reader
  if (start === 'earliest') return { ...address(reader), at: 'earliest' }
  if (typeof start === 'object' && 'timestamp' in start) {
    return { ...address(reader), at: 'timestamp', timestamp: start.timestamp }
  }
  return { ...address(reader), at: 'latest' }
}

/** A time may lie after the last record, and "the last n" before the first one. */
function secondQuestion(reader: PartitionReader): OffsetQuestion[] {
  const { start } = reader
  if (typeof start !== 'object') return []
  const at = 'timestamp' in start ? 'latest' : 'earliest'
  return [{ ...address(reader), at }]
}

function place(reader: PartitionReader, answers: readonly OffsetFound[]): void {
  const { start } = reader
  const [first, second] = answers
  if (typeof start === 'object' && 'last' in start) {
    const wanted = (first?.offset ?? 0) - start.last
    const lowest = second?.offset ?? 0
    if (start.last === 0) reader.moveTo(first?.offset ?? 0, first?.leaderEpoch)
    else reader.moveTo(Math.max(wanted, lowest))
    return
  }
  const answer = first?.offset === undefined ? second : first
  reader.moveTo(answer?.offset ?? 0, answer?.leaderEpoch)
}

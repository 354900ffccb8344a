/**
 * Topic spec: what a program asks for, looked at before it travels, so that a slip is answered in
 * the words of topics and not in those of a message's fields.
 *
 * Always true: what passes here is well-formed for the broker; whether a setting or a character of
 * a name is allowed is the broker's to say.
 * Called by admin.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import { maxTopicNameLength } from '../../protocol/messages/common.ts'
import { maxPartitionsPerTopic, maxReplicasPerPartition } from '../../protocol/messages/topics.ts'
import type { TopicSpec } from '../types/administering.ts'

const isCount = (value: unknown, most: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most

/** @throws SluiceError INVALID_TOPIC */
export function requireName(name: unknown): void {
  const hint = `a topic name is 1 to ${maxTopicNameLength} of a-z A-Z 0-9 . _ - and not "." or ".."`
  if (typeof name !== 'string') {
    throw new SluiceError('INVALID_TOPIC', `a topic name is text, got ${String(name)}`, { hint })
  }
  if (name.length <= maxTopicNameLength) return
  const shown = name.slice(0, 40)
  const message = `"${shown}…" cannot be a topic: the name has ${name.length} characters`
  throw new SluiceError('INVALID_TOPIC', message, { hint })
}

/** @throws SluiceError INVALID_PARTITIONS */
export function requirePartitions(name: string, partitions: unknown): void {
  if (isCount(partitions, maxPartitionsPerTopic)) return
  throw new SluiceError(
    'INVALID_PARTITIONS',
    `topic "${name}" cannot have ${String(partitions)} partitions`,
    { hint: `a topic has 1 to ${maxPartitionsPerTopic} partitions` },
  )
}

/** @throws SluiceError INVALID_CONFIG where a value is no text (or null, which takes it back) */
export function requireTexts(configs: Readonly<Record<string, unknown>>): void {
  for (const [setting, value] of Object.entries(configs)) {
    if (typeof value === 'string' || value === null) continue
    throw new SluiceError('INVALID_CONFIG', `${setting} is given as text, got ${String(value)}`, {
      hint: `{ '${setting}': '${String(value)}' }`,
    })
  }
}

/**
 * @throws SluiceError INVALID_TOPIC, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG
 */
export function requireSpec(spec: TopicSpec): void {
  const { name, partitions, replicationFactor, configs } = spec
  requireName(name)
  if (partitions !== undefined) requirePartitions(name, partitions)
  if (configs !== undefined) requireTexts(configs)
  if (replicationFactor === undefined || isCount(replicationFactor, maxReplicasPerPartition)) return
  throw new SluiceError(
    'INVALID_REPLICATION_FACTOR',
    `topic "${name}" cannot have ${String(replicationFactor)} replicas`,
    { hint: 'leave the replication factor out, or say 1' },
  )
}

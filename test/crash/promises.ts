/**
 * Promises: what a crash at one moment must and may leave, and what a recovery has found.
 *
 *   promised   topic 2: records up to 7 were acked, 5 of them on disk, the log starts at 0 to 3
 *   found      topic 2: records 3 to 6
 *
 * Always true: `judge` compares nothing but these two, so the same recovered content can be held
 * against the promises of many moments.
 * Made by machine.ts and examine.ts; compared by explore.ts.
 */

/** One batch of the idempotent producer. */
export interface Produced {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  readonly lastOffset: number
}

/** What one incarnation of the topic must keep if it is there. */
export interface TopicPromise {
  readonly incarnation: number
  /** By offset: what each record says that it is; all that was ever appended. */
  readonly labels: readonly string[]
  /** Everything below was acked. */
  readonly acked: number
  /** Everything below was acked and must survive a power loss. */
  readonly durable: number
  readonly startMin: number
  readonly startMax: number
  readonly produced: readonly Produced[]
  /** The newest epoch of an acked record. */
  readonly epoch: number
}

export interface Promised {
  readonly mayBeAbsent: boolean
  /** Any of them may be the one that is there; none: the topic is gone. */
  readonly topics: readonly TopicPromise[]
}

/** What a recovery has found; null = no topic. */
export type Found = FoundTopic | null

export interface FoundTopic {
  readonly start: number
  readonly end: number
  /** Of the records from start to end, joined by spaces. */
  readonly labels: string
  /** What the broker knows of the producer's last batches, as its snapshot has it. */
  readonly producer: string
  /** Epoch of the next batch. */
  readonly epoch: number
}

/** A power loss takes what no fsync covers; the death of the process takes nothing. */
export type CrashKind = 'death' | 'loss'

/** What is wrong, as a sentence; null where the promises hold. */
export function judge(found: Found, promised: Promised, kind: CrashKind): string | null {
  if (found === null) return promised.mayBeAbsent ? null : 'the topic is gone'
  const verdicts = promised.topics.map(topic => judgeTopic(found, topic, kind))
  if (verdicts.length === 0) return 'a deleted topic is back'
  return verdicts.includes(null) ? null : verdicts.join('; or ')
}

function judgeTopic(found: FoundTopic, topic: TopicPromise, kind: CrashKind): string | null {
  const { start, end, labels, epoch } = found
  const { acked, durable, startMin, startMax } = topic
  const required = kind === 'death' ? acked : durable
  const appended = topic.labels.slice(start, end).join(' ')
  const checks: [boolean, string][] = [
    [start >= startMin, `the log starts at ${start}, the acked trim was to ${startMin}`],
    [start <= startMax, `the log starts at ${start}, nobody asked for more than ${startMax}`],
    [end >= required, `the log ends at ${end}, acked was ${required}`],
    [
      end <= Math.max(topic.labels.length, start),
      `the log ends at ${end}, beyond what was written`,
    ],
    [labels === appended, `the records are [${labels}], appended were [${appended}]`],
    [epoch >= topic.epoch, `epoch ${epoch} after records of epoch ${topic.epoch}`],
    [end >= acked || epoch > topic.epoch, `epoch ${epoch} is given out again after a loss`],
  ]
  const failed = checks.find(([holds]) => !holds)
  return failed === undefined ? judgeProducer(found, topic) : failed[1]
}

/** Batches that a broker remembers of each producer. */
const keptBatches = 5

function judgeProducer({ start, end, producer }: FoundTopic, topic: TopicPromise): string | null {
  const kept = topic.produced.filter(batch => batch.lastOffset < end).slice(-keptBatches)
  const known = marksOf(kept)
  if (producer === known) return null
  // With flush=os, records that were trimmed before they were on disk may take their marks along.
  const lost = kept.findLastIndex(batch => batch.lastOffset < start) + 1
  if (start === end && marksOf(kept.slice(lost)) === producer) return null
  return `known of the producer is ${producer || 'nothing'}, it wrote ${known || 'nothing'}`
}

/** Batches in the form in which a snapshot keeps them. */
export function marksOf(batches: readonly Produced[]): string {
  return batches
    .map(b => [0, b.baseSequence, b.lastSequence, b.baseOffset, b.lastOffset].join(','))
    .join(' ')
}

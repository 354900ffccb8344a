/**
 * Read-back: reads what a bench wrote, from the offsets that the partitions had before, and checks
 * the stamp of every record.
 *
 * Always true: it reads up to the ends that the partitions have when it begins, so other writers do
 * not keep it; every batch's own CRC is checked on the way by the consumer.
 * Used by bench produce, and by bench consume for the second pass.
 */
import type { Client } from '../../types/client.ts'
import { BoundedRead } from '../bounded-read.ts'
import type { CommandContext } from '../command.ts'
import type { PlannedPartition } from '../consume-plan.ts'
import { StampCheck, type Verified } from './stamp-check.ts'

const fetchBytes = 4 * 1024 * 1024
const pollMs = 50

/** The offset after the last record of each partition. */
export async function endsOf(
  client: Client,
  topic: string,
  partitions: number,
  signal: AbortSignal,
): Promise<number[]> {
  const queries = [...Array(partitions).keys()].map(
    partition => ({ topic, partition, at: 'latest' }) as const,
  )
  const answers = await client.admin.offsets(queries, { signal })
  return answers.map(answer => answer.offset ?? 0)
}

export interface ReadBackPlan {
  readonly topic: string
  /** Per partition: where the bench began. */
  readonly from: readonly number[]
  /** How many records of each source were acked. */
  readonly expected: ReadonlyMap<number, number>
  /** With acks none nobody knows when they are stored: wait for them that long. */
  readonly waitMs: number
}

/** The range to read, once as many records are there as were sent, or the wait is over. */
async function rangeOf(
  context: CommandContext,
  client: Client,
  plan: ReadBackPlan,
): Promise<PlannedPartition[]> {
  const { clock, timers } = context.world
  const { topic, from, expected, waitMs } = plan
  const total = [...expected.values()].reduce((sum, count) => sum + count, 0)
  const endMs = clock.monotonicMs() + waitMs
  for (;;) {
    const ends = await endsOf(client, topic, from.length, context.signal)
    const stored = ends.reduce((sum, end, i) => sum + end - (from[i] ?? 0), 0)
    if (stored >= total || clock.monotonicMs() >= endMs || context.signal.aborted) {
      return ends.map((to, partition) => ({ topic, partition, from: from[partition] ?? 0, to }))
    }
    await new Promise<void>(resolve => timers.after(pollMs, resolve))
  }
}

/** Gives every record of `planned` to `check`. */
export async function checkRecords(
  context: CommandContext,
  client: Client,
  planned: readonly PlannedPartition[],
  check: StampCheck,
): Promise<void> {
  const bounded = new BoundedRead(planned)
  if (bounded.done) return
  const assign = planned.map(({ topic, partition, from }) => ({
    topic,
    partition,
    start: { offset: from },
  }))
  const consumer = client.consumer({ assign, fetchBytes, signal: context.signal })
  try {
    for await (const batch of consumer.batches({ signal: context.signal })) {
      const stop = bounded.stopOf(batch.topic, batch.partition)
      for (const record of batch) if (record.offset < stop) check.see(record, record.value)
      bounded.reached(batch.topic, batch.partition, batch.nextOffset)
      if (bounded.done) break
    }
  } finally {
    await consumer.close()
  }
}

export async function readBack(
  context: CommandContext,
  client: Client,
  plan: ReadBackPlan,
): Promise<Verified> {
  context.output.say('reading back what was written …')
  const check = new StampCheck()
  await checkRecords(context, client, await rangeOf(context, client, plan), check)
  return check.result(plan.expected)
}

/**
 * bench consume: how fast records of a topic are read, batch by batch or record by record, and
 * whether all came.
 *
 *   --from start   what is there now, up to the ends that are fixed before reading
 *   --from tail    what comes from now on, for --duration or -n records
 *
 * Always true: a missing or repeated offset ends the bench with exit 1, whatever the speed was;
 * stamps of records are checked in a pass of their own, outside of what is measured; the report
 * claims no check that was not made.
 */
import type { InferredOptionTypes } from 'yargs'
import type { TopicDescription } from '../../types/administering.ts'
import type { Client } from '../../types/client.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import type { PlannedPartition } from '../consume-plan.ts'
import { usageError } from '../failure.ts'
import { parseCount, parseSize, parseWhole } from '../units.ts'
import { withClients } from './bench-topic.ts'
import { fetchCredit, requireCredit } from './fetch-credit.ts'
import { Frame } from './frame.ts'
import { checkRange, resultOptions, runOptions, warmupOf } from './options.ts'
import { endsOf } from './read-back.ts'
import { checkRead } from './read-check.ts'
import { type Reader, ReadProgress, readBatches, readRecords } from './readers.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'

const options = {
  topic: { type: 'string', default: 'sluice-bench', describe: 'What to read' },
  count: { alias: 'n', type: 'string', coerce: parseCount, describe: 'Records to read [all]' },
  from: {
    type: 'string',
    choices: ['start', 'tail'],
    default: 'start',
    describe: 'What is there, or what comes from now on',
  },
  'per-record': { type: 'boolean', describe: 'Take records one by one instead of batches' },
  clients: {
    type: 'string',
    coerce: parseWhole,
    default: '1',
    describe: 'Connections, of which each reads everything',
  },
  'fetch-bytes': {
    type: 'string',
    coerce: parseSize,
    default: '4MiB',
    describe: 'Credit of one fetch, to 32MiB',
  },
  crc: { type: 'boolean', default: true, describe: 'Check checksums; --no-crc leaves it out' },
  ...runOptions,
  ...resultOptions,
} as const
type Args = InferredOptionTypes<typeof options>

interface Read {
  readonly planned: readonly PlannedPartition[]
  /** Records that must come to each client; null where they come from now on. */
  readonly total: number | null
}

/** @throws SluiceError INVALID_ARGUMENT where there is nothing to read */
async function planRead(
  context: CommandContext,
  client: Client,
  described: TopicDescription,
  args: Args,
): Promise<Read> {
  const { name: topic, partitions, partitionDetails } = described
  const ends = await endsOf(client, topic, partitions, context.signal)
  if (args.from === 'tail') {
    const planned = ends.map((from, partition) => ({ topic, partition, from, to: null }))
    return { planned, total: null }
  }
  const planned = ends.map((to, partition) => {
    const { logStartOffset: from = 0 } = partitionDetails[partition] ?? {}
    return { topic, partition, from, to }
  })
  const total = planned.reduce((sum, { from, to }) => sum + to - from, 0)
  if (total > 0) return { planned, total: Math.min(total, args.count ?? total) }
  throw usageError(`topic "${topic}" is empty`, `sluice bench produce --topic ${topic} --keep`)
}

function checkArgs(args: Args): void {
  const { count, duration, from, clients } = args
  checkRange('clients', args.clients, { min: 1, max: 1000 })
  requireCredit(args['fetch-bytes'])
  if (count === 0) throw usageError('-n must be at least 1')
  if (duration === 0) throw usageError('--duration must be longer than 0')
  if (from === 'tail' && count === undefined && duration === undefined) {
    throw usageError('--from tail needs -n or --duration', 'it would never end')
  }
  // what -n or --duration make impossible is known before the topic is
  const records = count === undefined ? null : count * clients
  warmupOf(args.warmup, { records, ms: duration ?? null })
}

/** One consumer through its partitions; ends at the fixed ends, the limit or the duration. */
async function readOnce(
  context: CommandContext,
  client: Client,
  reader: Omit<Reader, 'consumer' | 'clock'> & { readonly read: Read },
  args: Args,
): Promise<void> {
  const { world, signal } = context
  const assign = reader.read.planned.map(({ topic, partition, from }) => ({
    topic,
    partition,
    start: { offset: from },
  }))
  const credit = fetchCredit(args['fetch-bytes'], assign.length)
  const consumer = client.consumer({ assign, ...credit, checkCrc: args.crc, signal })
  const { duration } = args
  const alarm =
    duration === undefined ? null : world.timers.after(duration, () => void consumer.close())
  try {
    const loop = args['per-record'] === true ? readRecords : readBatches
    await loop({ ...reader, consumer, clock: world.clock })
  } finally {
    alarm?.cancel()
    await consumer.close()
  }
}

async function measure(
  context: CommandContext,
  clients: readonly Client[],
  args: Args,
  frame: Frame,
): Promise<BenchReport> {
  const { signal } = context
  const client = clients[0] as Client
  const described = await client.admin.topics.describe(args.topic, { signal })
  const read = await planRead(context, client, described, args)
  const total = args.from === 'tail' ? args.count : (read.total ?? 0)
  const records = total === undefined ? null : total * clients.length
  const warmup = warmupOf(args.warmup, { records, ms: args.duration ?? null })
  const progress = clients.map(() => new ReadProgress(read.planned))
  const limit = args.count ?? Number.POSITIVE_INFINITY
  const figures = await frame.measure({ warmup, doing: 'read' }, async meter => {
    const reads = clients.map((one, i) =>
      readOnce(context, one, { progress: progress[i] as ReadProgress, meter, limit, read }, args),
    )
    await Promise.all(reads)
  })
  const isCut = args.duration !== undefined || read.total === args.count || signal.aborted
  if (read.total !== null && !isCut) for (const one of progress) one.end()
  const checked = await checkRead(context, client, {
    planned: read.planned,
    progress,
    count: args.count ?? null,
    isCrcChecked: args.crc,
    isStampChecked: args.verify,
  })
  return {
    bench: 'consume',
    topic: args.topic,
    partitions: described.partitions,
    ...figures,
    loop: 'closed',
    latencyOf:
      args['per-record'] === true ? 'waiting for 16 records' : 'waiting for the next batch',
    flush: described.flush,
    rate: null,
    from: args.from,
    by: args['per-record'] === true ? 'record' : 'batch',
    clients: clients.length,
    ...fetchCredit(args['fetch-bytes'], described.partitions),
    checkCrc: args.crc,
    ...checked,
    ...frame.conditions,
  }
}

export const benchConsumeCommand = defineCommand({
  usage: 'consume',
  about: 'Measure how fast records are read, and check that all came',
  examples: [
    ['$0 bench produce --topic t --keep && $0 bench consume --topic t', 'what was written'],
    ['$0 bench consume --topic t --per-record -j', 'with for await, record by record'],
    ['$0 bench consume --topic t --from tail --duration 30s', 'what others write meanwhile'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    checkArgs(args)
    const frame = await Frame.open(context, args)
    const report = await withClients(context, args.clients, {}, clients =>
      measure(context, clients, args, frame),
    )
    await publish(context, frame.files, { reports: [report] })
    return undefined
  },
})

/**
 * bench consume: how fast records of a topic are read, batch by batch or record by record, and
 * whether all came.
 *
 *   --from start   what is there now, up to the ends that are fixed before reading
 *   --from tail    what comes from now on, for --duration or -n records
 *
 * Always true: a missing or repeated offset ends the bench with exit 1, whatever the speed was;
 * stamps of records are checked in a pass of their own, outside of what is measured.
 */
import type { InferredOptionTypes } from 'yargs'
import type { TopicDescription } from '../../types/administering.ts'
import type { Client } from '../../types/client.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import type { PlannedPartition } from '../consume-plan.ts'
import { usageError } from '../failure.ts'
import { parseCount, parseSize, parseWhole } from '../units.ts'
import { withClients } from './bench-topic.ts'
import { Frame } from './frame.ts'
import { checkRange, resultOptions, runOptions, warmupOf } from './options.ts'
import { checkRecords, endsOf } from './read-back.ts'
import { type Reader, ReadProgress, readBatches, readRecords } from './readers.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'
import { StampCheck, type Verified } from './stamp-check.ts'

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
    describe: 'Credit of one fetch',
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
  const fetchBytes = args['fetch-bytes']
  const consumer = client.consumer({ assign, fetchBytes, checkCrc: args.crc, signal })
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

/** Offsets of the measured pass and, unless left out, stamps of a second one. */
async function verify(
  context: CommandContext,
  client: Client,
  given: { read: Read; progress: readonly ReadProgress[]; isStampChecked: boolean },
): Promise<{ verified: Verified; areStamped: boolean }> {
  const { read, progress, isStampChecked } = given
  const sum = (of: (one: ReadProgress) => number): number =>
    progress.reduce((total, one) => total + of(one), 0)
  const check = new StampCheck()
  const [first] = progress
  if (isStampChecked && !context.signal.aborted) {
    context.output.say('reading once more, to check every record …')
    const seen = read.planned.map((place, i) => ({ ...place, to: first?.next[i] ?? place.from }))
    await checkRecords(context, client, seen, check)
  }
  const stamps = check.resultOfSeen()
  // what no bench wrote has no stamps: its offsets and batch checksums are all there is to check
  const areStamped = stamps.records > 0 && stamps.corrupt < stamps.records
  const missing = sum(one => one.missing)
  const repeated = sum(one => one.repeated) + (areStamped ? stamps.repeated : 0)
  const outOfOrder = areStamped ? stamps.outOfOrder : 0
  const corrupt = areStamped ? stamps.corrupt : 0
  const records = sum(one => one.records)
  const isSound = missing + repeated + outOfOrder + corrupt === 0
  const fault = missing + sum(one => one.repeated) > 0 ? 'offsets do not follow each other' : null
  const firstFault = isSound ? null : (fault ?? stamps.firstFault)
  const expected = records + missing - repeated
  return {
    areStamped,
    verified: { records, expected, missing, repeated, outOfOrder, corrupt, firstFault, isSound },
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
  const isWhole = args.count === undefined && args.duration === undefined && !signal.aborted
  if (isWhole) for (const one of progress) one.end()
  const { verified, areStamped } = await verify(context, client, {
    read,
    progress,
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
    fetchBytes: args['fetch-bytes'],
    checkCrc: args.crc,
    areStamped,
    verified,
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

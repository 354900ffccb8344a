/**
 * bench produce: how fast records are acked, and how long that takes.
 *
 * Always true: the topic is made if it is missing and deleted afterwards unless --keep; a failed
 * record ends the bench with its error; every record is read back and checked, outside of what is
 * measured.
 */
import type { InferredOptionTypes } from 'yargs'
import type { TopicDescription } from '../../types/administering.ts'
import type { Client } from '../../types/client.ts'
import { type CommandContext, defineCommand, refuseDryRun } from '../command.ts'
import { usageError } from '../failure.ts'
import { parseSettings } from '../topic-write.ts'
import { parseCount, parseWhole } from '../units.ts'
import { withClients, withTopic } from './bench-topic.ts'
import { Frame } from './frame.ts'
import { LoadGroup, type LoadPlan } from './load-group.ts'
import type { Warmup } from './meter.ts'
import {
  checkRange,
  parseRate,
  resultOptions,
  runOptions,
  topicOptions,
  warmupOf,
} from './options.ts'
import { endsOf, readBack } from './read-back.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'
import { payloadPlan, producerOptions, recordBytes, sendOptions } from './send-options.ts'
import { maxSequence } from './stamp.ts'
import type { Verified } from './stamp-check.ts'

const options = {
  count: { alias: 'n', type: 'string', coerce: parseCount, describe: 'Records [1M]' },
  ...runOptions,
  rate: {
    type: 'string',
    coerce: parseRate,
    describe: 'Records per second of all clients (open loop) [as fast as acked: closed loop]',
  },
  clients: { type: 'string', coerce: parseWhole, default: '1', describe: 'Connections' },
  producers: { type: 'string', coerce: parseWhole, default: '1', describe: 'Senders per client' },
  window: {
    type: 'string',
    coerce: parseCount,
    describe: 'Records of a sender without an ack; 1 = one awaited send at a time [8 batches, 20k]',
  },
  burst: {
    type: 'string',
    coerce: parseCount,
    describe: 'Records sent in one turn of a closed loop [a tenth of the window]',
  },
  ...sendOptions,
  ...topicOptions,
  ...resultOptions,
} as const
type Args = InferredOptionTypes<typeof options>

interface Plan extends LoadPlan {
  readonly clients: number
  readonly warmup: Warmup
}

const defaultCount = 1_000_000
const mostInTheAir = 1_000_000
/** What waits for an ack survives many collections: with more, their cost outgrows the records'. */
const mostInClosedLoop = 20_000
const mostAirBytes = 256 * 1024 * 1024
const acksNoneWaitMs = 10_000
/** An open loop that is behind goes on for so many times its duration. */
const patience = 2
const patienceMs = 10_000

/** Some batches in a closed loop, and few against the count, so that a rate has time to show. */
function defaultWindow(args: Args, bytes: number, perSender: number): number {
  const most = Math.max(1, Math.min(mostInTheAir, Math.floor(mostAirBytes / bytes)))
  if (args.rate !== undefined) return most
  const batches = 8 * Math.max(1, Math.floor(args['batch-bytes'] / (args.size.max + 16)))
  return Math.max(1, Math.min(batches, mostInClosedLoop, most, Math.floor(perSender / 20)))
}

/** Records to send; −n, or what a rate gives in a duration, or no end. */
function countOf({ count, rate, duration }: Args): number {
  const byRate = Math.round(((rate ?? 0) * (duration ?? 0)) / 1000)
  if (count !== undefined) return byRate > 0 ? Math.min(count, byRate) : count
  if (byRate > 0) return byRate
  return duration === undefined ? defaultCount : maxSequence
}

/** @throws SluiceError INVALID_ARGUMENT */
function planOf(args: Args): Plan {
  const { rate, duration, topic } = args
  if (duration === 0) throw usageError('--duration must be longer than 0')
  const count = checkRange('count', countOf(args), { min: 1, max: maxSequence })
  const clients = checkRange('clients', args.clients, { min: 1, max: 1000 })
  const producers = checkRange('producers', args.producers, { min: 1, max: 64 })
  const payload = payloadPlan(args, args.verify)
  const perSender = count / clients / producers
  const window = args.window ?? defaultWindow(args, recordBytes(payload), perSender)
  const isEndless = count === maxSequence
  const records = isEndless ? null : count
  const expected = { records, ms: duration ?? null, rate: rate ?? null }
  const endAfterMs =
    duration === undefined
      ? Number.POSITIVE_INFINITY
      : rate === undefined
        ? duration
        : patience * duration + patienceMs
  return {
    topic,
    payload,
    count,
    clients,
    producers,
    rate: rate ?? null,
    window: checkRange('window', window, { min: 1, max: maxSequence }),
    burst: checkRange('burst', args.burst ?? Math.ceil(window / 10), { min: 1, max: window }),
    endAfterMs,
    warmup: warmupOf(args.warmup, expected),
  }
}

async function measure(
  context: CommandContext,
  given: { args: Args; plan: Plan; frame: Frame },
  clients: readonly Client[],
  described: TopicDescription,
): Promise<BenchReport> {
  const { args, plan, frame } = given
  const { world, signal } = context
  const client = clients[0] as Client
  const { partitions, flush, name: topic } = described
  const from = await endsOf(client, topic, partitions, signal)
  const group = new LoadGroup(context, plan, clients)
  const figures = await frame.measure({ warmup: plan.warmup, doing: 'acked' }, meter =>
    group.run(meter, world.clock.monotonicMs()),
  )
  let verified: Verified | null = null
  if (args.verify && !signal.aborted) {
    const waitMs = args.acks === 'none' ? acksNoneWaitMs : 0
    verified = await readBack(context, client, { topic, from, expected: group.acked, waitMs })
  }
  const loop = plan.rate === null ? 'closed' : 'open'
  return {
    bench: 'produce',
    topic,
    partitions,
    ...figures,
    loop,
    latencyOf: loop === 'open' ? 'intended send to ack' : 'send to ack',
    acks: args.acks,
    flush,
    reached: group.reached ?? 'sent',
    rate: plan.rate,
    unsent: plan.rate === null ? 0 : group.unsent,
    sizeBytes: plan.payload.size.max,
    clients: plan.clients,
    producers: plan.producers,
    window: plan.window,
    burst: plan.burst,
    batchBytes: args['batch-bytes'],
    compression: args.compression,
    verified,
    generator: group.cost(figures.recordsPerSecond),
    ...frame.conditions,
  }
}

export const benchProduceCommand = defineCommand({
  usage: 'produce',
  about: 'Measure how fast records are acked',
  examples: [
    ['$0 bench produce -n 1M --size 100B', 'as fast as possible (closed loop)'],
    ['$0 bench produce --rate 10k --duration 60s -j', 'latency at a fixed rate (open loop)'],
    ['$0 bench produce --window 1 -n 10k', 'one awaited send at a time'],
    ['$0 bench produce --duration 30s --html page.html', 'with plots over time'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'bench produce')
    const plan = planOf(args)
    const frame = await Frame.open(context, args)
    const producer = producerOptions(args, plan.payload, plan.window * plan.producers)
    const configs = parseSettings(args.config ?? [])
    const { topic: name, partitions = 1, keep = false } = args
    const report = await withClients(context, plan.clients, { producer }, async clients =>
      withTopic(context, clients[0] as Client, { name, partitions, configs, keep }, described =>
        measure(context, { args, plan, frame }, clients, described),
      ),
    )
    await publish(context, frame.files, { reports: [report] })
    return undefined
  },
})

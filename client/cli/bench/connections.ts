/**
 * bench connections: how long connections take to open, what each costs in memory, and how a load
 * fares beside those that do nothing.
 *
 *   active clients: load alone ─> idle connections open, one by one timed ─> the same load beside them
 *
 * Always true: the load before and after is the same one, so the two latencies differ by the idle
 * connections alone; every connection that was opened is closed; one that cannot be opened ends the
 * bench with its error.
 */
import type { InferredOptionTypes } from 'yargs'
import type { TopicDescription } from '../../types/administering.ts'
import type { Client } from '../../types/client.ts'
import { type CommandContext, defineCommand, refuseDryRun } from '../command.ts'
import { usageError } from '../failure.ts'
import { parseSettings } from '../topic-write.ts'
import { parseCount, parseDuration } from '../units.ts'
import { withClients, withTopic } from './bench-topic.ts'
import { type Delivery, openLoop } from './deliveries.ts'
import { Frame } from './frame.ts'
import { type Idle, withIdle } from './idle-connections.ts'
import type { Warmup } from './meter.ts'
import {
  checkRange,
  parseRate,
  resultOptions,
  runOptions,
  topicOptions,
  warmupOf,
} from './options.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'
import { payloadPlan, producerOptions, sendOptions } from './send-options.ts'

const options = {
  count: {
    alias: 'n',
    type: 'string',
    coerce: parseCount,
    default: '1000',
    describe: 'Connections that are opened and stay idle',
  },
  active: {
    type: 'string',
    default: '1%',
    describe: 'Clients that write meanwhile: a number, or a share of --count',
  },
  'open-rate': {
    type: 'string',
    coerce: parseRate,
    describe: 'Connections opened per second [32 at a time, as fast as they open]',
  },
  rate: {
    type: 'string',
    coerce: parseRate,
    default: '1k',
    describe: 'Records per second of all active clients',
  },
  ...runOptions,
  duration: {
    type: 'string',
    coerce: parseDuration,
    default: '10s',
    describe: 'How long the load runs, once alone and once beside the idle ones',
  },
  ...sendOptions,
  ...topicOptions,
  ...resultOptions,
} as const
type Args = InferredOptionTypes<typeof options>

const mostConnections = 60_000
const mostInTheAir = 100_000

/** @throws SluiceError INVALID_ARGUMENT */
export function activeOf(text: string, count: number): number {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1]
  const active = share === undefined ? parseCount(text) : Math.ceil((count * Number(share)) / 100)
  return checkRange('active', active, { min: 1, max: 1000 })
}

/** Records of one load, and its warm-up. @throws SluiceError INVALID_ARGUMENT */
function loadOf({ rate, duration: ms, warmup }: Args): { count: number; warmup: Warmup } {
  const count = Math.max(1, Math.round((rate * ms) / 1000))
  return { count, warmup: warmupOf(warmup, { records: count, ms, rate }) }
}

/** How many clients are active. @throws SluiceError INVALID_ARGUMENT */
function checkArgs(args: Args): number {
  checkRange('count', args.count, { min: 1, max: mostConnections })
  if (args.duration === 0) throw usageError('--duration must be longer than 0')
  if (args.verify === false) throw usageError('bench connections cannot do without its checks')
  loadOf(args)
  return activeOf(args.active, args.count)
}

interface Bench {
  readonly args: Args
  readonly frame: Frame
  readonly writers: readonly Client[]
  readonly reader: Client
  readonly described: TopicDescription
}

/** One run of the load, timed and checked. */
async function load(context: CommandContext, bench: Bench) {
  const { args, frame, writers, reader, described } = bench
  const { name: topic, partitions } = described
  const { count, warmup } = loadOf(args)
  const delivery: Delivery = {
    writers,
    reader,
    topic,
    partitions,
    payload: payloadPlan(args, true),
    producers: 1,
    count,
    rate: args.rate,
    window: mostInTheAir,
    durationMs: args.duration,
    waitMs: context.timeoutMs,
  }
  const run = await openLoop(context, delivery)
  const figures = await frame.measure({ warmup, doing: 'delivered' }, run.work)
  return { figures, verified: run.verified(), unsent: run.unsent() }
}

async function measure(context: CommandContext, bench: Bench): Promise<BenchReport> {
  const { args, frame, writers, described } = bench
  context.output.say(`load alone: ${writers.length} active clients …`)
  const alone = await load(context, bench)
  const plan = { count: args.count, perSecond: args['open-rate'] ?? null }
  const beside = async (idle: Idle) => {
    context.output.say(`load beside ${args.count} idle connections …`)
    return { ...(await load(context, bench)), idle }
  }
  const { figures, verified, unsent, idle } = await withIdle(context, frame.brokerPid, plan, beside)
  return {
    bench: 'connections',
    topic: described.name,
    partitions: described.partitions,
    ...figures,
    loop: 'open',
    latencyOf: 'intended send to delivery, beside the idle connections',
    acks: args.acks,
    flush: described.flush,
    rate: args.rate,
    unsent: unsent + alone.unsent,
    sizeBytes: args.size.max,
    connections: {
      count: args.count,
      active: writers.length,
      ...idle,
      aloneMs: alone.figures.latencyMs,
    },
    verified: alone.verified.isSound ? verified : alone.verified,
    ...frame.conditions,
  }
}

export const benchConnectionsCommand = defineCommand({
  usage: 'connections',
  about: 'Measure what open connections cost, and latency beside them',
  examples: [
    ['$0 bench connections -n 900', 'a broker takes 1000 from one address unless told otherwise'],
    ['$0 bench connections -n 5k --active 10 --rate 2k', 'with --max-connections-per-address 6000'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'bench connections')
    const active = checkArgs(args)
    const payload = payloadPlan(args, true)
    const configs = parseSettings(args.config ?? [])
    const frame = await Frame.open(context, args)
    const producer = producerOptions(args, payload, mostInTheAir)
    const { topic: name, partitions = 1, keep = false } = args
    const plan = { name, partitions, configs, keep }
    const report = await withClients(context, active + 1, { producer }, async clients => {
      const [reader, ...writers] = clients as [Client, ...Client[]]
      return withTopic(context, reader, plan, described =>
        measure(context, { args, frame, writers, reader, described }),
      )
    })
    await publish(context, frame.files, { reports: [report] })
    return undefined
  },
})

/**
 * bench connections: how long connections take to open, what each costs in memory, and how a load
 * fares beside those that do nothing.
 *
 *   weigh ─> idle connections open, one by one timed ─> weigh ─> load, thrown away
 *         ─> load beside them ─> idle connections close ─> the same load alone
 *
 * Always true: nothing was sent before both weighings, so what a load leaves in memory is in
 * neither; both loads that count come after one that does not, so neither is the first of its
 * broker. The load alone is the later one, and what the closed connections left behind in the
 * broker is still there: what that does is in the difference too. Every connection that was opened
 * is closed; one that cannot be opened ends the bench with its error.
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
import { type Figures, Frame } from './frame.ts'
import { type Idle, settle, withIdle } from './idle-connections.ts'
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
import type { Verified } from './stamp-check.ts'

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
    describe: 'How long the load runs, once beside the idle ones and once alone',
  },
  ...sendOptions,
  ...topicOptions,
  ...resultOptions,
} as const
type Args = InferredOptionTypes<typeof options>

const mostConnections = 60_000
const mostInTheAir = 100_000
/** Long enough for both sides to have compiled what a load needs. */
const rehearsalMs = 3000

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

/** The load that is thrown away; its records are checked all the same. */
function rehearse(context: CommandContext, bench: Bench) {
  const { args } = bench
  const duration = Math.min(args.duration, rehearsalMs)
  return load(context, { ...bench, args: { ...args, duration, warmup: { records: 0 } } })
}

/** The first that found a fault, or the one beside the connections. */
const worstOf = (all: readonly [Verified, ...Verified[]]): Verified =>
  all.find(({ isSound }) => !isSound) ?? all[0]

async function measure(context: CommandContext, bench: Bench): Promise<BenchReport> {
  const { args, frame, writers, described } = bench
  const { output } = context
  const plan = { count: args.count, perSecond: args['open-rate'] ?? null }
  output.say(`opening ${args.count} idle connections …`)
  const { beside, first, idle } = await withIdle(context, frame.brokerPid, plan, async idle => {
    output.say(`load of ${writers.length} active clients, thrown away …`)
    const first = await rehearse(context, bench)
    output.say(`load beside ${args.count} idle connections …`)
    return { beside: await load(context, bench), first, idle }
  })
  await settle(context)
  output.say('load alone …')
  const alone = await load(context, bench)
  return {
    bench: 'connections',
    topic: described.name,
    partitions: described.partitions,
    ...beside.figures,
    loop: 'open',
    latencyOf: 'intended send to delivery, beside the idle connections',
    acks: args.acks,
    flush: described.flush,
    rate: args.rate,
    unsent: beside.unsent + alone.unsent,
    sizeBytes: args.size.max,
    connections: connectionFigures(bench, idle, alone.figures),
    verified: worstOf([beside.verified, alone.verified, first.verified]),
    ...frame.conditions,
  }
}

const connectionFigures = ({ args, writers }: Bench, idle: Idle, alone: Figures) => ({
  count: args.count,
  active: writers.length,
  ...idle,
  aloneMs: alone.latencyMs,
})

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

/**
 * bench e2e: how long a record takes from the moment at which it is to be sent until `for await`
 * hands it out.
 *
 *   open loop    records at a fixed rate, one figure per rate       --rate 1k,10k,50k
 *   ping-pong    one record at a time: the next when it came back   --ping-pong
 *
 * Always true: writer and reader share one clock, because they share this process; every record is
 * checked as it comes; a record that does not come within the timeout counts as missing.
 */
import type { InferredOptionTypes } from 'yargs'
import type { TopicDescription } from '../../types/administering.ts'
import type { Client } from '../../types/client.ts'
import { type CommandContext, defineCommand, refuseDryRun } from '../command.ts'
import { usageError } from '../failure.ts'
import { parseSettings } from '../topic-write.ts'
import { parseCount, parseDuration, parseWhole } from '../units.ts'
import { withClients, withTopic } from './bench-topic.ts'
import { type Delivery, openLoop, pingPong } from './deliveries.ts'
import { Frame } from './frame.ts'
import type { Warmup } from './meter.ts'
import {
  checkRange,
  parseRates,
  resultOptions,
  runOptions,
  topicOptions,
  warmupOf,
} from './options.ts'
import type { BenchReport } from './report.ts'
import { publish } from './result-files.ts'
import { payloadPlan, producerOptions, sendOptions } from './send-options.ts'

const options = {
  ...runOptions,
  duration: {
    type: 'string',
    coerce: parseDuration,
    default: '10s',
    describe: 'How long to send, at each rate',
  },
  rate: {
    type: 'string',
    coerce: parseRates,
    describe: 'Records per second, several with commas [10k]',
  },
  'ping-pong': { type: 'boolean', describe: 'One record at a time instead of a rate' },
  count: {
    alias: 'n',
    type: 'string',
    coerce: parseCount,
    describe: 'Records to send at most, at each rate',
  },
  producers: { type: 'string', coerce: parseWhole, default: '1', describe: 'Senders' },
  ...sendOptions,
  ...topicOptions,
  ...resultOptions,
} as const
type Args = InferredOptionTypes<typeof options>

const defaultRate = 10_000
/** Records without an ack above which also an open loop waits. */
const mostInTheAir = 100_000

interface RunPlan {
  /** null = one at a time. */
  readonly rate: number | null
  /** null = until the duration is over. */
  readonly count: number | null
  readonly warmup: Warmup
}

/** @throws SluiceError INVALID_ARGUMENT */
function planOf(args: Args, rate: number | null): RunPlan {
  const { duration: ms, count = null } = args
  if (rate === null) return { rate, count, warmup: warmupOf(args.warmup, { records: count, ms }) }
  const records = Math.max(1, Math.min(count ?? Infinity, Math.round((rate * ms) / 1000)))
  return { rate, count: records, warmup: warmupOf(args.warmup, { records, ms, rate }) }
}

/** @throws SluiceError INVALID_ARGUMENT */
function ratesOf(args: Args): readonly (number | null)[] {
  const { rate, duration, count } = args
  if (duration === 0) throw usageError('--duration must be longer than 0')
  if (count === 0) throw usageError('-n must be at least 1')
  if (args.verify === false) throw usageError('bench e2e cannot do without its checks')
  checkRange('producers', args.producers, { min: 1, max: 64 })
  if (args['ping-pong'] !== true) return rate ?? [defaultRate]
  if (rate !== undefined) throw usageError('--ping-pong has no --rate')
  if (args.producers !== 1) throw usageError('--ping-pong has one sender')
  return [null]
}

async function measure(
  context: CommandContext,
  given: { args: Args; plan: RunPlan; frame: Frame },
  clients: readonly Client[],
  described: TopicDescription,
): Promise<BenchReport> {
  const { args, plan, frame } = given
  const { rate, count, warmup } = plan
  const { name: topic, partitions, flush } = described
  const [writer, reader] = clients as [Client, Client]
  const delivery: Delivery = {
    writers: [writer],
    reader,
    topic,
    partitions,
    payload: payloadPlan(args, true),
    producers: args.producers,
    count,
    rate,
    window: mostInTheAir,
    durationMs: args.duration,
    waitMs: context.timeoutMs,
  }
  const run = rate === null ? pingPong : openLoop
  const outcome = await run(context, delivery)
  const figures = await frame.measure({ warmup, doing: 'delivered' }, outcome.work)
  const generator = outcome.cost(figures.recordsPerSecond)
  return {
    bench: 'e2e',
    topic,
    partitions,
    ...figures,
    loop: rate === null ? 'closed' : 'open',
    latencyOf: rate === null ? 'send to delivery' : 'intended send to delivery',
    acks: args.acks,
    flush,
    rate,
    unsent: outcome.unsent(),
    sizeBytes: args.size.max,
    producers: args.producers,
    compression: args.compression,
    verified: outcome.verified(),
    generator,
    ...frame.conditions,
  }
}

export const benchE2eCommand = defineCommand({
  usage: 'e2e',
  about: 'Measure the time from sending to delivery',
  examples: [
    ['$0 bench e2e --rate 1k,10k,50k --duration 30s', 'open loop, one result per rate'],
    ['$0 bench e2e --ping-pong -n 5000', 'one record in flight'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'bench e2e')
    const plans = ratesOf(args).map(rate => planOf(args, rate))
    const payload = payloadPlan(args, true)
    const configs = parseSettings(args.config ?? [])
    const frame = await Frame.open(context, args)
    const producer = producerOptions(args, payload, mostInTheAir)
    const { topic: name, partitions = 1, keep = false } = args
    const reports: BenchReport[] = []
    await withClients(context, 2, { producer }, async clients => {
      const topic = { name, partitions, configs, keep }
      await withTopic(context, clients[0] as Client, topic, async described => {
        for (const plan of plans) {
          if (context.signal.aborted) break
          reports.push(await measure(context, { args, plan, frame }, clients, described))
        }
      })
    })
    await publish(context, frame.files, { reports })
    return undefined
  },
})

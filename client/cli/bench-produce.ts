/**
 * bench produce: how fast records are acked, and how long that takes.
 *
 * Always true: the topic is made if it is missing and deleted afterwards unless --keep; a failed
 * record ends the bench with its error; the report names everything that the figure depends on.
 */
import { compressionCodecs } from '../../protocol/world.ts'
import type { TopicDescription } from '../types/administering.ts'
import type { Client, ConnectOptions } from '../types/client.ts'
import type { OutgoingRecord } from '../types/producing.ts'
import { BenchLoad, type LoadOptions } from './bench-load.ts'
import { BenchMeter } from './bench-meter.ts'
import { machineOf, showReport } from './bench-report.ts'
import { type CommandContext, defineCommand, openClient, refuseDryRun } from './command.ts'
import { usageError } from './failure.ts'
import { parseAcks } from './produce.ts'
import { Progress } from './progress.ts'
import { parseSettings } from './topic-write.ts'
import { parseCount, parseDuration, parseSize, parseWhole, showNumber } from './units.ts'

const options = {
  count: { alias: 'n', type: 'string', coerce: parseCount, describe: 'Records [1M]' },
  size: { type: 'string', coerce: parseSize, default: '128B', describe: 'Bytes of a value' },
  clients: { type: 'string', coerce: parseWhole, default: '1', describe: 'Connections' },
  acks: { type: 'string', coerce: parseAcks, default: 'all', describe: 'all, leader, none' },
  rate: {
    type: 'string',
    coerce: parseCount,
    describe: 'Records per second of all clients (open loop) [as fast as acked: closed loop]',
  },
  duration: { type: 'string', coerce: parseDuration, describe: 'Stop after this time' },
  topic: { type: 'string', default: 'sluice-bench', describe: 'Made if missing' },
  partitions: { alias: 'p', type: 'string', coerce: parseWhole, describe: 'Of a topic made [1]' },
  config: {
    alias: 'c',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'Setting of a topic made, as flush=os',
  },
  keys: { type: 'string', coerce: parseCount, describe: 'Different keys [0: no keys]' },
  'batch-bytes': {
    type: 'string',
    coerce: parseSize,
    default: '1MiB',
    describe: 'Size at which a batch is sealed',
  },
  window: {
    type: 'string',
    coerce: parseCount,
    describe: 'Records of a client without an ack in a closed loop; 1 = one awaited send at a time',
  },
  compression: {
    alias: 'z',
    type: 'string',
    choices: compressionCodecs,
    default: 'none',
    describe: 'Codec of the batches',
  },
  warmup: {
    type: 'string',
    coerce: parseCount,
    describe: 'Records not measured [5 % of those expected]',
  },
  keep: { type: 'boolean', describe: 'Keep a topic that was made' },
} as const

interface Plan {
  readonly count: number
  readonly sizeBytes: number
  readonly clients: number
  readonly rate: number | null
  readonly durationMs: number | null
  readonly keys: number
  readonly batchBytes: number
  readonly window: number
  readonly warmup: number
}

const differentValues = 64

function recordsOf(context: CommandContext, plan: Plan): OutgoingRecord<Uint8Array, Uint8Array>[] {
  const { random } = context.world
  const values = [...Array(differentValues)].map(() => random.bytes(plan.sizeBytes))
  const count = Math.max(differentValues, Math.min(plan.keys, 100_000))
  return [...Array(count)].map((_, i) => ({
    key: plan.keys === 0 ? null : Buffer.from(`key-${i % plan.keys}`),
    value: values[i % differentValues] ?? new Uint8Array(0),
  }))
}

/** The topic as it is, or as it was just made. */
async function openTopic(
  client: Client,
  context: CommandContext,
  spec: { name: string; partitions: number; configs: Record<string, string> },
): Promise<{ described: TopicDescription; made: boolean }> {
  const { topics } = client.admin
  const call = { signal: context.signal }
  const all = await topics.list(call)
  const made = !all.some(topic => topic.name === spec.name)
  if (made) await topics.create(spec, call)
  return { described: await topics.describe(spec.name, call), made }
}

/**
 * One load per client, all on this event loop. Resolves when everything sent is acked, or throws.
 */
async function runLoads(
  context: CommandContext,
  plan: Plan,
  clients: readonly Client[],
  options: { topic: string; meter: BenchMeter },
): Promise<string> {
  const { world, signal } = context
  const startMs = world.clock.monotonicMs()
  const records = recordsOf(context, plan)
  const perBatch = Math.max(1, Math.floor(plan.batchBytes / (plan.sizeBytes + 16)))
  const loads = clients.map((client, i) => {
    const load: LoadOptions = {
      world,
      meter: options.meter,
      topic: client.topic(options.topic),
      records,
      recordBytes: plan.sizeBytes + (records[0]?.key?.byteLength ?? 0),
      count: Math.ceil((plan.count - i) / clients.length),
      endMs: plan.durationMs === null ? Number.POSITIVE_INFINITY : startMs + plan.durationMs,
      window: plan.window,
      burst: Math.min(perBatch, plan.window),
      sampleEvery: plan.rate === null && plan.window > 1000 ? 16 : 1,
      signal,
    }
    return new BenchLoad(load)
  })
  const { rate } = plan
  await Promise.all(
    loads.map((load, i) => {
      if (rate === null) return load.closedLoop()
      return load.openLoop(startMs + (i * 1000) / rate, (1000 * clients.length) / rate)
    }),
  )
  const failure = loads.find(load => load.failure !== null)?.failure
  if (failure !== undefined && failure !== null) throw failure
  return loads[0]?.reached ?? 'sent'
}

/** Opens `count` clients, gives them to `use`, closes them in every case. */
async function withClients(
  context: CommandContext,
  count: number,
  options: Partial<ConnectOptions>,
  use: (clients: Client[]) => Promise<void>,
): Promise<void> {
  const clients: Client[] = []
  try {
    for (let i = 0; i < count; i++) clients.push(await openClient(context, options))
    await use(clients)
  } finally {
    await Promise.all(clients.map(client => client.close()))
  }
}

/** Over a connection of its own: an interrupt has closed the others. */
async function deleteTopic(context: CommandContext, name: string): Promise<void> {
  const { servers, timeoutMs, connect } = context
  const client = await connect({ servers, clientId: 'sluice-cli', connectTimeoutMs: timeoutMs })
  try {
    await client.admin.topics.delete(name, { timeoutMs })
  } finally {
    await client.close()
  }
}

/** @throws SluiceError INVALID_ARGUMENT */
function checkPlan(plan: Plan): Plan {
  if (plan.count < 1) throw usageError('-n must be at least 1')
  if (plan.clients < 1 || plan.clients > 1000) throw usageError('--clients must be 1 to 1000')
  if (plan.window < 1) throw usageError('--window must be at least 1')
  if (plan.rate === 0) throw usageError('--rate must be at least 1')
  if (plan.warmup >= plan.count) throw usageError('--warmup must be below -n')
  return plan
}

export const benchProduceCommand = defineCommand({
  usage: 'produce',
  about: 'Measure how fast records are acked',
  examples: [
    ['$0 bench produce -n 1M --size 100B', 'as fast as possible (closed loop)'],
    ['$0 bench produce --rate 10k --duration 60s -j', 'latency at a fixed rate (open loop)'],
    ['$0 bench produce --window 1 -n 10k', 'one awaited send at a time'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'bench produce')
    const perBatch = Math.max(1, Math.floor(args['batch-bytes'] / (args.size + 16)))
    const count = args.count ?? (args.duration === undefined ? 1_000_000 : 2 ** 50)
    // Known where -n or both rate and duration are given; without either nothing is cut off.
    const expected = args.count ?? ((args.rate ?? 0) * (args.duration ?? 0)) / 1000
    const plan = checkPlan({
      count,
      sizeBytes: args.size,
      clients: args.clients,
      rate: args.rate ?? null,
      durationMs: args.duration ?? null,
      keys: args.keys ?? 0,
      batchBytes: args['batch-bytes'],
      window: args.window ?? Math.min(8 * perBatch, 1_000_000),
      warmup: args.warmup ?? Math.floor(expected / 20),
    })
    const producer = {
      batchBytes: plan.batchBytes,
      acks: args.acks,
      compression: args.compression,
    }
    const configs = parseSettings(args.config ?? [])
    const spec = { name: args.topic, partitions: args.partitions ?? 1, configs }
    await withClients(context, plan.clients, { producer }, async clients => {
      const [first] = clients
      if (first === undefined) return
      const { described, made } = await openTopic(first, context, spec)
      try {
        await measure(context, plan, { clients, described, acks: args.acks })
      } finally {
        if (made && args.keep !== true) await deleteTopic(context, spec.name)
      }
    })
    return undefined
  },
})

async function measure(
  context: CommandContext,
  plan: Plan,
  given: { clients: Client[]; described: TopicDescription; acks: string },
): Promise<void> {
  const { terminal, world, output } = context
  const { described } = given
  const meter = new BenchMeter(world.clock, plan.warmup)
  const progress = new Progress({
    terminal,
    world,
    quiet: output.quiet,
    line: ms => {
      const rate = showNumber((meter.records * 1000) / ms)
      return `${showNumber(meter.records)} records acked, ${rate} records/s`
    },
  })
  let reached: string
  try {
    reached = await runLoads(context, plan, given.clients, { topic: described.name, meter })
  } finally {
    meter.finish()
    progress.stop()
  }
  const loop = plan.rate === null ? 'closed' : 'open'
  const report = {
    bench: 'produce' as const,
    topic: described.name,
    partitions: described.partitions,
    ...meter.measured(),
    loop,
    latencyOf: loop === 'open' ? 'intended send to ack' : 'send to ack',
    acks: given.acks,
    flush: described.flush,
    reached,
    sizeBytes: plan.sizeBytes,
    clients: plan.clients,
    rate: plan.rate,
    window: plan.window,
    batchBytes: plan.batchBytes,
    warmupRecords: plan.warmup,
    flags: terminal.words,
    machine: machineOf(terminal),
  } as const
  showReport(output, report)
}

/**
 * bench consume: how fast records of a topic are read, batch by batch or record by record, and
 * whether all came.
 *
 * Always true: the ends are fixed before reading; a missing or repeated offset ends the bench with
 * exit 1, whatever the speed was.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Client } from '../types/client.ts'
import type { Consumer } from '../types/consuming.ts'
import { BenchMeter } from './bench-meter.ts'
import { machineOf, showReport } from './bench-report.ts'
import { BoundedRead } from './bounded-read.ts'
import { type CommandContext, defineCommand, withClient } from './command.ts'
import { type ConsumePlan, type PlannedPartition, planConsume } from './consume-plan.ts'
import { CommandFailure, exitCodes, usageError } from './failure.ts'
import { Progress } from './progress.ts'
import { parseCount, parseSize, showNumber } from './units.ts'

const options = {
  topic: { type: 'string', default: 'sluice-bench', describe: 'What to read' },
  count: { alias: 'n', type: 'string', coerce: parseCount, describe: 'Records to read [all]' },
  'per-record': { type: 'boolean', describe: 'Take records one by one instead of batches' },
  'fetch-bytes': {
    type: 'string',
    coerce: parseSize,
    default: '1MiB',
    describe: 'Credit of one fetch',
  },
  crc: { type: 'boolean', default: true, describe: 'Check checksums; --no-crc leaves it out' },
  warmup: { type: 'string', coerce: parseCount, default: '0', describe: 'Records not measured' },
} as const

type BytesConsumer = Consumer<Uint8Array, Uint8Array>

/** Compares what comes with the offsets that must come. */
class OffsetCheck {
  readonly #next = new Map<string, number>()
  missing = 0
  repeated = 0

  constructor(partitions: readonly PlannedPartition[]) {
    for (const { topic, partition, from } of partitions) {
      this.#next.set(`${topic}/${partition}`, from)
    }
  }

  /** Offsets [first, next) of a partition came, `count` records. */
  saw(topic: string, partition: number, range: { first: number; next: number }): void {
    const id = `${topic}/${partition}`
    const expected = this.#next.get(id) ?? 0
    if (range.first > expected) this.missing += range.first - expected
    if (range.first < expected) this.repeated += expected - range.first
    this.#next.set(id, Math.max(expected, range.next))
  }

  /** Offsets up to the fixed ends that never came. */
  end(partitions: readonly PlannedPartition[]): void {
    for (const { topic, partition, to } of partitions) {
      const next = this.#next.get(`${topic}/${partition}`) ?? 0
      if (to !== null && next < to) this.missing += to - next
    }
  }
}

interface ReadRun {
  readonly context: CommandContext
  readonly consumer: BytesConsumer
  readonly bounded: BoundedRead
  readonly check: OffsetCheck
  readonly meter: BenchMeter
  readonly limit: number
}

async function readBatches(run: ReadRun): Promise<void> {
  const { context, consumer, bounded, check, meter, limit } = run
  const { clock } = context.world
  let askedMs = clock.monotonicMs()
  for await (const batch of consumer.batches({ signal: context.signal })) {
    if (meter.isWarm) meter.latency(askedMs)
    const { topic, partition, nextOffset } = batch
    let first = -1
    let records = 0
    let bytes = 0
    for (const record of batch) {
      if (records === 0) first = record.offset
      records++
      bytes += (record.raw.key?.byteLength ?? 0) + (record.raw.value?.byteLength ?? 0)
    }
    if (records > 0) check.saw(topic, partition, { first, next: first + records })
    meter.count(records, bytes)
    bounded.reached(topic, partition, nextOffset)
    if (bounded.done || meter.records >= limit) break
    askedMs = clock.monotonicMs()
  }
}

async function readRecords(run: ReadRun): Promise<void> {
  const { context, consumer, bounded, check, meter, limit } = run
  const { clock } = context.world
  let askedMs = clock.monotonicMs()
  let sampled = 0
  for await (const record of consumer) {
    // One in 16: the clock would cost more than the record.
    if ((sampled++ & 15) === 0 && meter.isWarm) meter.latency(askedMs)
    const { topic, partition, offset, raw } = record
    check.saw(topic, partition, { first: offset, next: offset + 1 })
    meter.count(1, (raw.key?.byteLength ?? 0) + (raw.value?.byteLength ?? 0))
    bounded.reached(topic, partition, offset + 1)
    if (bounded.done || meter.records >= limit || context.signal.aborted) break
    if ((sampled & 15) === 0) askedMs = clock.monotonicMs()
  }
}

interface Given {
  readonly topic: string
  readonly perRecord: boolean
  readonly fetchBytes: number
  readonly checkCrc: boolean
  readonly warmup: number
  readonly limit: number
}

async function planAll(
  context: CommandContext,
  client: Client,
  topic: string,
): Promise<{ planned: readonly PlannedPartition[]; total: number; plan: ConsumePlan }> {
  const plan = await planConsume(client, {
    topics: [topic],
    partitions: null,
    range: { from: { at: 'start' }, to: { at: 'end' } },
    stopAtEnd: true,
    signal: context.signal,
  })
  const planned = plan.bounded ?? []
  const total = planned.reduce((sum, p) => sum + (p.to ?? 0) - p.from, 0)
  if (total === 0) {
    throw usageError(`topic "${topic}" is empty`, `sluice bench produce --topic ${topic} --keep`)
  }
  return { planned, total, plan }
}

async function measure(
  context: CommandContext,
  client: Client,
  given: Given,
): Promise<OffsetCheck> {
  const { terminal, world, output, signal } = context
  const { topic, perRecord, fetchBytes, checkCrc } = given
  const described = await client.admin.topics.describe(topic, { signal })
  const { planned, total, plan } = await planAll(context, client, topic)
  const consumer = client.consumer({ ...plan.source, fetchBytes, checkCrc, signal })
  const meter = new BenchMeter(world.clock, given.warmup)
  const check = new OffsetCheck(planned)
  const bounded = new BoundedRead(planned)
  const run: ReadRun = { context, consumer, bounded, check, meter, limit: given.limit }
  const progress = new Progress({
    terminal,
    world,
    quiet: output.quiet,
    line: () => `${showNumber(meter.records)} of ${showNumber(total)} records`,
  })
  try {
    await (perRecord ? readRecords(run) : readBatches(run))
  } finally {
    meter.finish()
    progress.stop()
    await consumer.close()
  }
  if (given.limit === Number.POSITIVE_INFINITY && !signal.aborted) check.end(planned)
  const { partitions, flush } = described
  report(context, { given, partitions, flush, meter, check, total })
  return check
}

interface Result {
  readonly given: Given
  readonly partitions: number
  readonly flush: string
  readonly meter: BenchMeter
  readonly check: OffsetCheck
  readonly total: number
}

function report(context: CommandContext, result: Result): void {
  const { given, check, meter, total, partitions, flush } = result
  const { topic, perRecord, fetchBytes, checkCrc, warmup } = given
  const shown = {
    bench: 'consume' as const,
    topic,
    partitions,
    ...meter.measured(),
    loop: 'closed' as const,
    latencyOf: perRecord ? 'waiting for 16 records' : 'waiting for the next batch',
    flush,
    by: perRecord ? 'record' : 'batch',
    fetchBytes,
    checkCrc,
    expected: total,
    missing: check.missing,
    repeated: check.repeated,
    warmupRecords: warmup,
    flags: context.terminal.words,
    machine: machineOf(context.terminal),
  }
  showReport(context.output, shown)
}

export const benchConsumeCommand = defineCommand({
  usage: 'consume',
  about: 'Measure how fast records are read, and check that all came',
  examples: [
    ['$0 bench produce --topic t --keep && $0 bench consume --topic t', 'what was written'],
    ['$0 bench consume --topic t --per-record -j', 'with for await, record by record'],
  ],
  positionals: {},
  options,
  run: async (context, args) => {
    const check = await withClient(context, client =>
      measure(context, client, {
        topic: args.topic,
        perRecord: args['per-record'] === true,
        fetchBytes: args['fetch-bytes'],
        checkCrc: args.crc,
        warmup: args.warmup,
        limit: args.count ?? Number.POSITIVE_INFINITY,
      }),
    )
    const { missing, repeated } = check
    if (missing === 0 && repeated === 0) return undefined
    const message = `${missing} records are missing, ${repeated} came twice`
    throw new CommandFailure(
      new SluiceError('UNKNOWN_SERVER_ERROR', message, { hint: 'sluice segment verify' }),
      exitCodes.unexpected,
    )
  },
})

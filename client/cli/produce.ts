/**
 * produce: records from stdin or files into a topic.
 *
 * Always true: every record read is acked, or the command says which were and ends with an error;
 * never more than a fixed number of records is in the air.
 */
import { asSluiceError, SluiceError } from '../../protocol/errors.ts'
import { type Acks, acksLevels } from '../../protocol/messages/produce.ts'
import { compressionCodecs } from '../../protocol/world.ts'
import type { Client } from '../types/client.ts'
import { type CommandContext, defineCommand, refuseDryRun, withClient } from './command.ts'
import { CommandFailure, exitCodes, usageError } from './failure.ts'
import { ProduceRun, type SendOptions } from './produce-run.ts'
import { Progress } from './progress.ts'
import { parseHeader, readRecords, requireFiles, type SourceOptions } from './record-source.ts'
import { parseCount, parseDuration, parseWhole, showNumber } from './units.ts'

const acksNames: Readonly<Record<string, Acks>> = { '-1': 'all', '1': 'leader', '0': 'none' }

/** all, leader, none, or Kafka's -1, 1, 0. @throws SluiceError INVALID_ARGUMENT */
export function parseAcks(text: string): Acks {
  const level = acksNames[text] ?? acksLevels.find(name => name === text)
  if (level === undefined) throw usageError(`"${text}" is no acks level`, 'all, leader or none')
  return level
}

const options = {
  format: { alias: 'f', type: 'string', describe: "How the input is cut, as '%k %v\\n'" },
  'key-separator': { alias: 'K', type: 'string', describe: 'Lines are key, this, value' },
  jsonl: { type: 'boolean', describe: 'Lines are JSON as consume prints it' },
  'file-per-record': { alias: 'F', type: 'boolean', describe: 'Each file is one record' },
  key: { alias: 'k', type: 'string', describe: 'Key of records that have none' },
  'key-json': {
    type: 'boolean',
    describe: 'Keys are JSON; equal objects become equal keys whatever their order',
  },
  header: {
    alias: 'H',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'name=value, repeatable; duplicates are kept',
  },
  partition: { alias: 'p', type: 'string', coerce: parseWhole, describe: 'Always this partition' },
  compression: {
    alias: 'z',
    type: 'string',
    choices: compressionCodecs,
    default: 'none',
    describe: 'Codec of the batches',
  },
  acks: {
    type: 'string',
    coerce: parseAcks,
    default: 'all',
    describe: 'Who must have it: all, leader, none (or -1, 1, 0)',
  },
  tombstone: { alias: 'Z', type: 'boolean', describe: 'An empty value is a tombstone (null)' },
  'delivery-timeout': {
    type: 'string',
    coerce: parseDuration,
    default: '2m',
    describe: 'How long a record may wait for its ack, restarts of the broker included',
  },
  rate: { type: 'string', coerce: parseCount, describe: 'At most so many records per second' },
} as const

interface Input {
  readonly topic: string | undefined
  readonly files: readonly string[]
}

interface FormatArgs {
  readonly format: string | undefined
  readonly keySeparator: string | undefined
  readonly jsonl: boolean | undefined
  readonly filePerRecord: boolean | undefined
}

function formatOf(args: FormatArgs): string {
  const given = [
    args.format !== undefined && '-f',
    args.keySeparator !== undefined && '-K',
    args.jsonl === true && '--jsonl',
    args.filePerRecord === true && '--file-per-record',
  ].filter(name => name !== false)
  if (given.length > 1) throw usageError(`${given.join(' and ')} contradict each other`)
  if (args.keySeparator === undefined) return args.format ?? '%v\\n'
  if (args.keySeparator === '') throw usageError('the key separator is empty')
  return `%k${args.keySeparator.replaceAll('%', '%%')}%v\\n`
}

/** A wrong name or partition is an error before the first byte is read. */
async function requireTopic(
  client: Client,
  { topic, partition = 0 }: SendOptions,
  signal: AbortSignal,
): Promise<void> {
  if (topic === undefined) return
  const listings = await client.admin.topics.list({ signal })
  const found = listings.find(listing => listing.name === topic)
  if (found !== undefined && partition < found.partitions) return
  throw new SluiceError(
    'UNKNOWN_TOPIC_OR_PARTITION',
    found === undefined
      ? `topic "${topic}" not found`
      : `"${topic}" has no partition ${partition}, only 0 to ${found.partitions - 1}`,
    found === undefined ? { hint: `make it first: sluice topic create ${topic}` } : {},
  )
}

/** Connects, sends everything, shows what was acked where. */
async function produceAll(
  context: CommandContext,
  client: Client,
  plan: {
    source: SourceOptions
    input: Input
    sending: SendOptions
  },
): Promise<undefined> {
  const { terminal, world, output, signal } = context
  await requireTopic(client, plan.sending, signal)
  const run = new ProduceRun(client, world, plan.sending)
  const progress = new Progress({
    terminal,
    world,
    quiet: output.quiet || terminal.inputIsTty,
    line: ms =>
      `${showNumber(run.acked)} records acked, ${showNumber((run.acked * 1000) / ms)} records/s`,
  })
  let refused: unknown = null
  try {
    const stop = AbortSignal.any([signal, run.broken])
    for await (const records of readRecords(terminal, plan.source, stop)) {
      await run.send(records, signal)
      if (stop.aborted) break
    }
  } catch (thrown) {
    refused = thrown
    run.stop(asSluiceError(thrown instanceof CommandFailure ? thrown.error : thrown))
  }
  try {
    await run.finish()
  } finally {
    progress.stop()
  }
  if (refused !== null && run.acked === 0) throw refused
  if (!output.quiet || output.isJson) run.show(output)
  const { failure } = run
  if (failure === null) return undefined
  throw run.acked > 0 ? new CommandFailure(failure, exitCodes.partlyDone) : failure
}

export const produceCommand = defineCommand({
  usage: 'produce [topic] [file..]',
  about: 'Write records from stdin or files, a line each unless told otherwise',
  examples: [
    ['echo hello | $0 produce greetings', 'one record'],
    ["$0 produce orders orders.txt -f '%k %v\\n'", 'key up to the first space, then the value'],
    ["printf 'a:1\\na:\\n' | $0 produce t -K: -Z", 'a record and a tombstone'],
    ['$0 consume a -o :end | $0 produce b --jsonl', 'copy a topic'],
  ],
  positionals: {
    topic: { type: 'string', describe: 'Topic; may be left out where the format has %t' },
    file: { type: 'string', array: true, describe: 'Files, - for stdin [stdin]' },
  },
  options,
  run: async (context, args) => {
    refuseDryRun(context, 'produce')
    const formatArgs = {
      format: args.format,
      keySeparator: args['key-separator'],
      jsonl: args.jsonl,
      filePerRecord: args['file-per-record'],
    }
    const format = formatOf(formatArgs)
    const input = { topic: args.topic, files: args.file ?? [] }
    if (input.topic === undefined && !/%t/.test(format)) throw usageError('which topic?')
    if (args['file-per-record'] === true && input.files.length === 0) {
      throw usageError('--file-per-record needs files')
    }
    await requireFiles(context.terminal, input.files)
    const source: SourceOptions = {
      files: input.files,
      filePerRecord: args['file-per-record'] === true,
      jsonl: args.jsonl === true,
      format,
      keyMayBeMissing: args['key-separator'] !== undefined,
      key: args.key === undefined ? null : Buffer.from(args.key),
      headers: (args.header ?? []).map(parseHeader),
      emptyIsNull: args.tombstone === true,
    }
    const sending = {
      topic: input.topic,
      keyJson: args['key-json'] === true,
      partition: args.partition,
      compression: args.compression,
      acks: args.acks,
      rate: args.rate ?? null,
    }
    const producer = { deliveryTimeoutMs: args['delivery-timeout'], acks: args.acks }
    return withClient(context, client => produceAll(context, client, { source, input, sending }), {
      producer,
    })
  },
})

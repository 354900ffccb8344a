/**
 * consume: records of topics to stdout, one JSON line each unless a format says otherwise.
 *
 * Always true: the form does not depend on whether stdout is a terminal; the broker is read only as
 * fast as stdout takes the output; a closed pipe ends it quietly.
 */
import type { Consumer, RecordBatchView } from '../types/consuming.ts'
import { BoundedRead } from './bounded-read.ts'
import { type CommandContext, defineCommand, withClient } from './command.ts'
import { planConsume } from './consume-plan.ts'
import { usageError } from './failure.ts'
import { parseOffsetRanges } from './offset-range.ts'
import { compilePrintFormat, type RawRecord } from './print-format.ts'
import { Progress } from './progress.ts'
import { recordToJson } from './record-json.ts'
import type { Terminal } from './terminal.ts'
import { parseCount, parsePartitions, showNumber, showSize } from './units.ts'

type RecordPrinter = (record: RawRecord) => string | Uint8Array[]

interface ConsumeRun {
  readonly consumer: Consumer<Uint8Array, Uint8Array>
  readonly bounded: BoundedRead | null
  readonly print: RecordPrinter
  /** Records to print, all together. */
  readonly limit: number
}

const flushBytes = 64 * 1024

/** Collects small pieces, so that stdout sees few large writes. */
class Collector {
  readonly #terminal: Terminal
  #parts: Uint8Array[] = []
  #sizeBytes = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  add(printed: string | Uint8Array[]): void {
    const parts = typeof printed === 'string' ? [Buffer.from(printed)] : printed
    for (const part of parts) {
      this.#parts.push(part)
      this.#sizeBytes += part.byteLength
    }
  }

  get isFull(): boolean {
    return this.#sizeBytes >= flushBytes
  }

  async flush(): Promise<void> {
    if (this.#sizeBytes === 0) return
    this.#terminal.write(Buffer.concat(this.#parts))
    this.#parts = []
    this.#sizeBytes = 0
    await this.#terminal.drained()
  }
}

class ConsumeLoop {
  readonly #run: ConsumeRun
  readonly #collector: Collector
  records = 0
  sizeBytes = 0

  constructor(run: ConsumeRun, terminal: Terminal) {
    this.#run = run
    this.#collector = new Collector(terminal)
  }

  get #finished(): boolean {
    return this.records >= this.#run.limit || this.#run.bounded?.done === true
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#finished) return
    for await (const batch of this.#run.consumer.batches({ signal })) {
      this.sizeBytes += batch.sizeBytes
      await this.#batch(batch)
      await this.#collector.flush()
      if (this.#finished || signal.aborted) break
    }
  }

  async #batch(batch: RecordBatchView<Uint8Array, Uint8Array>): Promise<void> {
    const { bounded, print, limit, consumer } = this.#run
    const { topic, partition } = batch
    const stop = bounded?.stopOf(topic, partition) ?? Number.POSITIVE_INFINITY
    for (const record of batch) {
      if (record.offset >= stop) break
      if (this.records >= limit) return
      this.#collector.add(print(record))
      this.records++
      if (this.#collector.isFull) await this.#collector.flush()
    }
    bounded?.reached(topic, partition, batch.nextOffset)
    for (const at of consumer.positions()) bounded?.reached(at.topic, at.partition, at.offset)
  }
}

interface PrintArgs {
  readonly format: string | undefined
  readonly headers: boolean | undefined
  readonly metaOnly: boolean | undefined
}

/** @throws SluiceError INVALID_ARGUMENT */
function printerOf(context: CommandContext, args: PrintArgs): RecordPrinter {
  const { form } = context.output
  if (args.format !== undefined) {
    if (context.output.isJson) throw usageError('-f and JSON output contradict each other')
    return compilePrintFormat(args.format)
  }
  if (form === 'name') throw usageError('records have no names', "try -f '%k\\n'")
  const options = { headers: args.headers === true, metaOnly: args.metaOnly === true }
  return record => `${JSON.stringify(recordToJson(record, options))}\n`
}

const options = {
  offset: {
    alias: 'o',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'Where to begin and end: start, end, :end, 500:700, -10, @-1h:end … [start]',
  },
  count: { alias: 'n', type: 'string', coerce: parseCount, describe: 'Stop after n records' },
  exit: { alias: 'e', type: 'boolean', describe: 'Stop at what is the end now' },
  format: { alias: 'f', type: 'string', describe: "Print records as '%p:%o %T %k=%v\\n'" },
  partition: {
    alias: 'p',
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'Only these: 0 or 0,2 or 0-3',
  },
  headers: { type: 'boolean', describe: 'Show headers even where there are none' },
  'meta-only': { type: 'boolean', describe: 'Sizes instead of keys and values' },
  committed: {
    type: 'boolean',
    default: true,
    describe: 'Hide records of aborted and open transactions; --no-committed shows them',
  },
} as const

export const consumeCommand = defineCommand({
  usage: 'consume <topic..>',
  about: 'Print records, one JSON line each unless told otherwise',
  examples: [
    ['$0 consume orders', 'everything, then wait for more'],
    ['$0 consume orders -o end', 'only what comes from now on'],
    ["$0 consume orders -o @-1h:end -f '%p:%o %T %k=%v\\n'", 'the last hour, as text'],
    ['$0 consume orders -o -10 -e | jq .value', 'the last ten of each partition'],
  ],
  positionals: {
    topic: { type: 'string', array: true, demandOption: true, describe: 'Names' },
  },
  options,
  run: async (context, args) => {
    const { terminal, world, output, signal } = context
    const range = parseOffsetRanges(args.offset ?? [], world.clock.wallMs())
    const partitions = args.partition === undefined ? null : parsePartitions(args.partition)
    const metaOnly = args['meta-only']
    const print = printerOf(context, { format: args.format, headers: args.headers, metaOnly })
    await withClient(context, async client => {
      const stopAtEnd = args.exit === true
      const topics = [...new Set(args.topic)]
      const plan = await planConsume(client, { topics, partitions, range, stopAtEnd, signal })
      const consumer = client.consumer({
        ...plan.source,
        isolation: args.committed ? 'committed' : 'uncommitted',
        signal,
      })
      const bounded = plan.bounded === null ? null : new BoundedRead(plan.bounded)
      const limit = args.count ?? Number.POSITIVE_INFINITY
      const loop = new ConsumeLoop({ consumer, bounded, print, limit }, terminal)
      const progress = new Progress({
        terminal,
        world,
        quiet: output.quiet || terminal.outputIsTty,
        line: () => `${showNumber(loop.records)} records, ${showSize(loop.sizeBytes)}`,
      })
      try {
        await loop.run(signal)
      } finally {
        progress.stop()
        await consumer.close()
      }
    })
    return undefined
  },
})

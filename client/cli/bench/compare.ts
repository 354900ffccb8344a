/**
 * bench compare: two result files side by side, and whether the second is worse.
 *
 * Always true: a bench is compared with the one of the same name, or of the same kind and rate;
 * rates are worse when they fall, latencies when they rise; a bench that is gone is worse; figures
 * of unlike conditions are compared with a remark that says what differs.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import { defineLocalCommand, type LocalContext } from '../command.ts'
import { CommandFailure, exitCodes, usageError } from '../failure.ts'
import type { Column } from '../table.ts'
import { showNumber } from '../units.ts'
import type { BenchReport } from './report.ts'
import { resultsIn } from './results-in.ts'

interface Metric {
  readonly name: string
  readonly of: (report: BenchReport) => number
  readonly isBetter: 'higher' | 'lower'
}

const metrics: readonly Metric[] = [
  { name: 'records/s', of: report => report.recordsPerSecond, isBetter: 'higher' },
  { name: 'MB/s', of: report => report.megabytesPerSecond, isBetter: 'higher' },
  { name: 'p50 ms', of: report => report.latencyMs.p50, isBetter: 'lower' },
  { name: 'p99 ms', of: report => report.latencyMs.p99, isBetter: 'lower' },
]

export interface Comparison {
  readonly bench: string
  readonly metric: string
  readonly before: number
  /** null where the bench is gone. */
  readonly after: number | null
  /** In percent, above 0 = better. */
  readonly gain: number | null
  readonly isWorse: boolean
}

const keyOf = ({ name, bench, rate, topic }: BenchReport): string =>
  name ?? `${bench} ${topic}${rate === null ? '' : ` ${rate}/s`}`

/** An open loop is asked for its rate; only its latencies say anything. */
const metricsOf = ({ loop }: BenchReport): readonly Metric[] =>
  loop === 'open' ? metrics.filter(metric => metric.isBetter === 'lower') : metrics

function compareMetric(metric: Metric, before: number, after: number, failOver: number) {
  const change = before === 0 ? 0 : ((after - before) / before) * 100
  const gain = metric.isBetter === 'higher' ? change : -change
  return { before, after, gain: Math.round(gain * 10) / 10, isWorse: gain < -failOver }
}

/** `failOver`: percent that a figure may be worse. */
export function compareResults(
  before: readonly BenchReport[],
  after: readonly BenchReport[],
  failOver: number,
): Comparison[] {
  const found = new Map(after.map(report => [keyOf(report), report]))
  return before.flatMap((old): Comparison[] => {
    const bench = keyOf(old)
    const now = found.get(bench)
    return metricsOf(old).map(metric => {
      const was = metric.of(old)
      const base = { bench, metric: metric.name }
      if (now === undefined) return { ...base, before: was, after: null, gain: null, isWorse: true }
      return { ...base, ...compareMetric(metric, was, metric.of(now), failOver) }
    })
  })
}

/** What differs between the conditions of two results of one bench. */
export function differences(before: BenchReport, after: BenchReport): string[] {
  const facts: readonly (readonly [string, (report: BenchReport) => unknown])[] = [
    ['CPU', report => report.machine.cpu],
    ['cores', report => report.machine.cpus],
    ['kernel', report => report.machine.kernel],
    ['Node', report => report.machine.node],
    ['flush', report => report.flush],
    ['acks', report => report.acks],
    ['partitions', report => report.partitions],
    ['size', report => report.sizeBytes],
  ]
  return facts.flatMap(([name, of]) => {
    const [was, now] = [of(before), of(after)]
    return was === now ? [] : [`${name} ${was} → ${now}`]
  })
}

/** @throws SluiceError INVALID_ARGUMENT */
export function parseFailOver(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?)%?$/.exec(text)?.[1] ?? Number.NaN)
  if (!Number.isFinite(percent)) throw usageError(`"${text}" is not a share`, 'write it as 5%')
  return percent
}

const columns: Column<Comparison>[] = [
  { title: 'BENCH', cell: row => row.bench },
  { title: 'FIGURE', cell: row => row.metric },
  { title: 'BEFORE', cell: row => showNumber(row.before, row.before < 1000 ? 2 : 0) },
  {
    title: 'AFTER',
    cell: row => (row.after === null ? 'gone' : showNumber(row.after, row.after < 1000 ? 2 : 0)),
  },
  { title: 'GAIN', cell: row => (row.gain === null ? '-' : `${row.gain}%`) },
  { title: '', cell: row => (row.isWorse ? 'WORSE' : '') },
]

async function readResults(context: LocalContext, path: string): Promise<BenchReport[]> {
  const parts: Uint8Array[] = []
  for await (const chunk of context.terminal.readFile(path)) parts.push(chunk)
  return resultsIn(Buffer.concat(parts).toString(), path)
}

export const benchCompareCommand = defineLocalCommand({
  usage: 'compare <before> <after>',
  about: 'Compare two result files; exit code 1 where the second is worse',
  examples: [['$0 bench compare old.json new.json --fail-over 10%', 'small differences are noise']],
  positionals: {
    before: { type: 'string', demandOption: true, describe: 'Result file (JSON)' },
    after: { type: 'string', demandOption: true, describe: 'Result file (JSON)' },
  },
  options: {
    'fail-over': {
      type: 'string',
      coerce: parseFailOver,
      default: '5%',
      describe: 'How much worse a figure may be',
    },
  },
  run: async (context, args) => {
    const before = await readResults(context, args.before)
    const after = await readResults(context, args.after)
    const rows = compareResults(before, after, args['fail-over'])
    for (const old of before) {
      const now = after.find(report => keyOf(report) === keyOf(old))
      const unlike = now === undefined ? [] : differences(old, now)
      if (unlike.length > 0) context.output.say(`${keyOf(old)}: not alike: ${unlike.join(', ')}`)
    }
    context.output.list(rows, { columns, name: row => row.bench })
    const worse = rows.filter(row => row.isWorse)
    if (worse.length === 0) return undefined
    const names = [...new Set(worse.map(row => `${row.bench} (${row.metric})`))].join(', ')
    throw new CommandFailure(
      new SluiceError('UNKNOWN_SERVER_ERROR', `worse than before: ${names}`, {
        hint: 'run both again on a quiet machine before believing it',
      }),
      exitCodes.unexpected,
    )
  },
})

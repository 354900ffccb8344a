/**
 * Results: what a run of the suite leaves behind in bench/results/: a file per row, one summary,
 * one table, one page with plots.
 *
 *   <row>.json  <row>.html     summary.json     RESULTS.md
 *
 * Always true: the table is made of the summary, so it can be made again; rows that were not run
 * this time keep what they had, with their own date and commit.
 * Used by bench/run.ts.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pageOf } from '../../client/cli/bench/page.ts'
import type { Outcome, Row } from './row.ts'

export interface Facts {
  readonly date: string
  readonly commit: string
  /** Whether sources differed from the commit. */
  readonly treeChanged: boolean
  readonly node: string
  readonly cpu: string
  readonly cpus: number
  readonly kernel: string
  readonly quick: boolean
}

export interface SummaryRow extends Facts {
  readonly name: string
  readonly about: string
  readonly target: string
  readonly value: number
  readonly unit: string
  readonly measured: string
  /** null where it was measured quickly. */
  readonly isMet: boolean | null
  /** Of further runs, where there were several: smallest and largest. */
  readonly spread: readonly [number, number] | null
  readonly diskMegabytesPerSecond: number | null
  readonly diskSyncMs: number | null
}

export function summaryRow(row: Row, outcomes: readonly Outcome[], facts: Facts): SummaryRow {
  const sorted = outcomes.toSorted((a, b) => a.value - b.value)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error(`${row.name} has no outcome`)
  const { value, unit, measured, isMet, reports } = middle
  const disk = reports.find(report => report.disk !== null)?.disk
  const [least, most] = [sorted[0]?.value ?? value, sorted.at(-1)?.value ?? value]
  return {
    name: row.name,
    about: row.about,
    target: row.target,
    value,
    unit,
    measured,
    isMet: facts.quick ? null : isMet,
    spread: sorted.length > 1 ? [least, most] : null,
    diskMegabytesPerSecond: disk?.megabytesPerSecond ?? null,
    diskSyncMs: disk?.syncP50Ms ?? null,
    ...facts,
  }
}

const number = (value: number): string => value.toLocaleString('en-US')

function verdict({ isMet }: SummaryRow): string {
  if (isMet === null) return 'quick'
  return isMet ? 'met' : '**missed**'
}

function tableRow(row: SummaryRow): string {
  const { about, target, measured, spread, unit, diskMegabytesPerSecond, diskSyncMs } = row
  const range = spread === null ? '' : ` [${number(spread[0])}–${number(spread[1])} ${unit}]`
  const disk =
    diskMegabytesPerSecond === null ? '–' : `${diskMegabytesPerSecond} MB/s, ${diskSyncMs} ms`
  const cells = [about, target, `${measured}${range}`, verdict(row), disk, row.commit.slice(0, 10)]
  return `| ${cells.join(' | ')} |`
}

/** The Markdown page. */
export function resultsPage(rows: readonly SummaryRow[]): string {
  const machines = [
    ...new Set(rows.map(row => `${row.cpu}, ${row.cpus} cores, ${row.kernel}, Node ${row.node}`)),
  ]
  const dates = rows.map(row => row.date.slice(0, 10)).toSorted()
  return `# Measured against the targets

Made by \`npm run bench\`; do not edit. One broker with \`flush=commit\`, client and broker on the
same machine, every record verified. "disk" is what the same directory's disk did in the same run
without a broker: 1 MiB writes, each durable before the next, and the median of a 4 KiB write +
fdatasync. The figures behind a row are in \`<row>.json\`, its plots in \`<row>.html\`.

${machines.map(machine => `- ${machine}`).join('\n')}
- measured ${[...new Set([dates[0], dates.at(-1)])].join(' to ')}

| what | target | measured | | disk | commit |
|---|---|---|---|---|---|
${rows.map(tableRow).join('\n')}
`
}

/** JSON whose innermost objects and lists take one line each. */
export function compactJson(value: object): string {
  const text = JSON.stringify(value, null, 1)
  // a list or object that holds no other; brackets inside texts do not count
  const innermost = /[[{](?:[^[\]{}"]|"(?:[^"\\]|\\.)*")*[\]}]/g
  return `${text.replace(innermost, part => part.replace(/\n */g, ' '))}\n`
}

async function earlierRows(file: string): Promise<SummaryRow[]> {
  const text = await readFile(file, 'utf8').catch(() => '{"rows":[]}')
  return (JSON.parse(text) as { rows: SummaryRow[] }).rows
}

/** Writes what one row found, and the summary with it. `order` is that of all rows. */
export async function writeRow(
  directory: string,
  order: readonly string[],
  row: SummaryRow,
  outcomes: readonly Outcome[],
): Promise<SummaryRow[]> {
  await mkdir(directory, { recursive: true })
  const reports = outcomes.flatMap(outcome => outcome.reports)
  const body = { ...row, outcomes: outcomes.map(({ reports, ...rest }) => ({ ...rest, reports })) }
  await writeFile(join(directory, `${row.name}.json`), compactJson(body))
  if (reports.length > 0) {
    await writeFile(join(directory, `${row.name}.html`), pageOf(row.about, reports))
  }
  const file = join(directory, 'summary.json')
  const others = (await earlierRows(file)).filter(other => other.name !== row.name)
  const place = ({ name }: SummaryRow): number => order.indexOf(name)
  const rows = [...others, row].filter(one => place(one) >= 0)
  rows.sort((a, b) => place(a) - place(b))
  await writeFile(file, compactJson({ rows }))
  await writeFile(join(directory, 'RESULTS.md'), resultsPage(rows))
  return rows
}

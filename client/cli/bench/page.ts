/**
 * Page: the results of benches as one HTML page with plots: rate over time, latency over time, and
 * the percentile curve.
 *
 * Always true: one file, no script, nothing loaded from elsewhere; well-formed; light and dark as
 * the reader's system says; what was asked for and measured on what machine stands beside the
 * plots.
 * Used by result-files.ts and by bench/.
 */
import { showNumber } from '../units.ts'
import { escaped, type Plot, plotSvg } from './plot.ts'
import { type BenchReport, reportText } from './report.ts'

const style = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --grid: #ddd;
  --c0: #1f6feb; --c1: #d1570f; --c2: #2b8a3e; --c3: #9c36b5; --c4: #b08900; --c5: #0b7285 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16181c; --grid: #333;
  --c0: #6cb0ff; --c1: #ff9a57; --c2: #69db7c; --c3: #da77f2; --c4: #ffd43b; --c5: #3bc9db } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0; text-align: left }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
pre { overflow-x: auto; font-size: 13px } .plots { display: flex; flex-wrap: wrap; gap: 1rem }
svg { width: 34rem; max-width: 100%; height: auto } svg text { font-size: 11px; fill: var(--ink) }
svg text.title { font-weight: 600; font-size: 13px } .grid { stroke: var(--grid); stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
${[0, 1, 2, 3, 4, 5].map(i => `.c${i} { stroke: var(--c${i}) }`).join(' ')}
`

/** Percentiles stand apart by how rare they are: 99 is at 2 tenfolds, 99.9 at 3. */
const rarity = (percentile: number): number => 100 / Math.max(0.0005, 100 - percentile)

const percentileTicks = [0, 50, 90, 99, 99.9, 99.99, 99.999].map(
  percentile => [rarity(percentile), `${percentile}%`] as const,
)

const finest = (curve: BenchReport['latencyCurve']): number => curve.at(-2)?.[0] ?? 0

function plotsOf({ series, latencyCurve, latencyOf }: BenchReport): Plot[] {
  const time = { title: 'seconds' }
  const timed = series.filter(sample => sample.max > 0)
  // the largest value has no percentile of its own, so it is drawn a tenfold beyond the last
  const curve = latencyCurve.map(
    ([percentile, ms]) =>
      [percentile === 100 ? rarity(finest(latencyCurve)) * 2 : rarity(percentile), ms] as const,
  )
  return [
    {
      title: 'Rate over time',
      x: time,
      y: { title: 'records/s' },
      lines: [
        {
          name: 'rate',
          points: series.map(({ atSeconds, recordsPerSecond }) => [atSeconds, recordsPerSecond]),
        },
      ],
    },
    {
      title: 'Latency over time',
      x: time,
      y: { title: 'ms', scale: 'log' },
      lines: (['p50', 'p99', 'max'] as const).map(name => ({
        name,
        points: timed.map(sample => [sample.atSeconds, sample[name]]),
      })),
    },
    {
      title: `Latency by percentile (${latencyOf})`,
      x: { title: 'percentile', scale: 'log', ticks: percentileTicks },
      y: { title: 'ms', scale: 'log' },
      lines: [{ name: 'latency', points: curve }],
    },
  ]
}

const cell = (value: string | number, isNumber = true): string =>
  `<td${isNumber ? ' class="n"' : ''}>${escaped(String(value))}</td>`

const titleOf = ({ name, bench, rate }: BenchReport): string =>
  name ?? (rate === null ? bench : `${bench} ${showNumber(rate)}/s`)

function row(report: BenchReport): string {
  const { recordsPerSecond, megabytesPerSecond, latencyMs, verified } = report
  const sound = verified === null ? 'nothing' : verified.isSound ? 'yes' : 'FAILED'
  const cells = [
    cell(titleOf(report), false),
    cell(showNumber(recordsPerSecond)),
    cell(showNumber(megabytesPerSecond, 1)),
    ...(['p50', 'p99', 'p999', 'max'] as const).map(name => cell(latencyMs[name])),
    cell(sound, false),
  ]
  return `<tr>${cells.join('')}</tr>`
}

function section(report: BenchReport): string {
  const plots = plotsOf(report).filter(plot => plot.lines.some(line => line.points.length > 0))
  const drawn = plots.map(plotSvg).join('\n')
  const flags = report.flags.join(' ')
  return `<section><h2>${escaped(titleOf(report))}</h2>
<pre>sluice ${escaped(flags)}

${escaped(reportText(report))}</pre>
<div class="plots">${drawn}</div></section>`
}

export function pageOf(title: string, reports: readonly BenchReport[]): string {
  const heads = ['records/s', 'MB/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms']
  const head = heads.map(name => `<th class="n">${name}</th>`).join('')
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>
<title>${escaped(title)}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1>
<table><thead><tr><th>bench</th>${head}<th>verified</th></tr></thead>
<tbody>${reports.map(row).join('\n')}</tbody></table>
${reports.map(section).join('\n')}
</body></html>
`
}

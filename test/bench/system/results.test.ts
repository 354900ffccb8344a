/** Tests of bench/system: when a row is met, and what a run of the suite leaves behind. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { awaitedSend, endToEnd, perConnection } from '../../../bench/system/latency-rows.ts'
import {
  compactJson,
  type Facts,
  resultsPage,
  summaryRow,
  writeRow,
} from '../../../bench/system/results.ts'
import { atLeast, type Outcome, type Row } from '../../../bench/system/row.ts'
import { rows } from '../../../bench/system/rows.ts'
import { produceLarge } from '../../../bench/system/throughput-rows.ts'
import type { LatencyMs } from '../../../client/cli/bench/latencies.ts'
import type { BenchReport } from '../../../client/cli/bench/report.ts'
import { aReport } from '../../client/cli/bench/a-report.ts'

const facts: Facts = {
  date: '2026-11-01T00:00:00.000Z',
  commit: 'abcdef0123456789',
  treeChanged: false,
  node: 'v20.0.0',
  cpu: 'test',
  cpus: 2,
  kernel: '6.1',
  quick: false,
}
const row = (name: string): Row => ({
  name,
  about: `about ${name}`,
  target: '≥ 1',
  run: () => Promise.reject(new Error('not run')),
})
const outcome = (value: number): Outcome => ({
  value,
  unit: 'MB/s',
  measured: `${value} MB/s`,
  isMet: value >= 1,
  reports: [aReport()],
  brokerFlags: '--tail-cache-bytes 2GiB',
})

t.test('a row is met exactly at its target', async t => {
  const report = aReport()
  const { latencyMs, disk } = report
  const withLatency = (more: Partial<LatencyMs>): BenchReport => ({
    ...report,
    latencyMs: { ...latencyMs, ...more },
  })
  t.strictSame(
    [1000, 1001].map(target => atLeast(report, target).isMet),
    [true, false],
  )

  const large = (megabytesPerSecond: number, speed: number | null): boolean =>
    produceLarge({
      ...report,
      megabytesPerSecond,
      disk: speed === null || disk === null ? null : { ...disk, megabytesPerSecond: speed },
    }).isMet
  t.strictSame([large(350, 900), large(349, 900)], [true, false])
  t.strictSame([large(160, 200), large(159, 200)], [true, false], '80 % of a slow disk')
  t.strictSame([large(350, null), large(300, null)], [true, false])

  t.equal(awaitedSend(withLatency({ p50: 0.35, p99: 1.05 })).isMet, true, 'disk 0.2 ms')
  t.equal(awaitedSend(withLatency({ p50: 0.36, p99: 1 })).isMet, false)
  t.equal(awaitedSend(withLatency({ p50: 0.3, p99: 0.91 })).isMet, false)

  t.equal(endToEnd(withLatency({ p50: 1, p99: 3 })).isMet, true)
  t.equal(endToEnd(withLatency({ p50: 1.01, p99: 3 })).isMet, false)
  t.equal(endToEnd(withLatency({ p50: 1, p99: 3.01 })).isMet, false)
  t.equal(endToEnd({ ...withLatency({ p50: 1, p99: 3 }), unsent: 1 }).isMet, false)

  const connections = (bytes: number | null): BenchReport => ({
    ...report,
    connections: {
      count: 10,
      active: 1,
      openMs: latencyMs,
      openedPerSecond: 10,
      brokerBytesPerConnection: bytes,
      clientBytesPerConnection: 1,
      aloneMs: latencyMs,
    },
  })
  t.strictSame(
    [40_000, 40_100, null].map(bytes => perConnection(connections(bytes)).isMet),
    [true, false, false],
  )
})

t.test('every row of the design is there once, under a name that fits a file', async t => {
  const names = rows.map(one => one.name)
  t.equal(new Set(names).size, names.length)
  t.equal(names.length, 13)
  t.ok(names.every(name => /^[a-z0-9-]+$/.test(name)))
})

t.test('of several runs the median counts, and the spread is shown', async t => {
  const summary = summaryRow(row('a'), [outcome(9), outcome(1), outcome(4)], facts)
  t.match(summary, { value: 4, spread: [1, 9], isMet: true, diskMegabytesPerSecond: 500 })
  t.match(
    resultsPage([summary]),
    /\| about a \| ≥ 1 \| 4 MB\/s \[1–9 MB\/s\] \| met \| 500 MB\/s, 0.2 ms \| abcdef0123 \|/,
  )
  const quick = summaryRow(row('a'), [outcome(4)], { ...facts, quick: true })
  t.match(quick, { isMet: null, spread: null })
  t.match(resultsPage([summaryRow(row('a'), [outcome(0.5)], facts)]), /\*\*missed\*\*/)
})

t.test('rows that were not run this time keep what they had', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-results-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const order = ['a', 'b', 'c']
  for (const [name, value] of [
    ['c', 3],
    ['a', 1],
    ['c', 5],
  ] as const) {
    const outcomes = [outcome(value)]
    await writeRow(directory, order, summaryRow(row(name), outcomes, facts), outcomes)
  }
  const read = async (file: string) => readFile(join(directory, file), 'utf8')
  const { rows: kept } = JSON.parse(await read('summary.json')) as { rows: object[] }
  t.match(kept, [
    { name: 'a', value: 1 },
    { name: 'c', value: 5 },
  ])
  t.match(await read('RESULTS.md'), /about a(.*\n)+.*about c/)
  t.match(JSON.parse(await read('c.json')), {
    name: 'c',
    outcomes: [{ reports: [{ topic: 't' }] }],
  })
  t.strictSame((await readdir(directory)).sort(), [
    'RESULTS.md',
    'a.html',
    'a.json',
    'c.html',
    'c.json',
    'summary.json',
  ])
})

t.test('compact JSON says the same, with a line for each innermost thing', async t => {
  const value = { a: [{ b: 1, c: 'x  "y" {z}' }, { b: 2 }], d: [1, 2, 3], e: [], f: {} }
  const text = compactJson(value)
  t.strictSame(JSON.parse(text), value)
  t.match(text, /\{ "b": 1, "c": "x {2}\\"y\\" \{z\}" \}/)
  t.match(text, /"d": \[ 1, 2, 3 \]/)
})

/** Tests of compare.ts: what is worse, what is gone, what is not alike. */
import t from 'tap'
import { compareResults, differences, parseFailOver } from '../../../../client/cli/bench/compare.ts'
import type { BenchReport } from '../../../../client/cli/bench/report.ts'
import { sluice } from '../fake-terminal.ts'
import { aReport } from './a-report.ts'

const named = (name: string, more: Partial<BenchReport> = {}): BenchReport => ({
  ...aReport(),
  name,
  ...more,
})
const worse = (before: BenchReport, after: BenchReport, failOver = 5): string[] =>
  compareResults([before], [after], failOver)
    .filter(row => row.isWorse)
    .map(row => row.metric)

t.test('a lower rate and a higher latency are worse, beyond what is allowed', async t => {
  const before = named('a')
  const { latencyMs } = before
  const slower = { ...before, recordsPerSecond: 940, megabytesPerSecond: 0.094 }
  t.strictSame(worse(before, before), [])
  t.strictSame(worse(before, slower), ['records/s', 'MB/s'])
  t.strictSame(worse(before, slower, 6.5), [])
  t.strictSame(worse(slower, before), [], 'faster is never worse')
  t.strictSame(worse(before, { ...before, latencyMs: { ...latencyMs, p99: 3.2 } }), ['p99 ms'])
  const open = { ...before, rate: 100, loop: 'open' } as const
  t.strictSame(worse(open, { ...open, recordsPerSecond: 10 }), [], 'an open loop has its rate')
  const gains = compareResults([before], [slower], 5).map(row => row.gain)
  t.strictSame(gains, [-6, -6, 0, 0])
})

t.test('a bench that is gone is worse; a new one is not looked at', async t => {
  const rows = compareResults([named('a'), named('b')], [named('b'), named('c')], 5)
  t.strictSame(new Set(rows.filter(row => row.isWorse).map(row => row.bench)), new Set(['a']))
  t.notOk(rows.some(row => row.bench === 'c'))
})

t.test('unlike conditions are named', async t => {
  const before = named('a')
  const machine = { ...before.machine, node: 'v22.0.0' }
  const after = { ...before, machine, flush: 'os', acks: 'leader' }
  t.strictSame(differences(before, before), [])
  t.strictSame(differences(before, after), [
    'Node v20.0.0 → v22.0.0',
    'flush commit → os',
    'acks all → leader',
  ])
})

t.test('the command ends with 1 where something is worse, and with 0 where not', async t => {
  const files = {
    'old.json': JSON.stringify({ suite: 's', results: [named('a')] }),
    'new.json': JSON.stringify({ ...named('a'), recordsPerSecond: 900, flush: 'os' }),
    'bad.json': '{"results":[1]}',
  }
  const run = (line: string) => sluice(`bench compare ${line}`.split(' '), { files })
  const bad = await run('old.json new.json')
  t.equal(bad.code, 1)
  t.match(bad.terminal.text, /^BENCH .*\na {6}records\/s {2}1,000 .*-10% {2}WORSE\n/)
  t.match(bad.terminal.error, /a: not alike: flush commit → os\nerror: worse than before: a /)
  t.equal((await run('old.json new.json --fail-over 11%')).code, 0)
  t.equal((await run('old.json old.json -j')).code, 0)
  t.equal((await run('old.json bad.json')).code, 2)
  t.equal((await run('old.json none.json')).code, 3)
  t.equal((await run('old.json new.json --fail-over lots')).code, 2)
  t.strictSame([parseFailOver('5%'), parseFailOver('2.5')], [5, 2.5])
})

/** Tests of the bench commands: shapes, checks, topics made and deleted; no figure is judged. */
import t, { type Test } from 'tap'
import { startBroker } from '../../../../broker/testing/index.ts'
import { BenchMeter } from '../../../../client/cli/bench/meter.ts'
import { sluice } from '../fake-terminal.ts'

async function withBroker(t: Test) {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  return (line: string) => sluice(line.split(' '), { env: { SLUICE_SERVERS: broker.url } })
}

const figures = {
  records: Number,
  bytes: Number,
  seconds: Number,
  recordsPerSecond: Number,
  megabytesPerSecond: Number,
  latencyMs: {
    p50: Number,
    p90: Number,
    p99: Number,
    p999: Number,
    p9999: Number,
    max: Number,
    mean: Number,
  },
  latencySamples: Number,
}

t.test('bench produce and consume have stable JSON shapes and find every record', async t => {
  const run = await withBroker(t)
  const produced = await run('bench produce -n 3000 --size 50B --keep -p 2 --key 7 --topic b -j')
  t.equal(produced.code, 0, produced.terminal.error)
  t.match(produced.terminal.json, {
    ...figures,
    bench: 'produce',
    topic: 'b',
    partitions: 2,
    records: 2700,
    warmup: { records: 300, seconds: Number },
    loop: 'closed',
    latencyOf: 'send to ack',
    acks: 'all',
    flush: 'commit',
    reached: 'fsynced',
    sizeBytes: 50,
    clients: 1,
    rate: null,
    window: Number,
    batchBytes: 1048576,
    flags: ['bench', 'produce'],
    machine: { sluice: '0.0.0', node: 'v20.0.0', cpu: 'test', cpus: 2, memoryBytes: 1024 },
  })
  for (const by of ['batch', 'record']) {
    const flag = by === 'record' ? ' --per-record' : ''
    const { code, terminal } = await run(`bench consume --topic b -j${flag}`)
    t.equal(code, 0, terminal.error)
    t.match(terminal.json, {
      ...figures,
      bench: 'consume',
      records: 3000,
      expected: 3000,
      missing: 0,
      repeated: 0,
      loop: 'closed',
      by,
    })
  }
  t.match((await run('bench consume --topic b')).terminal.text, /rate {5}[\d,]+ records\/s/)
})

t.test('a topic that was made is deleted afterwards, one that was there stays', async t => {
  const run = await withBroker(t)
  await run('topic create mine')
  for (const topic of ['mine', 'made']) {
    t.equal((await run(`bench produce -n 100 --topic ${topic} -q`)).code, 0)
  }
  t.strictSame((await run('topic list --output name')).terminal.lines, ['mine'])
})

t.test('with a rate it is an open loop, with a duration it stops by time', async t => {
  const run = await withBroker(t)
  const { terminal } = await run('bench produce --rate 2k --duration 300ms --clients 2 -j')
  const report = terminal.json as { loop: string; records: number; rate: number; seconds: number }
  t.match(report, { loop: 'open', rate: 2000, latencyOf: 'intended send to ack' })
  t.ok(report.records > 300 && report.records <= 602, `${report.records} records`)
  const text = (await run('bench produce -n 50 --window 1')).terminal.text
  t.match(text, /closed loop: stalls hide/)
  t.match(text, /flush=commit, 1 partition\n/)
  await run('bench produce -n 50 --keep')
  t.notMatch((await run('bench consume')).terminal.text, /--rate/, 'reading has no rate to give')
})

t.test('wrong plans and empty topics are refused', async t => {
  const run = await withBroker(t)
  await run('topic create empty')
  for (const line of [
    '-n 0',
    '--clients 0',
    '--window 0',
    '--rate 0',
    '-n 5 --warmup 5',
    '--size x',
  ]) {
    t.equal((await run(`bench produce ${line}`)).code, 2, line)
  }
  t.equal((await run('bench consume --topic empty')).code, 2)
  t.equal((await run('bench consume --topic nope')).code, 3)
})

t.test(
  'a latency counts from when it should have begun, and the warm-up counts for nothing',
  async t => {
    let now = 0
    const clock = { wallMs: () => now, monotonicMs: () => now }
    const meter = new BenchMeter(clock, { records: 10, ms: 0 })
    now = 5000
    meter.count(10, 100)
    for (let i = 0; i < 100; i++) {
      now += 10
      meter.count(1, 10)
      meter.latency(now - (i + 1))
    }
    meter.finish()
    const { records, seconds, recordsPerSecond, latencyMs } = meter.measured()
    t.strictSame([records, seconds, recordsPerSecond], [100, 1, 100])
    t.ok(Math.abs(latencyMs.p50 - 50) < 0.1 && Math.abs(latencyMs.p99 - 99) < 0.2)
    t.ok(Math.abs(latencyMs.max - 100) < 0.2 && Math.abs(latencyMs.mean - 50.5) < 0.2)
  },
)

t.test('no percentile lies beyond the largest latency', async t => {
  let now = 0
  const clock = { wallMs: () => now, monotonicMs: () => now }
  const meter = new BenchMeter(clock)
  for (const latencyMs of [99.647, 180.494, 135.362]) {
    const since = now
    now += latencyMs
    meter.count(1, 1)
    meter.latency(since)
  }
  meter.finish()
  const { p50, p90, p99, p999, p9999, max } = meter.measured().latencyMs
  const figures = [p50, p90, p99, p999, p9999, max]
  t.strictSame(
    figures,
    figures.toSorted((a, b) => a - b),
    figures.join(' '),
  )
})

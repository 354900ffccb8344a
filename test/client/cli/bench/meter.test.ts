/** Tests of meter.ts and latencies.ts: warm-up, rates, percentiles and the series. */
import t from 'tap'
import { Latencies } from '../../../../client/cli/bench/latencies.ts'
import { BenchMeter, type Warmup } from '../../../../client/cli/bench/meter.ts'

function meterOf(warmup?: Warmup) {
  const time = { nowMs: 0 }
  const clock = { wallMs: () => time.nowMs, monotonicMs: () => time.nowMs }
  const meter = new BenchMeter(clock, warmup)
  return { time, meter }
}

t.test('a latency counts from when it should have begun, the warm-up for nothing', async t => {
  const { time, meter } = meterOf({ records: 10, ms: 0 })
  let warmCalls = 0
  meter.onWarm = () => {
    warmCalls++
  }
  meter.start()
  meter.latency(-9000)
  time.nowMs = 5000
  meter.count(10, 100)
  for (let i = 0; i < 100; i++) {
    time.nowMs += 10
    meter.count(1, 10)
    meter.latency(time.nowMs - (i + 1))
  }
  meter.finish()
  const { records, bytes, seconds, recordsPerSecond, latencyMs, warmup } = meter.measured()
  t.strictSame([records, bytes, seconds, recordsPerSecond], [100, 1000, 1, 100])
  t.ok(Math.abs(latencyMs.p50 - 50) < 0.1 && Math.abs(latencyMs.p99 - 99) < 0.2)
  t.ok(Math.abs(latencyMs.max - 100) < 0.2 && Math.abs(latencyMs.mean - 50.5) < 0.2)
  t.strictSame(warmup, { records: 10, seconds: 5 })
  t.equal(warmCalls, 1)
})

t.test('a warm-up may be a time; without one everything is measured', async t => {
  const timed = meterOf({ records: 0, ms: 1000 })
  timed.meter.start()
  for (let i = 0; i < 20; i++) {
    timed.time.nowMs += 100
    timed.meter.count(5, 50)
  }
  timed.meter.finish()
  const { records, seconds, recordsPerSecond } = timed.meter.measured()
  t.strictSame([records, seconds, recordsPerSecond], [50, 1, 50])

  const whole = meterOf()
  whole.meter.start()
  whole.time.nowMs = 500
  whole.meter.count(5, 50)
  whole.meter.finish()
  t.match(whole.meter.measured(), { records: 5, seconds: 0.5, recordsPerSecond: 10 })
})

t.test('with records and a time, the warm-up ends with what comes first', async t => {
  const warmupOf = (recordsPerTurn: number) => {
    const { time, meter } = meterOf({ records: 1000, ms: 500 })
    meter.start()
    for (let i = 0; i < 10; i++) {
      time.nowMs += 100
      meter.count(recordsPerTurn, 0)
    }
    meter.finish()
    return meter.measured().warmup
  }
  t.strictSame(warmupOf(10), { records: 50, seconds: 0.5 })
  t.strictSame(warmupOf(1000), { records: 1000, seconds: 0.1 })
})

t.test('the series has each interval once, and says which were warm-up', async t => {
  const { time, meter } = meterOf({ records: 100, ms: 0 })
  const line = new Latencies()
  meter.start()
  for (const [records, latencyMs] of [
    [100, 5],
    [300, 2],
    [0, 0],
    [200, 40],
  ] as const) {
    time.nowMs += 500
    meter.count(records, records * 10)
    for (let i = 0; i < records; i++) meter.latency(time.nowMs - latencyMs)
    meter.sample(line)
  }
  meter.finish()
  const { series, latencyMs } = meter.measured()
  t.strictSame(
    series.map(({ atSeconds, recordsPerSecond, p50, isWarmup }) => [
      atSeconds,
      recordsPerSecond,
      p50,
      isWarmup,
    ]),
    [
      [0.5, 200, 5, false],
      [1, 600, 2, false],
      [1.5, 0, 0, false],
      [2, 400, 40, false],
    ],
  )
  t.ok(latencyMs.p50 > 1.9 && latencyMs.p99 > 39, 'the whole holds all intervals')
  t.equal(line.count, 600, 'and so does what was added to')
})

t.test('no percentile lies beyond the largest latency, and the curve only rises', async t => {
  const latencies = new Latencies()
  for (const ms of [99.647, 180.494, 135.362]) latencies.record(ms)
  const { p50, p90, p99, p999, p9999, max } = latencies.summary()
  const figures = [p50, p90, p99, p999, p9999, max]
  t.strictSame(
    figures,
    figures.toSorted((a, b) => a - b),
    figures.join(' '),
  )
  const many = new Latencies()
  for (let i = 1; i <= 20_000; i++) many.record(i / 100)
  const curve = many.curve()
  t.strictSame(
    curve,
    curve.toSorted(([, a], [, b]) => a - b),
  )
  t.match(curve.at(-1), [100, 200])
  t.equal(
    curve.some(([percentile]) => percentile === 99.999),
    false,
    'too few for that',
  )
})

t.test('what cannot be is kept as the nearest that can', async t => {
  const latencies = new Latencies()
  t.strictSame(latencies.summary().max, 0)
  t.strictSame(latencies.curve(), [])
  latencies.record(-5)
  latencies.record(1e12)
  t.ok(latencies.summary().max > 3_500_000)
  t.equal(latencies.at(50), 0.001)
})

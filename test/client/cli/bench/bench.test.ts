/** Tests of the bench commands: shapes, checks, topics made and deleted; no figure is judged. */
import t, { type Test } from 'tap'
import { startBroker } from '../../../../broker/testing/index.ts'
import type { BenchReport } from '../../../../client/cli/bench/report.ts'
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
    warmup: { records: Number, seconds: Number },
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
  const { records, warmup } = produced.terminal.json as BenchReport
  t.equal(records + warmup.records, 3000)
  t.ok(warmup.records >= 300 && warmup.records < 600, 'a tenth, and what came with its last ack')
  for (const by of ['batch', 'record']) {
    const flag = by === 'record' ? ' --per-record' : ''
    const { code, terminal } = await run(`bench consume --topic b -j${flag}`)
    t.equal(code, 0, terminal.error)
    t.match(terminal.json, {
      ...figures,
      bench: 'consume',
      verified: { records: 3000, expected: 3000, missing: 0, repeated: 0, isSound: true },
      areStamped: true,
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

t.test('a share of many records ends with that share of the time', async t => {
  const run = await withBroker(t)
  const { code, terminal } = await run('bench produce -n 100M --duration 300ms --keep -j -q')
  t.equal(code, 0, terminal.error)
  const { records, warmup } = terminal.json as BenchReport
  t.ok(records > 0, `${records} records`)
  t.ok(warmup.seconds < 0.25, `${warmup.seconds} s of warm-up`)
})

t.test('a run that ends before its warm-up has no figures, and fails', async t => {
  const run = await withBroker(t)
  await run('bench produce -n 100 --keep --topic t -q')
  for (const line of [
    'bench produce -n 100 --warmup 1h -q -j',
    'bench consume --topic t --warmup 1h -q -j',
    'bench consume --topic t --from tail --duration 50ms -q -j',
    'bench e2e --ping-pong -n 5 --duration 10s --warmup 9s -q -j',
  ]) {
    const { code, terminal } = await run(line)
    t.equal(code, 1, line)
    t.equal(terminal.text, '', line)
    t.match(JSON.parse(terminal.error), {
      error: { message: /^nothing was measured: all \d+ records/, hint: /--warmup/ },
    })
  }
})

t.test('a topic that is empty or missing is refused', async t => {
  const run = await withBroker(t)
  await run('topic create empty')
  t.equal((await run('bench consume --topic empty')).code, 2)
  t.equal((await run('bench consume --topic nope')).code, 3)
})

t.test('e2e has a result per rate, and ping-pong one', async t => {
  const run = await withBroker(t)
  const { code, terminal } = await run('bench e2e --rate 500,1k -n 100 --producers 2 -p 2 -j -q')
  t.equal(code, 0, terminal.error)
  const shape = {
    ...figures,
    bench: 'e2e',
    partitions: 2,
    loop: 'open',
    latencyOf: 'intended send to delivery',
    latencySamples: 90,
    unsent: 0,
    verified: { records: 100, missing: 0, isSound: true },
  }
  t.match(terminal.json, {
    results: [
      { ...shape, rate: 500 },
      { ...shape, rate: 1000 },
    ],
  })
  const pingPong = await run('bench e2e --ping-pong -n 40 -j -q')
  t.equal(pingPong.code, 0, pingPong.terminal.error)
  t.match(pingPong.terminal.json, {
    ...figures,
    loop: 'closed',
    rate: null,
    latencySamples: 36,
    verified: { records: 40, isSound: true },
  })
})

t.test('connections are opened, weighed, and a load runs beside them', async t => {
  const run = await withBroker(t)
  const line =
    'bench connections -n 20 --active 2 --rate 500 --duration 200ms --open-rate 500 -j -q'
  const { code, terminal } = await run(line)
  t.equal(code, 0, terminal.error)
  t.match(terminal.json, {
    ...figures,
    bench: 'connections',
    loop: 'open',
    rate: 500,
    connections: {
      count: 20,
      active: 2,
      openMs: figures.latencyMs,
      openedPerSecond: Number,
      brokerBytesPerConnection: null,
      clientBytesPerConnection: Number,
      aloneMs: figures.latencyMs,
    },
    verified: { isSound: true },
  })
})

t.test('consume reads the tail while others write, by several clients', async t => {
  const run = await withBroker(t)
  await run('topic create tail')
  const [read, written] = await Promise.all([
    run('bench consume --topic tail --from tail -n 100 --clients 2 -j -q'),
    run('bench produce --topic tail --rate 300 -n 300 -q'),
  ])
  t.equal(written.code, 0, written.terminal.error)
  t.equal(read.code, 0, read.terminal.error)
  t.match(read.terminal.json, {
    from: 'tail',
    clients: 2,
    areStamped: true,
    verified: { missing: 0 },
  })
  const { records } = (read.terminal.json as { verified: { records: number } }).verified
  t.ok(records >= 200, `${records} records`)
})

t.test('what no bench wrote is read and its offsets checked', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const env = { SLUICE_SERVERS: broker.url }
  await sluice(['topic', 'create', 'plain'], { env })
  await sluice(['produce', 'plain'], { env, input: 'one\ntwo\nthree\n' })
  const words = 'bench consume --topic plain --warmup 0 -j -q'.split(' ')
  const { code, terminal } = await sluice(words, { env })
  t.equal(code, 0, terminal.error)
  t.match(terminal.json, { records: 3, areStamped: false, verified: { records: 3, isSound: true } })
  t.strictSame(checkedOf(terminal), ['offsets', 'crc', 'count'])
})

const checkedOf = ({ json }: { json: unknown }) => (json as BenchReport).verified?.checked

t.test('consume claims only the checks that it made', async t => {
  const run = await withBroker(t)
  await run('bench produce -n 100 --window 1 --keep --topic t -q')
  for (const [flags, checked] of [
    ['', ['offsets', 'crc', 'count', 'stamps']],
    ['--no-crc', ['offsets', 'crc', 'count', 'stamps']],
    ['--no-verify', ['offsets', 'crc', 'count']],
    ['--no-verify --no-crc -n 50', ['offsets', 'count']],
    ['--no-verify --no-crc --from tail --duration 50ms', undefined],
  ] as const) {
    const { code, terminal } = await run(`bench consume --topic t --warmup 0 -j -q ${flags}`.trim())
    t.equal(code, 0, terminal.error)
    t.strictSame(checkedOf(terminal), checked, flags)
    t.equal('areStamped' in (terminal.json as object), !flags.startsWith('--no-verify'), flags)
  }
  const ended = await run('bench consume --topic t --warmup 0 --no-crc --no-verify')
  t.match(ended.terminal.text, /verified 100 records: offsets and count are right\n/)
})

t.test('a suite runs its benches in order, names them, and saves three files', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const suite = {
    suite: 'small',
    benches: [
      { name: 'write', words: ['produce', '-n', '200', '--topic', 's', '--keep'] },
      { name: 'read', words: ['consume', '--topic', 's'] },
      { name: 'way', words: ['e2e', '--rate', '500,1k', '-n', '50'] },
    ],
  }
  const files = { 'suite.json': JSON.stringify(suite) }
  const env = { SLUICE_SERVERS: broker.url }
  const line = 'bench run suite.json --json-file a.json --csv a.csv --html a.html -j'
  const { code, terminal } = await sluice(line.split(' '), { env, files })
  t.equal(code, 0, terminal.error)
  const names = ['write', 'read', 'way 500/s', 'way 1000/s']
  t.match(terminal.json, { suite: 'small', results: names.map(name => ({ name })) })
  t.match(terminal.error, /1 of 3: write\n(.*\n)*2 of 3: read\n/)
  const saved = terminal.saved
  t.equal(saved.get('a.json'), terminal.text)
  t.strictSame(
    new Set(saved.get('a.csv')?.match(/^[a-z]+( \d+\/s)?,/gm)),
    new Set(['name,', ...names.map(name => `${name},`)]),
  )
  t.match(saved.get('a.html'), /<h1>small<\/h1>/)
})

t.test('a suite ends with its first bench that fails, and keeps what was measured', async t => {
  const broker = await startBroker()
  t.teardown(() => broker.close())
  const benches = [
    { name: 'write', words: ['produce', '-n', '50'] },
    { name: 'bad', words: ['consume', '--topic', 'nope'] },
    { name: 'never', words: ['produce', '-n', '50'] },
  ]
  const files = { 's.json': JSON.stringify({ suite: 's', benches }) }
  const env = { SLUICE_SERVERS: broker.url }
  const { code, terminal } = await sluice(['bench', 'run', 's.json', '-j', '-q'], { env, files })
  t.equal(code, 3)
  t.match(terminal.json, { results: [{ name: 'write' }] })
  t.equal((terminal.json as { results: unknown[] }).results.length, 1)
})

/** The check commands against a real broker: exit codes of Nagios, one line, figures behind a bar. */
import t, { type Test } from 'tap'
import { startBroker, type TestBrokerOptions } from '../../../broker/testing/index.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'
import { compare, report, requireOrder, worstOf } from '../../../client/cli/check.ts'
import { parseAmount } from '../../../client/cli/check-disk.ts'
import { Output } from '../../../client/cli/output.ts'
import { FakeTerminal, type FakeTerminalOptions, sluice } from './fake-terminal.ts'

async function withBroker(t: Test, options: TestBrokerOptions = {}) {
  const broker = await startBroker(options)
  t.teardown(() => broker.close())
  const run = async (line: string, more: FakeTerminalOptions = {}) => {
    const env = { SLUICE_SERVERS: broker.url }
    const { code, terminal } = await sluice(line.split(' '), { ...more, env })
    return { code, text: terminal.text, lines: terminal.lines, terminal }
  }
  return { broker, run }
}

/** `name=value[unit];warn;critical;min;max` as the guidelines for plugins have it. */
const figure = /^[a-z0-9_]+=(U|-?\d+(\.\d+)?(B|ms|s)?)(;\d*(\.\d+)?){0,4}$/

function figuresOf(t: Test, text: string): Map<string, string> {
  const [, behind = ''] = text.trim().split(' | ')
  const all = behind.split(' ').filter(part => part !== '')
  for (const one of all) t.match(one, figure)
  return new Map(all.map(one => [one.split('=')[0] ?? '', one]))
}

t.test('a broker that answers is OK, with its versions and times', async t => {
  const { run } = await withBroker(t)
  const { code, text, lines } = await run('check connection --warn 5s --critical 6s')
  t.equal(code, 0)
  t.equal(lines.length, 1)
  t.match(text, /^OK connection 127\.0\.0\.1:\d+: broker 1 \(sluice \d+\.\d+\.\d+, cluster /)
  const figures = figuresOf(t, text)
  t.match(figures.get('round_trip'), /;5000;6000;0$/)
  t.ok(figures.has('connect'))
})

t.test('a round trip above the thresholds is WARNING or CRITICAL', async t => {
  const { run } = await withBroker(t)
  t.equal((await run('check connection --warn 0ms --critical 60s')).code, 1)
  const critical = await run('check connection --warn 0ms --critical 0ms')
  t.equal(critical.code, 2)
  t.match(critical.text, /^CRITICAL .*round trip/)
})

t.test('a broker that is away is CRITICAL in one line, for every check', async t => {
  for (const line of ['connection', 'disk', 'topic orders']) {
    const words = ['check', ...line.split(' '), '--timeout', '200ms', '-s', 'ws://127.0.0.1:1']
    const { code, terminal } = await sluice(words)
    t.equal(code, 2, line)
    t.match(terminal.text, /^CRITICAL [^\n]*\n$/)
  }
})

t.test('a wrong command line is UNKNOWN, not critical', async t => {
  const { run } = await withBroker(t)
  const wrong = [
    'check',
    'check nothing',
    'check connection --warn soon',
    'check connection --warn 2s --critical 1s',
    'check disk --warn 101%',
    'check disk --warn 1% --critical 10%',
    'check topic',
    'check topic orders --max-age 1s --warn-age 2s',
  ]
  for (const line of wrong) {
    const { code, text } = await run(line)
    t.equal(code, 3, line)
    t.match(text, /^UNKNOWN [^\n]+\n$/, line)
    const { code: jsonCode, terminal } = await run(`${line} -j`)
    t.equal(jsonCode, 3, line)
    const unknown = { status: 'UNKNOWN', exitCode: 3, text: String }
    t.match(JSON.parse(terminal.text), { ...unknown, findings: [{ status: 'UNKNOWN' }] }, line)
  }
})

t.test('a disk is judged by bytes or by its share, and a full one is CRITICAL', async t => {
  const disk = new MemoryDisk({ capacityBytes: 1024 ** 2 })
  const { run } = await withBroker(t, { disk, topics: { orders: 1 } })
  const fine = await run('check disk')
  t.equal(fine.code, 0, fine.text)
  t.match(fine.text, /^OK disk .* 10\d\d\.\d KiB free \(99 %\), /)
  const figures = figuresOf(t, fine.text)
  t.match(figures.get('free'), /^free=\d+B;209715\.2;104857\.6;0;1048576$/)
  t.ok(figures.has('fsync_p99'))
  t.equal((await run('check disk --warn 100% --critical 1B')).code, 1)
  t.equal((await run('check disk --warn 2MiB --critical 1MiB')).code, 2)
  t.equal((await run('check disk --warn 9000XB --critical 1B')).code, 3, 'no such size')
})

t.test('a broker that refuses writes for lack of space is CRITICAL at any threshold', async t => {
  const disk = new MemoryDisk({ capacityBytes: 1024 ** 2 })
  const { run } = await withBroker(t, { disk, config: { minFreeBytes: 2 * 1024 ** 2 } })
  const { code, text } = await run('check disk --warn 0% --critical 0%')
  t.equal(code, 2)
  t.match(text, /^CRITICAL disk .*writes are refused: less than 2\.0 MiB/)
})

t.test('fsyncs are judged by their 99th percentile', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  t.equal((await run('produce orders', { input: 'a\n' })).code, 0)
  const { code, text } = await run('check disk --fsync-warn 0ms --fsync-critical 1h')
  t.equal(code, 1, text)
  t.match(text, /^WARNING disk .*: fsync p99 \d/)
})

t.test('percentages and sizes', async t => {
  t.same(parseAmount('12.5%'), { percent: 12.5 })
  t.same(parseAmount('1KiB'), { bytes: 1024 })
  t.throws(() => parseAmount('110%'))
  t.throws(() => parseAmount('much'))
})

t.test('a topic is OK, and its figures are those of describe', async t => {
  const { run } = await withBroker(t, { topics: { orders: 2 } })
  const { code, text } = await run('check topic orders')
  t.equal(code, 0, text)
  t.match(text, /^OK topic orders: 2 partitions online, 0 B large, no record \| /)
  t.match(figuresOf(t, text).get('online'), 'online=2;;;0;2')
})

t.test('a topic that is not there is CRITICAL', async t => {
  const { run } = await withBroker(t)
  const { code, text } = await run('check topic nope')
  t.equal(code, 2)
  t.match(text, /^CRITICAL topic nope: .*UNKNOWN_TOPIC_OR_PARTITION/)
})

t.test('an old record, or none, is found where an age is given', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  t.equal((await run('check topic orders --max-age 1h')).code, 2, 'no record at all')
  t.equal((await run('check topic orders --warn-age 1h')).code, 1)
  t.equal((await run('produce orders', { input: 'a\nb\n' })).code, 0)
  t.equal((await run('check topic orders --max-age 1h')).code, 0)
  const old = JSON.stringify({ timestamp: 1000, value: 'x' })
  t.equal((await run('topic create old')).code, 0)
  t.equal((await run('produce old --jsonl', { input: `${old}\n` })).code, 0)
  const { code, text } = await run('check topic old --max-age 1h')
  t.equal(code, 2)
  t.match(text, /the newest record is \d+h/)
})

t.test('a topic above its size is found', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  t.equal((await run('produce orders', { input: 'a\n'.repeat(100) })).code, 0)
  t.equal((await run('check topic orders --warn 10B --critical 1MiB')).code, 1)
  t.equal((await run('check topic orders --warn 10B --critical 20B')).code, 2)
  t.equal((await run('check topic orders --warn 1MiB --critical 2MiB')).code, 0)
})

t.test('under -j it is one object, and the exit code the same', async t => {
  const { run } = await withBroker(t, { topics: { orders: 1 } })
  const { code, terminal } = await run('check topic orders --max-age 1h -j')
  t.equal(code, 2)
  t.match(terminal.json, {
    status: 'CRITICAL',
    exitCode: 2,
    subject: 'topic orders',
    findings: [{ status: 'CRITICAL', text: 'there is no record in it' }],
    figures: [
      { name: 'size', unit: 'B' },
      { name: 'age', value: null },
    ],
  })
})

t.test('the worst finding decides, and its text comes first', async t => {
  const terminal = new FakeTerminal()
  const output = new Output(terminal, { form: 'table', quiet: false, colour: false })
  const findings = [
    { status: 'WARNING', text: 'a | b' },
    { status: 'CRITICAL', text: 'worse' },
    { status: 'UNKNOWN', text: 'c' },
  ] as const
  t.equal(report({ output }, { subject: 's', summary: '', findings, figures: [] }), 2)
  t.equal(terminal.text, 'CRITICAL s: worse; a   b; c\n')
  t.equal(worstOf([]), 'OK')
  t.equal(worstOf([{ status: 'UNKNOWN', text: '' }]), 'UNKNOWN')
})

t.test('thresholds are exceeded from above or from below, never by being equal', async t => {
  const limits = { warn: 10, critical: 20 }
  const status = (value: number) => compare(value, limits, 'above', '')[0]?.status ?? 'OK'
  t.same([9, 10, 11, 20, 21].map(status), ['OK', 'OK', 'WARNING', 'WARNING', 'CRITICAL'])
  const below = (value: number) =>
    compare(value, { warn: 20, critical: 10 }, 'below', '')[0]?.status ?? 'OK'
  t.same([21, 20, 19, 10, 9].map(below), ['OK', 'OK', 'WARNING', 'WARNING', 'CRITICAL'])
  t.throws(() => requireOrder('x', { warn: 3, critical: 2 }, 'above'))
  t.throws(() => requireOrder('x', { warn: 2, critical: 3 }, 'below'))
  t.doesNotThrow(() => requireOrder('x', { warn: 2 }, 'above'))
})

/** Tests of every flag's bad input: refused with exit code 2 before anything is sent. */
import t from 'tap'
import { activeOf } from '../../../../client/cli/bench/connections.ts'
import {
  parseKeyPlan,
  parseRates,
  parseSizeRange,
  parseWarmup,
  warmupOf,
} from '../../../../client/cli/bench/options.ts'
import { parseSuite } from '../../../../client/cli/bench/suite-file.ts'
import { sluice } from '../fake-terminal.ts'

/** Nobody listens there: a line that is not refused at once ends with 5. */
const env = { SLUICE_SERVERS: 'ws://127.0.0.1:1' }
const run = (line: string) => sluice(`bench ${line} --timeout 1s`.split(' '), { env })

const bad: Readonly<Record<string, readonly string[]>> = {
  produce: [
    '-n 0',
    '-n x',
    '-n 5G',
    '--clients 0',
    '--clients 1001',
    '--clients 1.5',
    '--producers 0',
    '--producers 65',
    '--window 0',
    '--burst 0',
    '--window 10 --burst 11',
    '--rate 0',
    '--rate 1k,2k',
    '--rate fast',
    '--duration 0s',
    '--duration 5',
    '--warmup 100%',
    '--warmup x',
    '-n 5 --warmup 5',
    '--duration 5s --warmup 5s',
    '--rate 10k --duration 10s --warmup 20s',
    '-n 1000 --rate 100 --warmup 20s',
    '--size x',
    '--size 5B',
    '--size 20B-10B',
    '--size 1-2-3',
    '--value xml',
    '--value json --size 20B',
    '--key 1M',
    '--key some',
    '--acks most',
    '--batch-bytes x',
    '--linger 5',
    '--compression rar',
    '--partitions x',
    '--config retention',
    '--broker-pid x',
  ],
  consume: [
    '-n 0',
    '--from middle',
    '--from tail',
    '--clients 0',
    '--fetch-bytes x',
    '--fetch-bytes 0B',
    '--fetch-bytes 33MiB',
    '--duration 0s',
    '--duration x',
    '--warmup 100%',
    '--duration 1s --warmup 2s',
    '-n 100 --warmup 200',
  ],
  e2e: [
    '--duration 5s --warmup 5s',
    '-n 100 --rate 1k --warmup 1s',
    '-n 0',
    '--duration 0s',
    '--rate 0',
    '--rate 1k,0',
    '--rate 1k,,2k',
    '--ping-pong --rate 1k',
    '--ping-pong --producers 2',
    '--producers 0',
    '--no-verify',
    '--size 5B',
  ],
  connections: [
    '-n 0',
    '-n 100k',
    '--active 0',
    '--active 0%',
    '--active some',
    '--open-rate 0',
    '--rate 0',
    '--duration 0s',
    '--duration 5s --warmup 5s',
    '--no-verify',
  ],
}

for (const [verb, lines] of Object.entries(bad)) {
  t.test(`bench ${verb} refuses what it cannot do`, async t => {
    for (const line of lines) {
      const { code, terminal } = await run(`${verb} ${line}`)
      t.equal(code, 2, `${line}: ${terminal.error}`)
      t.match(terminal.error, /^error: .+ \(INVALID_ARGUMENT\)\n/, line)
      t.equal(terminal.text, '', line)
    }
  })
}

t.test('a size that carries no stamp is fine where nothing is verified', async t => {
  const { code, terminal } = await run('produce --size 5B --no-verify -n 10')
  t.equal(code, 5, terminal.error)
})

t.test('benches that write have no dry run', async t => {
  for (const verb of ['produce', 'e2e', 'connections']) {
    t.equal((await run(`${verb} --dry-run`)).code, 2, verb)
  }
})

t.test('values mean what the help says', async t => {
  t.strictSame(parseWarmup('10%'), { percent: 10 })
  t.strictSame(parseWarmup('5s'), { ms: 5000 })
  t.strictSame(parseWarmup('2000'), { records: 2000 })
  t.strictSame(parseWarmup('20k'), { records: 20_000 })
  t.strictSame(warmupOf({ percent: 10 }, { records: 5000, ms: null }), { records: 500, ms: 0 })
  t.strictSame(warmupOf({ percent: 10 }, { records: null, ms: 5000 }), { records: 0, ms: 500 })
  t.strictSame(warmupOf({ percent: 10 }, { records: null, ms: null }), { records: 0, ms: 0 })
  t.strictSame(
    warmupOf({ percent: 10 }, { records: 5000, ms: 4000 }),
    { records: 500, ms: 400 },
    'whichever comes first',
  )
  t.strictSame(warmupOf({ percent: 10 }, { records: 5, ms: 5000 }), { records: 0, ms: 0 })
  t.strictSame(warmupOf({ ms: 100 }, { records: 5, ms: null }), { records: 0, ms: 100 })
  t.strictSame(parseSizeRange('100B'), { min: 100, max: 100 })
  t.strictSame(parseSizeRange('100B-1KiB'), { min: 100, max: 1024 })
  t.strictSame(parseRates('1k,50k'), [1000, 50_000])
  t.strictSame(
    [parseKeyPlan('random'), parseKeyPlan('0'), parseKeyPlan('12')],
    ['random', 'none', 12],
  )
  t.strictSame([activeOf('1%', 250), activeOf('7', 250)], [3, 7])
})

t.test('a suite file that is wrong is refused with the place', async t => {
  for (const [text, message] of [
    ['suite: s', /not JSON/],
    ['[]', /the suite is not an object/],
    ['{}', /has no name/],
    ['{"suite":"s"}', /has no benches/],
    ['{"suite":"s","benches":[]}', /has no benches/],
    ['{"suite":"s","benches":[],"more":1}', /unknown member "more"/],
    ['{"suite":"s","benches":[1]}', /bench 1 of the suite is not an object/],
    ['{"suite":"s","benches":[{"words":["e2e"]}]}', /bench 1 .* has no name/],
    ['{"suite":"s","benches":[{"name":"a","words":"e2e"}]}', /words of "a"/],
    ['{"suite":"s","benches":[{"name":"a","words":[]}]}', /words of "a"/],
    ['{"suite":"s","benches":[{"name":"a","words":["e2e"],"x":1}]}', /unknown member "x"/],
    ['{"suite":"s","benches":[{"name":"a","words":["e2e"]},{"name":"a","words":["e2e"]}]}', /two/],
  ] as const) {
    t.throws(() => parseSuite(text), { code: 'INVALID_ARGUMENT', message }, text)
  }
  const files = { 's.json': '{"suite":"s","benches":[{"name":"a","words":["run","s.json"]}]}' }
  const { code, terminal } = await sluice(['bench', 'run', 's.json'], { env, files })
  t.equal(code, 2)
  t.match(terminal.error, /"a" names no bench .*\nhint: its first word is produce, consume, e2e/)
  t.equal((await sluice(['bench', 'run', 'none.json'], { env })).code, 3)
})

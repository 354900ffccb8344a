/** Tests of start and of its log, in this process, on real files in a temporary directory. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { humanLine, openBrokerLog } from '../../../broker/cli/broker-log.ts'
import { allCommands } from '../../../broker/cli/commands.ts'
import { DiskError } from '../../../broker/world/disk.ts'
import { runCli } from '../../../client/cli/cli.ts'
import { realClock, realTimers } from '../../../protocol/real-world.ts'
import { FakeTerminal, type FakeTerminalOptions, openReal } from '../../client/cli/fake-terminal.ts'

async function temporary(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-start-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Starts; `ended` resolves with the exit code. */
function start(words: readonly string[], options: FakeTerminalOptions = {}) {
  const terminal = new FakeTerminal(options)
  const ended = runCli(['start', ...words], { terminal, open: openReal }, allCommands)
  return { terminal, ended }
}

t.test('start says ready in one line, serves, and a signal stops it with 0', async t => {
  const dataDir = await temporary(t)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { terminal, ended } = start(['--data-dir', dataDir, '--listen', '127.0.0.1:0'])
    await terminal.saw('\n')
    t.match(terminal.text, /^ready ws:\/\/127\.0\.0\.1:[1-9]\d* broker=1 cluster=\S{22}\n$/)
    const url = /ws:\/\/\S+/.exec(terminal.text)?.[0] ?? ''
    const client = new FakeTerminal({ env: { SLUICE_SERVERS: url } })
    const list = ['topic', 'list', '-j']
    t.equal(await runCli(list, { terminal: client, open: openReal }, allCommands), 0)
    terminal.signal(signal)
    t.equal(await ended, 0)
    t.equal(terminal.lines.length, 1, 'nothing else on stdout')
    t.equal(terminal.exitedNow, null)
  }
})

t.test('a second broker on the directory, and a taken port, are conflicts', async t => {
  const [dataDir, other] = [await temporary(t), await temporary(t)]
  const first = start(['--data-dir', dataDir, '--listen', '127.0.0.1:0'])
  await first.terminal.saw('\n')
  const address = /ws:\/\/(\S+)/.exec(first.terminal.text)?.[1] ?? ''
  const second = start(['--data-dir', dataDir, '--listen', '127.0.0.1:0'])
  t.equal(await second.ended, 6)
  t.match(second.terminal.error, /error: .*\(DATA_DIR_IN_USE\)\nhint: /)
  const third = start(['--data-dir', other, '--listen', address])
  t.equal(await third.ended, 6)
  t.match(third.terminal.error, /\(PORT_TAKEN\)/)
  first.terminal.signal('SIGTERM')
  t.equal(await first.ended, 0)
})

t.test('a wrong option is refused with the nearest name or the range', async t => {
  const cases: [string[], FakeTerminalOptions, RegExp][] = [
    [['--data-dirr', 'x'], {}, /data-dirr/],
    [['--listen', 'nowhere'], {}, /host:port/],
    [['--listen', '0.0.0.0:0'], {}, /no authentication/],
    [['--num-partitions', '0'], {}, /num\.partitions/],
    [['--topic-retention-ms', 'soon'], {}, /retention\.ms/],
    [[], { env: { SLUICE_DATA_DIRR: 'x' } }, /data\.dir/],
    [['--config', 'c.json'], { files: { 'c.json': '{"lissten":"x"}' } }, /listen/],
    [['--config', 'c.json'], { files: { 'c.json': 'listen: x' } }, /JSON/i],
  ]
  for (const [words, options, says] of cases) {
    const { terminal, ended } = start(words, options)
    t.equal(await ended, 2, `${words.join(' ')}: ${terminal.error}`)
    t.match(terminal.error, says)
    t.equal(terminal.text, '')
  }
})

t.test('a config file that is not there is exit 3', async t => {
  const { terminal, ended } = start(['--config', 'missing.json'], {})
  t.equal(await ended, 3)
  t.match(terminal.error, '"missing.json" does not exist')
})

t.test('flags win over environment, environment over file; --dry-run shows where from', async t => {
  const { terminal, ended } = start(
    ['--dry-run', '-j', '--config', 'c.json', '--num-partitions', '3'],
    {
      env: { SLUICE_RACK: 'env', SLUICE_NUM_PARTITIONS: '2' },
      files: { 'c.json': '{"rack":"file","broker.id":7,"topic":{"retention.ms":"1h"}}' },
    },
  )
  t.equal(await ended, 0, terminal.error)
  const rows = terminal.json as { name: string; value: string; origin: string }[]
  const row = (name: string) => rows.find(found => found.name === name)
  t.match(row('num.partitions'), { value: '3', origin: /flag/ })
  t.match(row('rack'), { value: 'env', origin: /environment/ })
  t.match(row('broker.id'), { value: '7', origin: /c\.json/ })
  t.match(row('topic.retention.ms'), { value: '1h', origin: /c\.json/ })
  t.match(row('listen'), { value: '127.0.0.1:9290', origin: 'default' })
})

t.test('the log is JSON elsewhere and readable on a terminal, and keeps to its level', async t => {
  const plain = new FakeTerminal()
  const log = openBrokerLog({
    terminal: plain,
    clock: realClock,
    timers: realTimers,
    level: 'info',
  })
  log.debug({}, 'hidden')
  log.info({ topic: 'a' }, 'created')
  log.warn({}, 'careful')
  await log.flush()
  log.error({}, 'late')
  const lines = plain.error
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(lines, [
    { level: 'info', topic: 'a', msg: 'created', time: /^\d{4}-.*Z$/ },
    { level: 'warn', msg: 'careful' },
    { level: 'error', msg: 'late' },
  ])
  t.equal(lines.length, 3)
  const tty = new FakeTerminal({ isTty: true })
  openBrokerLog({ terminal: tty, clock: realClock, timers: realTimers, level: 'warn' }).warn(
    { a: 1 },
    'careful',
  )
  t.match(tty.error, /^\d\d:\d\d:\d\d\.\d{3} warn {2}careful {2}a=1\n$/)
  const broken = new FakeTerminal()
  const second = openBrokerLog({
    terminal: broken,
    clock: realClock,
    timers: realTimers,
    level: 'info',
  })
  const error = new DiskError('io', '/a', 'EIO', new Error('behind it'))
  second.error({ event: 'x', error }, 'bad')
  await second.flush()
  t.match(JSON.parse(broken.error).error, {
    ...{ name: 'DiskError', message: 'EIO', cause: 'behind it', stack: /broker-log|start\.test/ },
  })
  const line = humanLine('info', { url: 'ws://x', why: 'two words', error: new Error('x') }, 'm', 0)
  t.equal(line, '00:00:00.000 info  m  url=ws://x  why="two words"  error="x"\n')
})

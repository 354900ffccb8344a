/** Tests of produce and consume against a real broker: formats, offsets, ends, shapes, failures. */
import t, { type Test } from 'tap'
import { startBroker, type TestBrokerOptions } from '../../../broker/testing/index.ts'
import { runCli } from '../../../client/cli/cli.ts'
import { clientCommands } from '../../../client/cli/commands.ts'
import { realTimers } from '../../../protocol/real-world.ts'
import { FakeTerminal, type FakeTerminalOptions, openReal, sluice } from './fake-terminal.ts'

const turn = (): Promise<void> => new Promise(resolve => realTimers.endOfTurn(resolve))

async function withBroker(t: Test, options: TestBrokerOptions = { topics: { orders: 1 } }) {
  const broker = await startBroker(options)
  t.teardown(() => broker.close())
  const env = { SLUICE_SERVERS: broker.url }
  const run = (words: readonly string[], more: FakeTerminalOptions = {}) =>
    sluice(words, { env, ...more })
  const produce = (input: string, ...words: string[]) => run(['produce', ...words], { input })
  const consume = async (...words: string[]) => (await run(['consume', ...words])).terminal
  return { broker, env, run, produce, consume }
}

t.test('a line is a record, and consume prints it as a JSON line', async t => {
  const { produce, consume } = await withBroker(t)
  const sent = await produce('hello\nworld\n', 'orders', '-j')
  t.strictSame(sent.terminal.json, [
    { topic: 'orders', partition: 0, records: 2, firstOffset: 0, lastOffset: 1 },
  ])
  const { lines } = await consume('orders', '-o', ':end')
  const records = lines.map(line => JSON.parse(line))
  t.ok(Math.abs(records[0].timestamp - Date.now()) < 60_000)
  t.strictSame(
    records.map(record => ({ ...record, timestamp: 0 })),
    ['hello', 'world'].map((value, offset) => ({
      topic: 'orders',
      partition: 0,
      offset,
      timestamp: 0,
      key: null,
      value,
    })),
  )
})

t.test('keys, headers, tombstones, partitions and timestamps arrive', async t => {
  const { produce, run, consume } = await withBroker(t, { topics: { orders: 3 } })
  await produce(
    'a:1\nb:\nplain\n',
    'orders',
    '-K:',
    '-Z',
    '-H',
    'h=1',
    '-H',
    'h=2',
    '-H',
    'n',
    '-p1',
  )
  const { lines } = await consume('orders', '-e')
  t.match(
    lines.map(line => JSON.parse(line)),
    [
      { partition: 1, key: 'a', value: '1' },
      { partition: 1, key: 'b', value: null },
      { partition: 1, key: null, value: 'plain' },
    ],
  )
  t.strictSame(JSON.parse(lines[0] ?? '').headers, [
    { name: 'h', value: '1' },
    { name: 'h', value: '2' },
    { name: 'n', value: null },
  ])
  await produce('2|7|k|v\n', 'orders', '-f', '%p|%d|%k|%v\\n')
  const at = await consume('orders', '-p', '2', '-e', '-f', '%p:%o %d %k=%v\n')
  t.equal(at.text, '2:0 7 k=v\n')
  t.equal((await run(['produce', 'orders', '-p', '9'], { input: 'x' })).code, 3)
})

t.test('JSON keys that are equal are one key, whatever the order of their properties', async t => {
  const { produce, consume } = await withBroker(t)
  const input = '{"b":1,"a":2}|x\n{"a":2,"b":1}|y\n'
  t.equal((await produce(input, 'orders', '-K', '|', '--key-json')).code, 0)
  const { lines } = await consume('orders', '-e', '-f', '%k\n')
  t.strictSame(lines, ['{"a":2,"b":1}', '{"a":2,"b":1}'])
  t.equal((await produce('{x|y\n', 'orders', '-K', '|', '--key-json')).code, 2)
})

t.test('bytes that are not text are base64, and --jsonl copies them as they are', async t => {
  const { run, consume } = await withBroker(t, { topics: { orders: 1, copy: 1 } })
  const value = Uint8Array.of(0xff, 0, 10, 0x80)
  const files = { blob: value }
  t.equal((await run(['produce', 'orders', 'blob', '-F', '-k', 'k'], { files })).code, 0)
  const { text } = await consume('orders', '-e')
  t.match(JSON.parse(text), { key: 'k', value: '/wAKgA==', valueEncoding: 'base64' })
  t.equal((await run(['produce', 'copy', '--jsonl'], { input: text })).code, 0)
  const { bytes } = await consume('copy', '-e', '-f', '%v')
  t.strictSame([...bytes], [...value])
})

t.test('a typed number that would run together with another is no key', async t => {
  const { produce } = await withBroker(t)
  for (const key of ['12345678901234567890', '{"a":[1,9007199254740993]}', '1e400']) {
    const { code, terminal } = await produce(`${key}|v\n`, 'orders', '-K', '|', '--key-json')
    t.equal(code, 2, key)
    t.match(terminal.error, /KEY_NOT_CANONICAL/)
  }
  for (const key of ['9007199254740991', '0.1', '"12345678901234567890"']) {
    t.equal((await produce(`${key}|v\n`, 'orders', '-K', '|', '--key-json')).code, 0, key)
  }
})

t.test('what writes as it goes refuses --dry-run instead of writing', async t => {
  const { run, consume } = await withBroker(t)
  const { code, terminal } = await run(['produce', 'orders', '--dry-run'], { input: 'x\n' })
  t.equal(code, 2)
  t.match(terminal.error, 'produce has no --dry-run')
  t.equal((await run(['bench', 'produce', '-n', '10', '--dry-run'])).code, 2)
  t.equal((await consume('orders', '-e')).text, '')
})

t.test('a file that is not there is exit 3 before the first record leaves', async t => {
  const { run, consume } = await withBroker(t)
  const { code, terminal } = await run(['produce', 'orders', 'one', 'missing'], {
    files: { one: '1\n' },
  })
  t.equal(code, 3)
  t.match(terminal.error, 'error: "missing" does not exist (INVALID_ARGUMENT)')
  t.equal((await consume('orders', '-e')).text, '')
})

t.test('files come in their order, and - is stdin', async t => {
  const { run, consume } = await withBroker(t)
  const files = { one: '1\n2', two: '4\n' }
  await run(['produce', 'orders', 'one', '-', 'two'], { files, input: '3\n' })
  t.equal((await consume('orders', '-e', '-f', '%v')).text, '1234')
})

t.test('the offset grammar decides where consume begins and ends', async t => {
  const { produce, consume } = await withBroker(t)
  const lines = [...Array(10)].map((_, i) => `${1_700_000_000_000 + i * 1000} v${i}\n`).join('')
  await produce(lines, 'orders', '-f', '%d %v\\n')
  const read = async (...words: string[]) => (await consume('orders', ...words, '-f', '%o ')).text
  t.equal(await read('-o', ':end'), '0 1 2 3 4 5 6 7 8 9 ')
  t.equal(await read('-o', '3:6'), '3 4 5 ')
  t.equal(await read('-o', 'beginning:2'), '0 1 ')
  t.equal(await read('-o', 'earliest:latest', '-n', '1'), '0 ')
  t.equal(await read('-o', '7', '-e'), '7 8 9 ')
  t.equal(await read('-o', '-2', '-e'), '8 9 ')
  t.equal(await read('-o', '+8', '-e'), '8 9 ')
  t.equal(await read('-o', '@1700000004000', '-e'), '4 5 6 7 8 9 ')
  t.equal(await read('-o', '@1700000004000:1700000006000'), '4 5 ')
  t.equal(await read('-o', 's@1700000001500', '-o', 'e@1700000003500'), '2 3 ')
  t.equal(await read('-o', 'end', '-e'), '')
  t.equal(await read('-o', '5:5'), '')
  t.equal(await read('-n', '3'), '0 1 2 ')
  t.equal(await read('-n', '0'), '')
})

t.test('consume waits for more, and a signal ends it with 130', async t => {
  const { env, produce } = await withBroker(t)
  const terminal = new FakeTerminal({ env })
  const running = runCli(
    ['consume', 'orders', '-o', 'end', '-f', '%v\n'],
    { terminal, open: openReal },
    clientCommands,
  )
  for (let i = 0; !terminal.text.includes('late'); i++) {
    await produce(`late ${i}\n`, 'orders')
    await turn()
  }
  terminal.signal('SIGINT')
  t.equal(await running, 130)
  t.equal(terminal.error, '')
})

t.test('--meta-only shows sizes, --headers shows that there are none', async t => {
  const { produce, consume } = await withBroker(t)
  await produce('k:abc\n', 'orders', '-K:')
  const { text } = await consume('orders', '-e', '--meta-only', '--headers')
  const record = JSON.parse(text)
  t.strictSame(Object.keys(record), [
    'topic',
    'partition',
    'offset',
    'timestamp',
    'keyBytes',
    'valueBytes',
    'headers',
  ])
  t.match(record, { keyBytes: 1, valueBytes: 3, headers: [] })
})

t.test('wrong arguments are refused before anything is read or sent', async t => {
  const { run, consume } = await withBroker(t)
  const wrong = [
    ['produce'],
    ['produce', 'orders', '-f', '%v\\n', '-K', ':'],
    ['produce', 'orders', '-F'],
    ['produce', 'orders', '--acks', '2'],
    ['produce', 'orders', '-z', 'lzma'],
    ['produce', 'orders', '-H', '=x'],
    ['produce', 'orders', '-p', 'x'],
    ['consume', 'orders', '-o', 'middle'],
    ['consume', 'orders', '-p', '3-1'],
    ['consume', 'orders', '-f', '%q'],
    ['consume', 'orders', '-f', '%v', '-j'],
    ['consume'],
  ]
  for (const words of wrong) {
    t.equal((await run(words, { input: 'x\n' })).code, 2, words.join(' '))
  }
  t.equal((await consume('orders', '-e')).text, '', 'nothing was sent')
  t.equal((await run(['consume', 'nope', '-e'])).code, 3)
  t.equal((await run(['consume', 'nope'])).code, 3)
  t.equal((await run(['consume', 'orders', '-p', '5', '-e'])).code, 3)
  t.equal((await run(['produce', 'nope'], { input: 'x' })).code, 3)
})

t.test('input that breaks off in the middle says what was acked and ends with 7', async t => {
  const { run, consume } = await withBroker(t)
  const { code, terminal } = await run(['produce', 'orders', '-f', '%k %v\\n', '-j'], {
    input: 'a 1\nb 2\nbroken\n',
  })
  t.equal(code, 2)
  t.match(terminal.error, /record 3/)
  t.equal(
    (await consume('orders', '-e', '-f', '%k')).text,
    '',
    'a chunk is sent whole or not at all',
  )
})

t.test('a failing broker ends produce with what landed', async t => {
  const { broker, run } = await withBroker(t)
  async function* input(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one\n')
    // the first record has been answered when this is asked for again
    for (let i = 0; i < 50; i++) await turn()
    broker.fail('produce', { code: 'POLICY_VIOLATION', times: 100 })
    yield Buffer.from('two\n')
  }
  const { code, terminal } = await run(['produce', 'orders', '-j', '--timeout', '5s'], {
    input: input(),
  })
  t.match(terminal.json, [{ records: 1, lastOffset: 0 }])
  t.equal(code, 7)
  t.match(JSON.parse(terminal.error), {
    error: { code: 'POLICY_VIOLATION', message: /1 record was acked/ },
  })
})

t.test('input that is refused half way ends produce with what landed before it', async t => {
  const { run, consume } = await withBroker(t)
  async function* input(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a 1\nb 2\n')
    yield Buffer.from('nospace\nc 3\n')
  }
  const words = ['produce', 'orders', '-f', '%k %v\\n', '-j']
  const { code, terminal } = await run(words, { input: input() })
  t.equal(code, 7)
  t.match(terminal.json, [{ records: 2, firstOffset: 0, lastOffset: 1 }])
  t.match(JSON.parse(terminal.error), {
    error: { code: 'INVALID_ARGUMENT', message: /record 3 .*; 2 records were acked/ },
  })
  t.equal((await consume('orders', '-e', '-f', '%v')).text, '12')
})

/** An input that gives what it is told to and then nothing for ever, like a terminal. */
function endlessInput(first: string): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      yield Buffer.from(first)
      await new Promise(() => {})
    },
  }
}

t.test('a signal ends produce although stdin stays open; what was read is acked', async t => {
  const { env, consume } = await withBroker(t)
  const terminal = new FakeTerminal({ env, input: endlessInput('one\ntwo\nhalf') })
  const running = runCli(['produce', 'orders'], { terminal, open: openReal }, clientCommands)
  let seen = ''
  while (seen !== 'onetwo') seen = (await consume('orders', '-e', '-f', '%v')).text
  terminal.signal('SIGINT')
  t.equal(await running, 130)
  t.equal((await consume('orders', '-e', '-f', '%v')).text, 'onetwo', 'half a line is no record')
})

t.test('a failure ends produce although stdin stays open', async t => {
  const { broker, run } = await withBroker(t)
  broker.fail('produce', { code: 'POLICY_VIOLATION', times: 100 })
  const { code } = await run(['produce', 'orders'], { input: endlessInput('one\n') })
  t.equal(code, 4)
})

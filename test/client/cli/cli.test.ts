/**
 * Tests of cli.ts and commands.ts: words, options, help, signals, pipes and exit codes, without a
 * broker.
 */
import t from 'tap'
import { allCommands } from '../../../broker/cli/commands.ts'
import { runCli } from '../../../client/cli/cli.ts'
import { type Command, type CommandTree, defineLocalCommand } from '../../../client/cli/command.ts'
import { completionLines } from '../../../client/cli/completion.ts'
import { parseWords } from '../../../client/cli/parser.ts'
import { parsePlainWords } from '../../../client/cli/plain-words.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { FakeTerminal, openReal, sluice } from './fake-terminal.ts'

const entries = allCommands.flatMap(node => ('load' in node ? [node] : [...node.verbs]))

t.test('each command that is loaded is the one that the tree announces', async t => {
  for (const entry of entries) {
    const command = await entry.load()
    t.equal(command.usage, entry.usage)
    t.equal(command.about, entry.about)
  }
})

t.test('every option of every command has a type, so that 1e3 stays text', async t => {
  for (const entry of entries) {
    const { options } = await entry.load()
    for (const [name, option] of Object.entries(options))
      t.ok(option.type, `${entry.usage} --${name}`)
  }
})

t.test('the help of every command shows an example', async t => {
  for (const node of allCommands) {
    const verbs = 'load' in node ? [node.usage] : node.verbs.map(v => `${node.name} ${v.usage}`)
    for (const usage of verbs) {
      const words = usage.split(' ').filter(word => !/[<[]/.test(word))
      const { code, terminal } = await sluice([...words, '--help'], {}, allCommands)
      t.equal(code, 0, usage)
      t.match(terminal.text, /Examples:\n +(source <\()?.*sluice /, usage)
      t.equal(terminal.error, '')
    }
  }
})

/** A tree with one command that does what the test says. */
function treeOf(run: Command['run']): CommandTree {
  const command = defineLocalCommand({
    usage: 'do [thing]',
    about: 'Do',
    examples: [['$0 do', 'it']],
    positionals: { thing: { type: 'string' } },
    options: { 'max.size': { type: 'string' }, list: { type: 'string', array: true, nargs: 1 } },
    run: (context, args) => run(context, openReal, args),
  })
  return [{ usage: 'do [thing]', about: 'Do', load: async () => command }]
}

t.test('values stay text, lists stay lists, dots stay dots', async t => {
  let seen: unknown
  const tree = treeOf(async (_context, _open, args) => {
    seen = args
    return undefined
  })
  const words = ['do', '1e3', '--max.size', '007', '--list', 'a', '--list', '-5']
  const { code } = await sluice(words, {}, tree)
  t.equal(code, 0)
  t.match(seen, { thing: '1e3', 'max.size': '007', list: ['a', '-5'] })
})

t.test('a plain line means the same without the parser as with it', async t => {
  const lines = [
    'version',
    'version -j',
    'version --output json --quiet',
    'start --data-dir x --listen=127.0.0.1:0 --insecure',
    'bench produce --size 5B --keep --acks 1 --timeout 3s',
    'help offsets --output wide',
  ]
  for (const line of lines) {
    const words = line.split(' ')
    const plain = await parsePlainWords(words, allCommands)
    const full = await parseWords(words, new FakeTerminal(), allCommands)
    t.equal(plain?.command, full?.command, line)
    const { _: _words, $0: _script, ...args } = full?.args ?? {}
    const given = Object.fromEntries(Object.entries(args).filter(([, v]) => v !== undefined))
    t.strictSame({ ...plain?.args }, given, line)
  }
  const unusual = [
    'start --help',
    'start x',
    'start --no-insecure',
    'start --listen',
    'start --listen a --listen b',
    'start --listen --insecure',
    'version --output xml',
    'version -s a',
    'topic list',
    'consume t',
    'topic',
    'bench produce --config a=b',
  ]
  for (const line of unusual) {
    t.equal(await parsePlainWords(line.split(' '), allCommands), null, line)
  }
})

t.test('a wrong command line ends with 2, a hint, and without running anything', async t => {
  let ran = false
  const tree = treeOf(async () => {
    ran = true
    return undefined
  })
  const wrong = [
    [],
    ['nope'],
    ['do', '--nope'],
    ['do', '--output', 'xml'],
    ['do', '--timeout', 'soon'],
    ['do', '--max.size', '1', '--max.size', '2'],
    ['do', '-j', '--output', 'table'],
    ['do', 'a', 'b'],
  ]
  for (const words of wrong) {
    const { code, terminal } = await sluice(words, {}, tree)
    t.equal(code, 2, words.join(' '))
    t.equal(terminal.text, '', 'nothing on stdout')
    t.match(terminal.error, /^(error: .*\(INVALID_ARGUMENT\)|\{"error":.*INVALID_ARGUMENT.*)\n/)
  }
  t.notOk(ran)
})

t.test('what is wrong in a line is named, with the nearest right word', async t => {
  const lines: readonly (readonly [string, string, string])[] = [
    ['topik', 'unknown command "topik"', 'nearest: topic'],
    ['topic lst', 'unknown command "lst"', 'nearest: list'],
    ['foo', 'unknown command "foo"', 'commands: start, segment, topic'],
    ['start --lisen x', 'unknown option --lisen', 'nearest: --listen'],
    ['start --segment-bytes 5', 'unknown option --segment-bytes', 'nearest: --topic-segment-bytes'],
    ['start extra', 'one word too many: "extra"', 'add --help'],
    ['consume t -o', '-o needs a value', 'add --help'],
    ['consume', 'consume needs <topic..>', 'add --help'],
    ['topic add-partitions t', 'add-partitions needs <topic> <total>', 'add --help'],
    ['topic trim t', '--before is missing', 'add --help'],
    ['topic list --output xml', 'output cannot be "xml"', 'one of: table, wide'],
  ]
  for (const [line, message, hint] of lines) {
    const { code, terminal } = await sluice(line.split(' '), {}, allCommands)
    t.equal(code, 2, line)
    const [said = '', hinted = ''] = terminal.error.split('\n')
    t.equal(said, `error: ${message} (INVALID_ARGUMENT)`)
    t.ok(hinted.startsWith(`hint: ${hint}`), hinted)
  }
})

t.test('--version is the version command', async t => {
  const asked = await sluice(['--version', '-j'])
  t.equal(asked.code, 0)
  t.match(asked.terminal.json, { version: '0.0.0' })
})

t.test('a server without scheme and port is the port of sluice start', async t => {
  for (const [server, url] of [
    ['localhost', 'ws://localhost:9290'],
    ['[::1]', 'ws://[::1]:9290'],
    ['b1:9000', 'ws://b1:9000'],
    ['wss://b1', 'wss://b1'],
  ] as const) {
    let seen: readonly string[] = []
    const tree = treeOf(async ({ servers }) => {
      seen = servers
      return undefined
    })
    await sluice(['do', '-s', server], {}, tree)
    t.strictSame(seen, [url])
  }
})

t.test('under -j an error is one JSON object on stderr', async t => {
  for (const words of [
    ['do', '-j', '--nope'],
    ['do', '--output', 'json', '--nope'],
    ['do', '-qj'],
  ]) {
    const tree = treeOf(async () => {
      throw new SluiceError('TOPIC_ALREADY_EXISTS', 'there')
    })
    const { terminal } = await sluice(words, {}, tree)
    t.match(
      JSON.parse(terminal.error),
      { error: { code: String, message: String } },
      words.join(' '),
    )
  }
})

t.test('a signal aborts with 130 or 143, a second one ends at once', async t => {
  for (const [name, exit] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const terminal = new FakeTerminal()
    const tree = treeOf(({ signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          terminal.signal(name)
          reject(new SluiceError('ABORTED', 'aborted'))
        })
        terminal.signal(name)
      })
    })
    t.equal(await runCli(['do'], { terminal, open: openReal }, tree), exit)
    t.equal(terminal.exitedNow, exit)
    t.equal(terminal.error, '', 'an interrupt is no error')
    t.notOk(terminal.isListening, 'nobody listens afterwards')
  }
})

t.test('a command may end a signal with a code of its own', async t => {
  const terminal = new FakeTerminal()
  const tree = treeOf(async () => {
    terminal.signal('SIGTERM')
    return 0
  })
  t.equal(await runCli(['do'], { terminal, open: openReal }, tree), 0)
})

t.test(
  'when the reader of stdout goes away the command is aborted and ends quietly with 0',
  async t => {
    const terminal = new FakeTerminal()
    const tree = treeOf(({ signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new SluiceError('ABORTED', 'aborted')))
        terminal.closeOutput()
      })
    })
    t.equal(await runCli(['do'], { terminal, open: openReal }, tree), 0)
    t.equal(terminal.error, '')
  },
)

t.test('help pages are printed from their tables', async t => {
  const one = await sluice(['help', 'errors', 'unknown_topic_id', '-j'])
  t.strictSame(one.terminal.json, [
    {
      code: 'UNKNOWN_TOPIC_ID',
      kafkaCode: 100,
      retriable: false,
      exitCode: 3,
      meaning: 'The topic id is not the one of the topic that now has this name.',
      advice: 'The topic was made anew: start producers and consumers of it again.',
    },
  ])
  t.equal((await sluice(['help', 'errors', 'NOPE'])).code, 2)
  for (const page of ['exit-codes', 'offsets', 'formats', 'env']) {
    const { code, terminal } = await sluice(['help', page])
    t.equal(code, 0)
    t.ok(terminal.lines.length > 2, page)
  }
})

t.test('version has a stable JSON shape', async t => {
  const { terminal } = await sluice(['version', '-j'])
  t.strictSame(terminal.json, {
    version: '0.0.0',
    protocol: 'sluice.v1',
    node: 'v20.0.0',
    platform: 'linux x64',
  })
})

t.test('completion knows every noun, verb and flag', async t => {
  const lines = new Map((await completionLines(allCommands)).map(line => [line.path, line.words]))
  t.ok(lines.get('')?.includes('topic'))
  t.ok(lines.get('topic')?.includes('add-partitions'))
  t.ok(lines.get('topic create')?.includes('--partitions'))
  t.ok(lines.get('start')?.includes('--data-dir'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, terminal } = await sluice(['completion', shell], {}, allCommands)
    t.equal(code, 0)
    t.match(terminal.text, /add-partitions/)
  }
  t.equal((await sluice(['completion', 'tcsh'], {}, allCommands)).code, 2)
})

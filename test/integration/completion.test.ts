/** The completion script in a real bash: what Tab offers. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startBroker } from '../../broker/testing/index.ts'

const run = promisify(execFile)
const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))

const scriptOf = async (shell: string): Promise<string> =>
  (await run(process.execPath, [launcher, 'completion', shell])).stdout

/** What bash would offer for each line, the last word being the one at the cursor. */
async function offered(
  script: string,
  lines: readonly (readonly string[])[],
  env: Record<string, string> = {},
): Promise<string[][]> {
  const asks = lines.map(words => {
    const quoted = ['sluice', ...words].map(word => `'${word}'`).join(' ')
    const line = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; COMPREPLY=()`
    return `${line}; _sluice; echo "\${COMPREPLY[*]}"`
  })
  const sluice = `sluice() { '${process.execPath}' '${launcher}' "$@"; }`
  const program = [sluice, script, ...asks].join('\n')
  const { stdout } = await run('bash', ['--norc', '-c', program], {
    env: { ...process.env, ...env },
  })
  return stdout
    .split('\n')
    .slice(0, -1)
    .map(line => line.split(' ').filter(word => word !== ''))
}

t.test('bash is offered nouns, verbs, flags and values', async t => {
  const script = await scriptOf('bash')
  const [nouns, top, verbs, flags, behind, values, joined, valued, shells] = await offered(script, [
    [''],
    ['to'],
    ['topic', ''],
    ['topic', 'create', '--par'],
    ['-s', 'ws', ':', '//h', ':', '9290', '-q', 'topic', 'cr'],
    ['consume', '--output', ''],
    ['consume', '--output', '=', 'js'],
    ['consume', '--timeout', ''],
    ['completion', ''],
  ])
  t.ok(nouns?.includes('check') && nouns.includes('start'))
  t.same(top, ['topic'])
  t.ok(verbs?.includes('add-partitions'))
  t.same(flags, ['--partitions'])
  t.same(behind, ['create'], 'flags and their values before the noun are passed over')
  t.same(values, ['table', 'wide', 'json', 'jsonl', 'name'])
  t.same(joined, ['json', 'jsonl'])
  t.same(valued, [], 'a value that can be anything is left to the shell')
  t.ok(shells?.includes('fish'))
})

t.test('bash is offered the topics of the broker, and nothing where there is none', async t => {
  const broker = await startBroker({ topics: { orders: 1, 'orders.eu': 1, payments: 1 } })
  t.teardown(() => broker.close())
  const script = await scriptOf('bash')
  const lines = [
    ['consume', ''],
    ['topic', 'describe', 'or'],
    ['check', 'topic', '--max-age', '5m', 'pa'],
    ['topic', 'create', ''],
    ['consume', '--of'],
  ]
  const [all, some, checked, fresh, flag] = await offered(script, lines, {
    SLUICE_SERVERS: broker.url,
  })
  t.same(all, ['orders', 'orders.eu', 'payments'])
  t.same(some, ['orders', 'orders.eu'])
  t.same(checked, ['payments'])
  t.notOk(fresh?.includes('orders'), 'a topic to be made has no name yet')
  t.same(flag, ['--offset'])
  const [none] = await offered(script, [['consume', '']], { SLUICE_SERVERS: 'ws://127.0.0.1:1' })
  t.same(none, [])
})

t.test('zsh runs the script of bash, and fish gets one rule a line', async t => {
  const zsh = await scriptOf('zsh')
  t.equal(zsh, `autoload -U +X bashcompinit && bashcompinit\n${await scriptOf('bash')}`)
  const rules = (await scriptOf('fish')).trim().split('\n')
  const condition = /^complete -c sluice -n '(__fish_[a-z_]+( [a-z0-9-]+)?(; and )?)+' /
  const completes = /(-a [a-z0-9-]+|-l [a-z0-9-]+( -x -a '[a-z0-9 -]+')?|-a '\([^']+\)')$/
  for (const line of rules) {
    t.match(line, condition)
    t.match(line, completes)
  }
  t.ok(rules.length > 100)
})

/** JSON keys at the command line: what has no canonical form is refused, and nothing is sent. */
import t from 'tap'
import { startBroker } from '../../../broker/testing/index.ts'
import { sluice } from './fake-terminal.ts'

t.test('a key without a canonical form is refused by name; what came before is acked', async t => {
  const broker = await startBroker({ topics: { orders: 1 } })
  t.teardown(() => broker.close())
  const env = { SLUICE_SERVERS: broker.url }
  const words = ['produce', 'orders', '-K', '|', '--key-json']
  const nested = `${'['.repeat(40)}1${']'.repeat(40)}`
  for (const key of ['{"a":1e400}', '"\\ud800"', nested]) {
    const { code, terminal } = await sluice([...words, '-j'], { env, input: `${key}|v\n` })
    t.equal(code, 2, key)
    t.match(JSON.parse(terminal.error), { error: { code: 'KEY_NOT_CANONICAL' } })
    t.notMatch(terminal.text, /records/)
  }
  t.equal((await sluice(words, { env, input: '{"b":1,"a":2}|v\n' })).code, 0)
  const { terminal } = await sluice(['consume', 'orders', '-e', '-f', '%o %k\n'], { env })
  t.equal(terminal.text, '0 {"a":2,"b":1}\n')
})

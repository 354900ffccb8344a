/**
 * The real process: how it ends, seen from outside.
 */
import { spawnSync } from 'node:child_process'
import t from 'tap'

const source = new URL('../../../broker/world/real-process.js', import.meta.url).href

t.test('die says why on stderr, runs nothing more, and exits with 70', async t => {
  const { status, stdout, stderr } = run(`
    setTimeout(() => console.log('a timer ran'), 0)
    new RealProcess().die('fdatasync of x.log failed', new Error('EIO: i/o error'))
    console.log('went on')
  `)
  t.equal(status, 70)
  t.equal(stdout, '')
  t.match(stderr, /^FATAL: fdatasync of x\.log failed; the broker ends now/)
  t.match(stderr, /Error: EIO: i\/o error\n.*at /, 'with the stack of the cause')
})

t.test('die logs through what it was given, and ends the process even if that throws', async t => {
  const logged = run(
    `new RealProcess(line => console.log('LOG', line)).die('reason', 'plain cause')`,
  )
  t.equal(logged.status, 70)
  t.match(logged.stdout, /^LOG FATAL: reason; the broker ends now\nplain cause/)
  const broken = run(`
    const log = () => { throw new Error('no log') }
    new RealProcess(log).die('reason')
  `)
  t.equal(broken.status, 70)
})

function run(body: string) {
  const program = `import { RealProcess } from '${source}'\n${body}`
  const flags = ['--input-type=module', '--eval', program]
  return spawnSync(process.execPath, flags, { encoding: 'utf8' })
}

/** What the launcher sets before the first module loads. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const launcher = fileURLToPath(new URL('../../../broker/cli/launcher.cjs', import.meta.url))

/** The size of the thread pool that a command ran with. */
function poolSize(env: Record<string, string>): string {
  const hook = 'process.on("exit",()=>process.stderr.write("pool="+process.env.UV_THREADPOOL_SIZE))'
  const words = [
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    launcher,
    'version',
  ]
  const { UV_THREADPOOL_SIZE: _, ...inherited } = process.env
  const { stderr } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    env: { ...inherited, ...env },
  })
  return /pool=(\w+)$/.exec(stderr)?.[1] ?? stderr
}

t.test('the pool for files has sixteen threads, or what the user chose', async t => {
  t.equal(poolSize({}), '16')
  t.equal(poolSize({ UV_THREADPOOL_SIZE: '3' }), '3')
})

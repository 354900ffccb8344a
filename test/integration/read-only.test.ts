/** A data directory that may not be written: one clear error, its exit code, and nothing changed. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))

t.test('a broker on a read-only file system says so and ends with 4', async t => {
  const directory = t.testdir()
  const options = ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', directory]
  if (spawnSync('mount', options).status !== 0) {
    t.pass('a tmpfs is mounted', { skip: 'needs root' })
    return
  }
  try {
    for (const dataDir of [directory, join(directory, 'new')]) {
      const words = ['start', '--listen', '127.0.0.1:0', '--data-dir', dataDir]
      const ran = spawnSync(process.execPath, [launcher, ...words], {
        encoding: 'utf8',
        timeout: 15_000,
      })
      t.equal(ran.status, 4, ran.stderr)
      t.equal(ran.stdout, '')
      t.match(ran.stderr, /error: the data directory .* cannot be used: .*\(DATA_DIR_UNUSABLE\)/)
      t.match(ran.stderr, /^hint: /m)
    }
    t.same(readdirSync(directory), [])
  } finally {
    spawnSync('umount', ['--lazy', directory])
  }
})

/** The demo as `npm run demo` runs it: its exit code is the proof, its time has a limit. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const demo = fileURLToPath(new URL('../../bench/demo/demo.js', import.meta.url))

t.test('the demo finds every record after a kill, and leaves nothing behind', async t => {
  // a place of its own, for other demos may run on the machine
  const place = await mkdtemp(join(tmpdir(), 'sluice-demo-test-'))
  t.teardown(() => rm(place, { recursive: true, force: true }))
  const startedMs = performance.now()
  const child = spawn(process.execPath, [demo], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: place },
  })
  let said = ''
  child.stdout.on('data', chunk => {
    said += String(chunk)
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0, said)
  t.match(said, /SIGKILL .*[1-9][\d,]* records unanswered/)
  t.match(said, /consumed +102,420 records/)
  t.match(said, /checked +each record exactly once/)
  t.match(said, /throughput .* records\/s[\s\S]*p50 .* p99 [\s\S]*without acks at the longest/)
  t.ok(performance.now() - startedMs < 30_000, 'in under 30 seconds')
  t.strictSame(await readdir(place), [])
})

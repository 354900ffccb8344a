/** The lanes of bench/ as commands, at their smallest: they measure, check, and leave nothing. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const lane = (name: string): string =>
  fileURLToPath(new URL(`../../bench/${name}/run.js`, import.meta.url))

async function place(t: { teardown(work: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lanes-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

async function run(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ code: unknown; said: string }> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, words, { env: environment, stdio: [...stdio] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      said += String(chunk)
    })
  }
  const [code] = await once(child, 'close')
  return { code, said }
}

t.test('a curve is measured, told, and drawn; its directories are gone', async t => {
  const root = await place(t)
  const out = join(root, 'out')
  const words = ['--only', 'producers', '--tiny', '--seconds', '0.03']
  const { code, said } = await run([lane('curves'), ...words, '--root', root, '--out', out])
  t.equal(code, 0, said)
  t.match(said, /producers +singleRate[\s\S]*per doubling[\s\S]*1 curves, 0 points failed/)
  t.strictSame(await readdir(root), ['out'])
  t.match(await readFile(join(out, 'curve-producers.svg'), 'utf8'), /^<svg [\s\S]*<circle /)
  const facts = JSON.parse(await readFile(join(out, 'curves.json'), 'utf8'))
  t.equal(facts.entries.length, 1)
  for (const { points, failures, disk, commit } of facts.entries) {
    t.match({ disk, commit }, { disk: { syncP50Ms: Number }, commit: String })
    t.equal(points.length, 4)
    t.strictSame(failures, [])
  }
})

t.test('a peer that is not installed is skipped with the command that installs it', async t => {
  const root = await place(t)
  const words = [lane('peers'), '--rounds', '1', '--seconds', '0.1', '--root', root]
  const { code, said } = await run(words, { ...process.env, PATH: root })
  t.equal(code, 0, said)
  t.match(said, /SKIP +fsync +redis: .*apt-get install redis-server/)
  t.match(said, /SKIP +page +nats: .*apt-get install nats-server/)
  t.match(said, /0 runs, .* 4 skipped, 0 failed/)
  t.strictSame(await readdir(root), [])
})

t.test('with redis-server here, both are measured and every record is compared', async t => {
  const isAbsent = spawnSync('redis-server', ['--version']).error !== undefined
  if (isAbsent) return t.pass('both are measured', { skip: 'there is no redis-server here' })
  const root = await place(t)
  const words = ['--only', 'redis', '--class', 'fsync', '--rounds', '1', '--seconds', '0.1']
  const { code, said } = await run([lane('peers'), ...words, '--root', root])
  t.equal(code, 0, said)
  t.match(said, /fsync +stream 100 B +produce +redis .* × [\d.]+ \(/)
  t.match(said, /8 runs, every record read back and compared; 0 skipped, 0 failed/)
  t.strictSame(await readdir(root), [])
})

t.test('wrong words end with exit 2 and say what is wrong', async t => {
  for (const words of [
    [lane('curves'), '--only', 'nonsense'],
    [lane('peers'), '--only', 'kafka'],
    [lane('peers'), '--class', 'sometimes'],
    [lane('curves'), '--record', '--tiny'],
  ]) {
    const { code, said } = await run(words)
    t.equal(code, 2, said)
    t.match(said, /nonsense|--kafka host:port|--class is|--record is for full/)
  }
})

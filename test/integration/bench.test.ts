/** The bench as processes: the quick suite, and what only a real broker process can show. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startBrokerProcess } from '../../bench/demo/broker-process.ts'
import { connect } from '../../client/index.ts'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))
const suite = fileURLToPath(new URL('../../bench/run.js', import.meta.url))

async function run(program: string, words: readonly string[]) {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '' },
  })
  let text = ''
  let error = ''
  child.stdout.on('data', chunk => {
    text += String(chunk)
  })
  child.stderr.on('data', chunk => {
    error += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text, error }
}

async function directoryOf(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  return directory
}

t.test('the quick suite measures rows of every kind and leaves nothing but results', async t => {
  const directory = await directoryOf(t)
  const out = join(directory, 'results')
  const only = 'produce-100b,consume-100b-disk,e2e-10k,first-ack,partition-rss'
  const words = ['--quick', '--only', only, '--dir', directory, '--out', out]
  const { code, text, error } = await run(suite, words)
  t.equal(code, 0, text + error)
  t.match(text, /quick {3}produce-100b +[\d,]+ records\/s/)
  t.match(text, /5 rows measured and verified, 0 failed\n$/)
  t.strictSame(await readdir(directory), ['results'])
  const summary = await readFile(join(out, 'summary.json'), 'utf8')
  t.equal((JSON.parse(summary) as { rows: unknown[] }).rows.length, 5)
  const files = await Promise.all(
    (await readdir(out)).map(name => readFile(join(out, name), 'utf8')),
  )
  t.notOk(
    files.some(content => content.includes(directory)),
    'no path of this machine',
  )
})

t.test('words that are wrong end the suite with 2', async t => {
  for (const words of [['--only', 'none'], ['--repeat', '0'], ['--fast']]) {
    t.equal((await run(suite, words)).code, 2, words.join(' '))
  }
})

t.test('a broker on this machine is found, and so are its disk and what it used', async t => {
  const dataDir = await directoryOf(t)
  const broker = await startBrokerProcess({ dataDir })
  t.teardown(() => broker.kill())
  const html = join(dataDir, 'page.html')
  const load = ['--rate', '100', '--duration', '5500ms']
  const words = ['bench', 'produce', ...load, '-s', broker.url, '-j', '--html', html]
  const { code, text, error } = await run(launcher, words)
  t.equal(code, 0, error)
  const report = JSON.parse(text) as { used: { brokerCpuSeconds: number }; machine: object }
  t.match(report, {
    disk: { directory: dataDir, syncP50Ms: Number, megabytesPerSecond: Number },
    used: { clientCpuSeconds: Number, brokerCpuSeconds: Number, brokerRssBytes: Number },
    machine: { node: process.version, kernel: String, nodeFlags: [] },
    verified: { isSound: true },
    generator: { nsPerRecord: Number, share: Number },
  })
  t.ok(report.used.brokerCpuSeconds > 0)
  t.match(
    error,
    /^00:05 {2}[\d,]+ records\/s {3}[\d,.]+ MB\/s {3}p50 [\d.]+ ms {3}p99 [\d.]+ ms\n/m,
  )
  t.match(await readFile(html, 'utf8'), /<svg /)
  t.strictSame(
    (await readdir(dataDir)).filter(name => name.startsWith('.sluice-bench')),
    [],
  )
})

t.test('an interrupted bench ends with 130 and takes its topic away', async t => {
  const dataDir = await directoryOf(t)
  const broker = await startBrokerProcess({ dataDir })
  t.teardown(() => broker.kill())
  const load = ['--rate', '100', '--duration', '60s', '--topic', 'gone', '--disk', 'none']
  const words = [launcher, 'bench', 'produce', ...load, '-s', broker.url]
  const child = spawn(process.execPath, words, { stdio: 'ignore' })
  const client = await connect({ servers: broker.url })
  t.teardown(() => client.close())
  const consumer = client.consumer({ assign: [{ topic: 'gone', partition: 0 }] })
  while ((await client.admin.topics.list()).length === 0) await sleep(50)
  // a record has come, so the load runs
  for await (const _ of consumer) break
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 130)
  t.strictSame(await client.admin.topics.list(), [])
})

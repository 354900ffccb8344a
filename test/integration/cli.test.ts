/** The installed command as a process: start-up time, pipes, signals, exit codes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startBrokerProcess } from '../../bench/demo/broker-process.ts'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly signal: string | null
  readonly text: string
  readonly error: string
}

function run(words: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [launcher, ...words], { env: { ...process.env, ...env } })
}

async function ended(child: ChildProcess, input = ''): Promise<Ran> {
  let text = ''
  let error = ''
  child.stdout?.on('data', chunk => {
    text += String(chunk)
  })
  child.stderr?.on('data', chunk => {
    error += String(chunk)
  })
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [code, signal] = await once(child, 'close')
  return { code, signal, text, error }
}

async function brokerOf(t: Test) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-cli-'))
  const broker = await startBrokerProcess({ dataDir })
  t.teardown(async () => {
    await broker.kill()
    await rm(dataDir, { recursive: true, force: true })
  })
  return broker
}

/** Shortest of a few runs: the machine may be busy with other tests. */
async function shortestMs(runs: number, words: readonly string[]): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < runs; i++) {
    const startedMs = performance.now()
    await ended(words.length === 0 ? spawn(process.execPath, ['-e', '0']) : run(words))
    best = Math.min(best, performance.now() - startedMs)
  }
  return best
}

t.test('sluice version starts nearly as fast as node itself', async t => {
  const bareMs = await shortestMs(5, [])
  const versionMs = await shortestMs(5, ['version'])
  t.ok(versionMs < 150 + Math.max(0, bareMs - 60), `${versionMs} ms, bare node ${bareMs} ms`)
})

t.test('| head ends consume quietly with 0', async t => {
  const { url } = await brokerOf(t)
  const env = { SLUICE_SERVERS: url }
  t.equal((await ended(run(['topic', 'create', 'many'], env))).code, 0)
  const input = 'a line that is long enough to fill a pipe soon\n'.repeat(20_000)
  t.equal((await ended(run(['produce', 'many'], env), input)).code, 0)
  const child = run(['consume', 'many'], env)
  child.stdout?.once('data', () => child.stdout?.destroy())
  let error = ''
  child.stderr?.on('data', chunk => {
    error += String(chunk)
  })
  const [code, signal] = await once(child, 'exit')
  t.strictSame([code, signal, error], [0, null, ''])
})

t.test('SIGINT ends a waiting consume with 130, and it said what came', async t => {
  const { url } = await brokerOf(t)
  const env = { SLUICE_SERVERS: url }
  await ended(run(['topic', 'create', 'few'], env))
  await ended(run(['produce', 'few'], env), 'one\n')
  const child = run(['consume', 'few', '-f', '%v\n'], env)
  child.stdout?.once('data', () => child.kill('SIGINT'))
  const { code, text, error } = await ended(child)
  t.strictSame([code, text, error], [130, 'one\n', ''])
})

t.test('SIGTERM stops a broker with 0, and its directory is free at once', async t => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-cli-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  for (let i = 0; i < 2; i++) {
    const broker = await startBrokerProcess({ dataDir })
    t.equal(await broker.stop(), 0)
  }
})

t.test('errors go to stderr with their exit code, stdout stays empty', async t => {
  const { code, text, error } = await ended(run(['topic', 'list', '-s', '127.0.0.1:1', '-j']))
  t.equal(code, 5)
  t.equal(text, '')
  t.match(JSON.parse(error), { error: { code: 'BROKER_NOT_AVAILABLE', retriable: true } })
})

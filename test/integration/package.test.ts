/**
 * The package as npm packs it, installed in another folder: what is in it, that its binary starts a
 * broker, and that a TypeScript program which imports it is checked and runs there.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t from 'tap'
import { root } from '../support/repository.ts'

const run = promisify(execFile)

const program = `
import { connect, json, string } from 'sluice'
import { startBroker } from 'sluice/testing'
import { createBroker } from 'sluice/broker'
import { apis } from 'sluice/protocol'
await using broker = await startBroker({ topics: { orders: 3 } })
await using client = await connect({ servers: broker.url })
const orders = client.topic('orders', { key: string(), value: json<{ id: number }>() })
const ack: { reached: string } = await orders.send({ key: 'eu', value: { id: 3 } })
const consumer = client.consumer({ topics: [orders], start: 'earliest', stopAtEnd: true })
for await (const record of consumer) console.log(ack.reached, record.key, record.value?.id)
console.log(typeof createBroker, Object.keys(apis).includes('produce'))
`

const compilerOptions = {
  module: 'nodenext',
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable'],
  strict: true,
  skipLibCheck: false,
  types: ['node'],
}

/** The packed files as `node_modules/sluice`; dependencies are links to the ones installed here. */
async function install(folder: string): Promise<string[]> {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const { stdout } = await run('npm', pack, { cwd: root })
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[]
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'sluice'), { recursive: true })
  const tar = ['-xzf', join(folder, packed?.filename ?? ''), '--strip-components=1']
  await run('tar', [...tar, '-C', join(modules, 'sluice')])
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  return packed?.files.map(file => file.path) ?? []
}

t.test('the packed package installs elsewhere, type-checks and runs', async t => {
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['program.ts'] }),
    'program.ts': program,
  })
  const files = await install(folder)
  const strays = files.filter(path => !/^(dist\/(protocol|client|broker)\/|[^/]+$)/.test(path))
  t.strictSame(strays, [], 'only the three rooms and the files of the root are packed')
  t.strictSame(files.filter(path => !path.includes('/')).sort(), [
    'LICENSE',
    'README.md',
    'package.json',
  ])
  t.strictSame(
    files.filter(path => /\.map$|\.tsbuildinfo$/.test(path)),
    [],
  )

  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', folder])
  const { stdout } = await run(process.execPath, [join(folder, 'program.js')], { cwd: folder })
  t.equal(stdout, 'fsynced eu 3\nfunction true\n')
})

t.test('its binary starts a broker, says so in one line, and stops on SIGTERM', async t => {
  const folder = t.testdir({})
  await install(folder)
  const home = join(folder, 'node_modules/sluice')
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    bin: { sluice: string }
  }
  const words = ['start', '--listen', '127.0.0.1:0', '--data-dir', join(folder, 'data')]
  const child = spawn(process.execPath, [join(home, manifest.bin.sluice), ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', line => lines.push(line))
  await once(reader, 'line')
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 0)
  t.equal(lines.length, 1)
  t.match(lines[0], /^ready ws:\/\/127\.0\.0\.1:\d+ /)
})

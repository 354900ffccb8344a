/**
 * What a newcomer copies from the README works: the session at the command line is run line by
 * line, the TypeScript example is compiled against the package's own exports and run, both with a
 * real broker.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startBroker } from '../../broker/testing/index.ts'
import { readSource, root } from '../support/repository.ts'

const run = promisify(execFile)

/** The first block of ```ts in the README. */
function example(): string {
  const block = /^```ts\n([\s\S]*?)^```$/m.exec(readSource('README.md'))?.[1]
  if (block === undefined) throw new Error('README.md has no block of TypeScript')
  return block
}

/** Says what tsc says, as a test's output should. */
async function compile(folder: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  try {
    await run(process.execPath, [tsc, '-p', folder])
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

t.test('the example of the README compiles and prints what it produced', async t => {
  await using broker = await startBroker({ topics: { orders: 3 } })
  // Below the package's root, so that `sluice` is this package by its own name.
  const folder = t.testdir({
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { rootDir: '.', outDir: '.', incremental: false, noEmitOnError: true },
      include: [],
      files: ['example.ts'],
    }),
  })
  const url = 'ws://127.0.0.1:9290'
  t.match(example(), url, 'it connects to the default address')
  writeFileSync(join(folder, 'example.ts'), example().replaceAll(url, broker.url))

  t.equal(await compile(folder), '', 'tsc has no complaint')
  const { stdout } = await run(process.execPath, [join(folder, 'example.js')])
  t.match(stdout, /^partition \d, offset 0, (fsynced|written)\n0 eu \{ id: 3 \}\n$/)
})

/** The lines after `$` of the first session, with this build's binary in the place of npx. */
function sessionLines(): string[] {
  const session = /^## A first session\n\n```\n([\s\S]*?)^```$/m.exec(readSource('README.md'))?.[1]
  const binary = `${process.execPath} ${join(root, 'dist/broker/cli/launcher.cjs')}`
  const lines = [...(session ?? '').matchAll(/^\$ (.+)$/gm)].map(([, line = '']) => line)
  return lines.map(line => line.replaceAll('npx sluice', binary))
}

t.test('the session of the README does what it says', async t => {
  await using broker = await startBroker()
  const [start, ...lines] = sessionLines()
  t.match(start, / start\b/, 'it begins with the broker, which is there already')
  t.equal(lines.length, 3)

  const env = { ...process.env, SLUICE_SERVERS: broker.url }
  const outputs: string[] = []
  for (const line of lines) outputs.push((await run('bash', ['-c', line], { env })).stdout)
  const records = outputs
    .at(-1)
    ?.trim()
    .split('\n')
    .map(line => JSON.parse(line) as { key: string; value: string })
  t.same(records?.map(({ key, value }) => [key, value]).sort(), [
    ['eu', '{"id":1}'],
    ['us', '{"id":2}'],
  ])
})

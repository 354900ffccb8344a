/**
 * The README's TypeScript example is compiled against the package's own exports and run against a
 * real broker, so what a newcomer copies works.
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

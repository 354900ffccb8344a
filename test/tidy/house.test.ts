/**
 * The house rules, checked on the repository as it is. What each rule means is proven on planted
 * violations in planted.test.ts; here nothing may be found.
 */
import t from 'tap'
import { readSource, root, sourceFiles } from '../support/repository.ts'
import { type Finding, runBiome, runCruiser } from './checkers.ts'
import { isLoadedAtOnce, packageOf, reachedFrom } from './import-graph.ts'
import { checkSource } from './source-rules.ts'

/** What outsiders run or import; everything in the three rooms must be there for one of them. */
const entries = [
  'protocol/index.ts',
  'client/index.ts',
  'broker/index.ts',
  'broker/testing/index.ts',
  'broker/cli/launcher.cts',
  'broker/cli/main.ts',
]

const render = (findings: readonly Finding[]): string[] =>
  findings.map(({ rule, file, message }) => `${file} breaks ${rule}: ${message}`).sort()

t.test('every source file keeps the limits, the bans and the format that Biome checks', async t => {
  t.same(render(await runBiome(root)), [])
})

t.test(
  'every source file opens with its comment, is 100 columns wide and holds no leftovers',
  async t => {
    const findings = sourceFiles().flatMap(path => checkSource(path, readSource(path)))
    t.same(render(findings), [])
  },
)

t.test('imports', async t => {
  const { findings, modules } = await runCruiser(root)

  t.test('go downward, through the doors, and never in a circle', async t => {
    t.same(render(findings), [])
  })

  t.test('of the SDK load ws and fast-json-stable-stringify and no other package', async t => {
    const loaded = reachedFrom(modules, ['client/index.ts'], isLoadedAtOnce)
    const packages = [...loaded].map(packageOf).filter(name => name !== null)
    t.same([...new Set(packages)].sort(), ['fast-json-stable-stringify', 'ws'])
  })

  t.test('of the test runner leave out tap, which would end it as a hung test', async t => {
    const loaded = reachedFrom(modules, ['test/support/run-tests.ts'], isLoadedAtOnce)
    const packages = [...loaded].map(packageOf).filter(name => name !== null)
    t.same([...new Set(packages)], ['tap-parser'])
  })

  t.test('reach every file of protocol/, client/ and broker/ from an entry point', async t => {
    const reached = reachedFrom(modules, entries)
    const sources = sourceFiles().filter(path => /^(protocol|client|broker)\//.test(path))
    t.same(
      sources.filter(path => !reached.has(path)),
      [],
    )
    t.same(
      entries.filter(entry => !reached.has(entry)),
      [],
      'the entry points exist',
    )
  })
})

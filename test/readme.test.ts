/**
 * The README says what the code says: generated tables are fresh, the commands it shows exist, and
 * each dependency has the line that explains it.
 */
import t from 'tap'
import { generatedParts, partOf, withParts } from './support/docs.ts'
import { readSource } from './support/repository.ts'

const readme = readSource('README.md')
const manifest = JSON.parse(readSource('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: object
  readonly optionalDependencies: object
  readonly devDependencies: object
}

for (const [name, render] of Object.entries(generatedParts)) {
  t.test(`the ${name} table is what the code says now (else: npm run docs)`, async t => {
    t.equal(partOf(readme, name), render().trim())
  })
}

t.test('a stale table is made anew, and the text around it stays', async t => {
  const around = (part: string): string =>
    Object.keys(generatedParts)
      .map(
        name => `text before\n<!-- ${name}:begin -->\n${part}\n<!-- ${name}:end -->\ntext after\n`,
      )
      .join('')
  const fresh = withParts(around('old'))
  const parts = Object.keys(generatedParts).length
  t.equal(fresh.match(/^text (before|after)$/gm)?.length, 2 * parts)
  t.notMatch(fresh, /^old$/m)
  t.match(fresh, '`OFFSET_OUT_OF_RANGE`')
  t.equal(withParts(around('')), fresh, 'an empty part is filled')
  t.throws(() => withParts('no markers'), { message: /no markers for config/ })
})

t.test('it shows the two commands, and every npm script that it names exists', async t => {
  t.match(readme, 'npm ci && npm run demo')
  t.match(readme, 'npm ci && npm test')
  const named = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name)
  t.same(
    named.filter(name => !Object.hasOwn(manifest.scripts, name)),
    [],
  )
})

t.test('every dependency has one line that says why', async t => {
  const { dependencies, optionalDependencies, devDependencies } = manifest
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })
  const section = /^## Dependencies\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readme)?.[1] ?? ''
  const explained = [...section.matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  t.same(
    names.filter(name => !explained.includes(name)),
    [],
    'none is missing',
  )
  t.same(
    explained.filter(name => !names.includes(name ?? '')),
    [],
    'none is explained that is not there',
  )
})

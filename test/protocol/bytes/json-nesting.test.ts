/** Tests of json-nesting.ts. */
import fc from 'fast-check'
import t from 'tap'
import { nestsDeeperThan } from '../../../protocol/bytes/json-nesting.ts'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

t.test('any value nests as deep as its brackets say, and no deeper', async t => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), value => {
      const json = JSON.stringify(value)
      const depth = depthOf(value)
      return !nestsDeeperThan(json, depth) && (depth === 0 || nestsDeeperThan(json, depth - 1))
    }),
  )
  t.pass('all agree')
})

t.test('brackets and quotes within strings do not count', async t => {
  t.notOk(nestsDeeperThan(JSON.stringify(['[[[[{{{{', '"[', '\\', '[']), 1))
})

t.test('a text of a million levels is told without a stack', async t => {
  t.ok(nestsDeeperThan('['.repeat(1_000_000), 64))
  t.ok(nestsDeeperThan('['.repeat(1_000_000), 999_999))
  t.notOk(nestsDeeperThan('[]'.repeat(1_000_000), 1))
})

/** Numbered values: the check that every measured record goes through can fail. */
import t from 'tap'
import { dueMsOf, NumberedCheck, NumberedValues } from '../../../bench/support/numbered-values.ts'

const taken = (sizeBytes: number, count: number): Uint8Array[] => {
  const values = new NumberedValues(sizeBytes, 4)
  return Array.from({ length: count }, (_, n) => new Uint8Array(values.take(n + 0.5)))
}

const problemOf = (sizeBytes: number, values: readonly Uint8Array[]): string | null => {
  const check = new NumberedCheck(sizeBytes, 4)
  for (const value of values) check.saw(value)
  return check.problem
}

t.test('what was taken passes in its order, whatever the size', async t => {
  for (const size of [6, 10, 14, 15, 100]) t.equal(problemOf(size, taken(size, 9)), null)
  const [, second] = taken(14, 2)
  t.equal(dueMsOf(second ?? new Uint8Array(14)), 1.5)
})

t.test('a lost, doubled, moved, cut or changed record is named', async t => {
  const all = taken(20, 4)
  const [a, b, c, d] = all as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  t.equal(problemOf(20, [a, c]), 'record 2 came where 1 was due')
  t.equal(problemOf(20, [a, a]), 'record 0 came where 1 was due')
  t.equal(problemOf(20, [a, b, d, c]), 'record 3 came where 2 was due')
  t.equal(problemOf(20, [a, b.subarray(1)]), 'record 1 has 19 bytes, not 20')
  const changed = new Uint8Array(b)
  changed[15] = 255 - (b[15] ?? 0)
  t.equal(problemOf(20, [a, changed]), 'record 1 has other content at byte 15')
  changed.set(b)
  changed[19] = 255 - (b[19] ?? 0)
  const quick = new NumberedCheck(20, 4, 'last byte')
  for (const value of [a, changed]) quick.saw(value)
  t.equal(quick.problem, 'record 1 has other content at byte 19')
})

t.test('a count that is not the expected one is an error', async t => {
  const check = new NumberedCheck(20, 4)
  for (const value of taken(20, 3)) check.saw(value)
  check.require(3)
  t.throws(() => check.require(4), /3 records came, 4 were sent/)
})

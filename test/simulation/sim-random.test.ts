/**
 * The generator of every draw: repeatable, independent streams, sane distributions.
 */
import t from 'tap'
import { SimRandom } from './sim-random.ts'

t.test('a stream depends on seed and name alone, not on what others drew', async t => {
  const one = new SimRandom(42)
  const other = new SimRandom(42)
  for (let draw = 0; draw < 100; draw++) other.next()
  const [a, b] = [one.stream('net'), other.stream('net')]
  t.same(draws(a), draws(b))
  t.notSame(draws(new SimRandom(42).stream('disk')), draws(new SimRandom(42).stream('net')))
  t.notSame(draws(new SimRandom(43).stream('net')), draws(new SimRandom(42).stream('net')))
  t.notSame(draws(new SimRandom(42 + 2 ** 32)), draws(new SimRandom(42)), 'high seed bits count')
})

t.test('draws stay in their ranges and fill them', async t => {
  const random = new SimRandom(1)
  for (const bits of [1, 8, 31, 32, 33, 52]) {
    const values = Array.from({ length: 500 }, () => random.bits(bits))
    t.ok(values.every(value => Number.isSafeInteger(value) && value >= 0 && value < 2 ** bits))
    t.ok(Math.max(...values) > 2 ** bits * 0.4, `${bits} bits are used`)
  }
  const fractions = Array.from({ length: 10_000 }, () => random.fraction())
  t.ok(fractions.every(value => value >= 0 && value < 1))
  t.ok(Math.abs(mean(fractions) - 0.5) < 0.02)
  const delays = Array.from({ length: 10_000 }, () => random.exponential(5))
  t.ok(Math.abs(mean(delays) - 5) < 0.3)
  const dice = new Set(Array.from({ length: 1000 }, () => random.between(1, 6)))
  t.same([...dice].sort(), [1, 2, 3, 4, 5, 6])
  t.equal(new Set(random.bytes(4096)).size, 256)
})

t.test('what is no seed is refused', async t => {
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 60]) t.throws(() => new SimRandom(seed), /seed/)
})

function draws(random: SimRandom): number[] {
  return Array.from({ length: 20 }, () => random.next())
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

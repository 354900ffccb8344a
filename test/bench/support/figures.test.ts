/** Figures: medians, quantiles, ratios of rounds, and how they are written. */
import t from 'tap'
import {
  median,
  quantile,
  ratioOfRounds,
  spreadOf,
  threeDigits,
} from '../../../bench/support/figures.ts'

t.test('a median is the middle value, or the mean of the two in the middle', async t => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([4, 1, 2, 9]), 3)
  t.throws(() => median([]), RangeError)
})

t.test('a quantile is the value that so many do not exceed', async t => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n)
  t.equal(quantile(values, 0.5), 50)
  t.equal(quantile(values, 0.99), 99)
  t.equal(quantile(values, 1), 100)
  t.equal(quantile(values, 0), 1)
  t.equal(quantile([30, 10, 20], 0.5), 20, 'half of three is more than one')
  t.throws(() => quantile([], 0.5), RangeError)
})

t.test('a ratio is that of the medians, its spread that of the rounds one by one', async t => {
  t.strictSame(ratioOfRounds([10, 40, 20], [10, 10, 10]), { ratio: 2, min: 1, max: 4 })
  // the medians come from different rounds
  t.strictSame(ratioOfRounds([8, 2, 4], [1, 4, 2]), { ratio: 2, min: 0.5, max: 8 })
  t.throws(() => ratioOfRounds([1, 2], [1]), RangeError)
  t.throws(() => ratioOfRounds([1], [0]), RangeError)
})

t.test('a spread is median, least and most', async t => {
  t.strictSame(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
})

t.test('a figure is written with three digits that mean something', async t => {
  const written = [0, 0.01234, 0.5, 1.005, 12.34, 123.4, 999.9, 1234.5, 2_345_678]
  t.strictSame(written.map(threeDigits), [
    '0',
    '0.0123',
    '0.500',
    '1.00',
    '12.3',
    '123',
    '1,000',
    '1,230',
    '2,350,000',
  ])
})

/** Buckets count as Prometheus counts, and quantiles are never above what was seen. */
import t from 'tap'
import {
  FixedHistogram,
  RecentHistogram,
  recordsBounds,
  secondsBounds,
} from '../../../broker/metrics/fixed-histogram.ts'

t.test('bounds go from a quarter of a millisecond to sixteen seconds', async t => {
  t.equal(secondsBounds[0], 0.000_25)
  t.equal(secondsBounds.at(-1), 16.384)
  t.equal(recordsBounds.at(-1), 2 ** 20)
})

t.test(
  'a value on a bound counts in its bucket, one above all bounds in none but the sum',
  async t => {
    const histogram = new FixedHistogram([1, 2, 4])
    for (const value of [0, 1, 1.5, 2, 4, 9]) histogram.observe(value)
    t.same(histogram.cumulative(), [2, 4, 5])
    t.equal(histogram.count, 6)
    t.equal(histogram.sum, 17.5)
    t.equal(histogram.max, 9)
  },
)

t.test('a quantile is a bound that enough values are not above', async t => {
  const histogram = new FixedHistogram([1, 2, 4])
  t.equal(histogram.quantile(0.99), 0)
  for (const value of [0.5, 0.5, 1.5, 3]) histogram.observe(value)
  t.equal(histogram.quantile(0.5), 1)
  t.equal(histogram.quantile(0.75), 2)
  t.equal(histogram.quantile(1), 3, 'not above the largest value')
  histogram.observe(50)
  t.equal(histogram.quantile(1), 50)
})

t.test('one slow value among many is the median of nothing, in whichever window it is', async t => {
  const recent = new RecentHistogram([1, 2, 4], 1000)
  recent.observe(4, 0)
  for (let i = 0; i < 1000; i++) recent.observe(1, 1000)
  t.match(recent.summary(1000), { count: 1001, p50: 1, p99: 1, max: 4 })
})

t.test('what is recent is forgotten after one to two windows', async t => {
  const recent = new RecentHistogram([1, 2, 4], 1000)
  recent.observe(3, 0)
  t.match(recent.summary(900), { count: 1, max: 3 })
  recent.observe(1, 1000)
  t.match(recent.summary(1900), { count: 2, max: 3 })
  t.match(recent.summary(2100), { count: 1, max: 1 })
  t.match(recent.summary(9000), { count: 0, max: 0, p99: 0 })
})

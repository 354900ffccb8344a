/** Tests of units.ts: counts, sizes, durations, partitions, and how numbers are shown. */
import t from 'tap'
import {
  parseCount,
  parseDuration,
  parsePartitions,
  parseSize,
  parseWhole,
  showDuration,
  showNumber,
  showSize,
} from '../../../client/cli/units.ts'

t.test('counts, sizes and durations are read with their units', async t => {
  t.strictSame(['5', '50k', '1M', '2.5M'].map(parseCount), [5, 50_000, 1e6, 2.5e6])
  t.strictSame(
    ['128', '128B', '64KiB', '64K', '1MiB', '1MB', '1kb'].map(parseSize),
    [128, 128, 65536, 65536, 1048576, 1_000_000, 1000],
  )
  t.strictSame(
    ['0ms', '250ms', '10s', '1.5m', '2h', '7d'].map(parseDuration),
    [0, 250, 10_000, 90_000, 7_200_000, 604_800_000],
  )
  t.equal(parseWhole('42'), 42)
})

t.test('what is no count, size or duration is refused with the value', async t => {
  for (const text of ['', 'x', '-1', '1e3', '5kk', '1 k k', 'NaN', '9'.repeat(20)]) {
    t.throws(() => parseCount(text), { code: 'INVALID_ARGUMENT', message: `"${text}"` }, text)
  }
  t.throws(() => parseSize('5ms'), { code: 'INVALID_ARGUMENT' })
  t.throws(
    () => parseDuration('10'),
    { code: 'INVALID_ARGUMENT', hint: /250ms/ },
    'a duration needs its unit',
  )
  t.throws(() => parseWhole('1.5'), { code: 'INVALID_ARGUMENT' })
})

t.test('partitions are lists and ranges, sorted, each once', async t => {
  t.strictSame(parsePartitions(['3', '0-2,2', '8']), [0, 1, 2, 3, 8])
  for (const text of ['', 'a', '3-1', '-1', '1-', '1,,2']) {
    t.throws(() => parsePartitions([text]), { code: 'INVALID_ARGUMENT' }, text)
  }
})

t.test('numbers, sizes and durations are shown for people', async t => {
  t.strictSame(
    [0, 999, 1000, 1234567].map(n => showNumber(n)),
    ['0', '999', '1,000', '1,234,567'],
  )
  t.equal(showNumber(1234.56, 1), '1,234.6')
  t.strictSame([5, 1536, 1048576].map(showSize), ['5 B', '1.5 KiB', '1.0 MiB'])
  t.strictSame([50, 1200, 83_000, 3_720_000].map(showDuration), ['50ms', '1.2s', '1m 23s', '1h 2m'])
})

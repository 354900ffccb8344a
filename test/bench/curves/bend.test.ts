/** Bend: two lines on logarithms find where a curve turns, and noise is no bend. */
import t from 'tap'
import { factorPerDoubling, findBend } from '../../../bench/curves/bend.ts'
import { reportSeries, tableOf } from '../../../bench/curves/report.ts'

const xs = [1, 2, 4, 8, 16, 32, 64, 128]
const curve = (y: (x: number) => number) => xs.map(x => ({ x, y: y(x) }))

t.test('flat, then falling by half per doubling: the bend is where it begins to fall', async t => {
  const bend = findBend(curve(x => (x <= 16 ? 1000 : 16_000 / x)))
  t.equal(bend?.x, 16)
  t.equal(bend?.before.toFixed(6), '1.000000')
  t.equal(bend?.after.toFixed(6), '0.500000')
})

t.test('a straight line on logarithms has no bend, however steep', async t => {
  t.equal(findBend(curve(x => 3 * x ** 1.5)), null)
  t.equal(factorPerDoubling(curve(x => 3 * x ** 1.5)).toFixed(4), (2 ** 1.5).toFixed(4))
})

t.test('noise of ten per cent is no bend; a bend under that noise is found', async t => {
  const noise = (x: number): number => 1 + 0.1 * Math.sin(x * 12.9898)
  t.equal(findBend(curve(x => 100 * noise(x))), null)
  const bend = findBend(curve(x => (x <= 8 ? 5 : (5 * x) / 8) * noise(x)))
  t.ok(bend !== null && bend.x >= 4 && bend.x <= 16, `bends at ${bend?.x}`)
  t.ok(bend !== null && bend.after > 1.7 && bend.before < 1.2)
})

t.test('few points, or a figure of 0, have no bend', async t => {
  t.equal(findBend(curve(x => x ** 2).slice(0, 3)), null)
  t.equal(findBend(curve(x => x - 1)), null)
  t.throws(() => factorPerDoubling([{ x: 1, y: 1 }]), RangeError)
})

t.test('a sentence tells both directions, and the cause only of a bend for the worse', async t => {
  const plan = { key: 'rate', label: 'Rate', unit: 'records/s', cause: 'The disk.' } as const
  const measured = curve(x => (x <= 16 ? 1000 : 16_000 / x)).map(({ x, y }) => ({
    x,
    figures: { rate: y },
  }))
  const sentence = (good: 'more' | 'less'): string =>
    reportSeries({ ...plan, good }, measured).sentence
  const course = '1,000 to 125 records/s: × 1.00 per doubling up to 16, × 0.50 per doubling beyond.'
  t.equal(sentence('more'), `${course} The disk.`)
  t.equal(sentence('less'), course)
  const straight = measured.map(({ x }) => ({ x, figures: { rate: 2 * x } }))
  t.equal(
    reportSeries({ ...plan, good: 'less' }, straight).sentence,
    '2.00 to 256 records/s, no bend: × 2.00 per doubling.',
  )
  t.equal(reportSeries({ ...plan, good: 'less' }, []).sentence, 'not measured')
})

t.test(
  'a table has a column per series, right-aligned, and a dash where a figure is missing',
  async t => {
    const series = [
      { key: 'aLongName', label: '', unit: 'ms', good: 'less', cause: '' },
      { key: 'b', label: '', unit: 'records/s', good: 'more', cause: '' },
    ] as const
    const curve = { name: 'c', title: '', x: 'things', conditions: '', series }
    const points = { full: [], quick: [], tiny: [] }
    const open = () => Promise.reject(new Error('not played'))
    const lines = tableOf({ ...curve, points, open }, [
      { x: 1, figures: { aLongName: 1.5, b: 2_000_000 } },
      { x: 1000, figures: { b: 3 } },
    ])
    t.strictSame(lines, [
      'things  aLongName          b',
      '               ms  records/s',
      '     1       1.50  2,000,000',
      ' 1,000          –       3.00',
    ])
  },
)

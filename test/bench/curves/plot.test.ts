/** Plot: a curve as one SVG that shows every point and stays inside its frame. */
import t from 'tap'
import { plotCurve, wrapped } from '../../../bench/curves/plot.ts'
import { reportSeries } from '../../../bench/curves/report.ts'

const plan = { key: 'rate', label: 'Rate <all>', unit: 'a & b', good: 'more', cause: '' } as const

function svgOf(ys: readonly number[]): string {
  const measured = ys.map((rate, n) => ({ x: 4 ** n, figures: { rate } }))
  const series = [reportSeries(plan, measured)]
  return plotCurve({ title: 'A <title>', conditions: 'as it is', xLabel: 'things', series })
}

/** The numbers of an attribute of all elements of a kind. */
const numbers = (svg: string, element: string, attribute: string): number[] =>
  [...svg.matchAll(new RegExp(`<${element} [^>]*\\b${attribute}="([^"]+)"`, 'g'))].map(match =>
    Number(match[1]),
  )

t.test('every point is a dot, further right with x and higher with y', async t => {
  for (const ys of [
    [10, 20, 30, 5],
    [1, 100, 10_000, 3],
  ]) {
    const svg = svgOf(ys)
    const [across, down] = [numbers(svg, 'circle', 'cx'), numbers(svg, 'circle', 'cy')]
    t.equal(across.length, 4)
    t.strictSame(
      across,
      [...across].sort((a, b) => a - b),
      'in the order of x',
    )
    t.ok((down[0] ?? 0) > (down[1] ?? 0) && (down[1] ?? 0) > (down[2] ?? 0), 'higher is more')
    t.ok((down[3] ?? 0) > (down[2] ?? 0))
    const [, , width = 0, height = 0] = (/viewBox="([^"]+)"/.exec(svg)?.[1] ?? '')
      .split(' ')
      .map(Number)
    t.ok(across.every(x => x > 0 && x < width) && down.every(y => y > 0 && y < height))
  }
})

t.test('the bend is drawn where it was found, and only there', async t => {
  const lines = (svg: string): number => svg.split('class="bend"').length - 1
  t.equal(lines(svgOf([100, 100, 100, 10, 1])), 1)
  t.equal(lines(svgOf([1, 2, 4, 8, 16])), 0)
})

t.test('text is escaped, no number is missing, light and dark are there', async t => {
  const svg = svgOf([10, 20, 0, 5])
  t.match(svg, 'A &lt;title&gt;')
  t.match(svg, 'Rate &lt;all&gt;, a &amp; b')
  t.notMatch(svg, /NaN|undefined|Infinity/)
  t.match(svg, 'prefers-color-scheme: dark')
  t.notMatch(svg, /<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
})

t.test('a series without two points is left out', async t => {
  t.equal(numbers(svgOf([1]), 'circle', 'cx').length, 0)
})

t.test('a caption is broken between words', async t => {
  const words = 'word '.repeat(60).trim()
  const lines = wrapped(words)
  t.ok(lines.length > 1 && lines.every(line => line.length <= 96))
  t.equal(lines.join(' '), words)
})

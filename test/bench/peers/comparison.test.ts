/** Comparison: rows say how much better Sluice is, inside one class and round by round. */
import t from 'tap'
import { compareFigure, type Sample, showRow } from '../../../bench/peers/comparison.ts'

const rate = { key: 'rate', label: 'produce', unit: 'records/s', good: 'more' } as const
const latency = { key: 'p50', label: 'latency', unit: 'ms', good: 'less' } as const

const sample = (peer: string, round: number, figures: Record<string, number>): Sample => ({
  ...{ peer, durability: 'fsync', work: 'stream', round, figures },
})
const where = { durability: 'fsync', work: 'stream' } as const

const samples: Sample[] = [
  sample('sluice', 0, { rate: 200, p50: 1 }),
  sample('redis', 0, { rate: 100, p50: 4 }),
  sample('redis', 1, { rate: 50, p50: 2 }),
  sample('sluice', 1, { rate: 300, p50: 2 }),
]

t.test('above 1 is better for us, whichever way the figure counts', async t => {
  const [ours, theirs] = compareFigure(samples, where, rate).peers
  t.equal(ours?.peer, 'sluice')
  t.equal(ours?.advantage, null)
  t.equal(theirs?.median, 75)
  t.strictSame(theirs?.advantage, { ratio: 250 / 75, min: 2, max: 6 })
  t.strictSame(compareFigure(samples, where, latency).peers[1]?.advantage, {
    ratio: 2,
    min: 1,
    max: 4,
  })
})

t.test('another class or work is not in the row', async t => {
  const others: Sample[] = [
    { ...sample('nats', 0, { rate: 1e9 }), durability: 'page' },
    { ...sample('nats', 0, { rate: 1e9 }), work: 'single' },
  ]
  const row = compareFigure([...samples, ...others], where, rate)
  t.strictSame(
    row.peers.map(({ peer }) => peer),
    ['sluice', 'redis'],
  )
})

t.test('a peer that missed a round, or a figure of 0, has no ratio', async t => {
  const missed = samples.slice(0, 2).concat(samples.slice(3))
  t.equal(compareFigure(missed, where, rate).peers[1]?.advantage, null)
  const others = [...samples.slice(0, 3), sample('sluice', 2, { rate: 300 })]
  t.equal(compareFigure(others, where, rate).peers[1]?.advantage, null, 'another round')
  const zero = [...samples.slice(0, 3), sample('sluice', 1, { rate: 0, p50: 2 })]
  t.equal(compareFigure(zero, where, rate).peers[1]?.advantage, null)
})

t.test('a line shows class, work, spread and ratio', async t => {
  const [, line] = showRow(compareFigure(samples, where, rate))
  t.match(
    line,
    /^fsync +stream +produce +redis +75\.0 \(50\.0–100\) +records\/s +× 3\.33 \(2\.00–6\.00\)$/,
  )
})

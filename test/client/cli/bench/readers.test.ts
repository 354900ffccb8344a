/** Tests of readers.ts: which offsets are missing, which came twice, and when it is over. */
import t from 'tap'
import { BenchMeter } from '../../../../client/cli/bench/meter.ts'
import { ReadProgress, readBatches, readRecords } from '../../../../client/cli/bench/readers.ts'
import type { Consumer } from '../../../../client/types/consuming.ts'

const clock = { wallMs: () => 0, monotonicMs: () => 0 }
const planned = (ends: readonly (number | null)[]) =>
  ends.map((to, partition) => ({ topic: 't', partition, from: 0, to }))

interface Batch {
  readonly partition: number
  readonly offsets: readonly number[]
  /** Where the batch ends, if beyond its last record. */
  readonly next?: number
}

/** A consumer that gives exactly these batches. */
function consumerOf(batches: readonly Batch[]): Consumer<Uint8Array, Uint8Array> {
  const views = batches.map(({ partition, offsets, next }) => {
    const value = new Uint8Array(10)
    const records = offsets.map(offset => ({ partition, offset, key: null, value }))
    const nextOffset = next ?? (offsets.at(-1) ?? 0) + 1
    return { partition, nextOffset, [Symbol.iterator]: () => records[Symbol.iterator]() }
  })
  const all = async function* () {
    yield* views
  }
  const each = async function* () {
    for (const view of views) yield* view
  }
  const consumer = { batches: all, [Symbol.asyncIterator]: each }
  return consumer as unknown as Consumer<Uint8Array, Uint8Array>
}

async function read(batches: readonly Batch[], ends: readonly (number | null)[], limit = 1e9) {
  const results = []
  for (const loop of [readBatches, readRecords]) {
    const progress = new ReadProgress(planned(ends))
    const meter = new BenchMeter(clock)
    meter.start()
    await loop({ clock, consumer: consumerOf(batches), progress, meter, limit })
    progress.end()
    const { missing, repeated, records, isDone } = progress
    results.push({ missing, repeated, records, isDone, counted: meter.records, bytes: meter.bytes })
  }
  return results
}

const range = (from: number, to: number): number[] =>
  [...Array(to - from).keys()].map(i => from + i)

t.test('everything in order is whole, by batch and by record', async t => {
  const batches = [
    { partition: 0, offsets: range(0, 40) },
    { partition: 1, offsets: range(0, 5) },
    { partition: 0, offsets: range(40, 50) },
  ]
  const whole = { missing: 0, repeated: 0, records: 55, isDone: true, counted: 55, bytes: 550 }
  t.strictSame(await read(batches, [50, 5]), [whole, whole])
})

t.test('a gap between batches, inside one, and at the end is missing', async t => {
  const between = [
    { partition: 0, offsets: range(0, 10) },
    { partition: 0, offsets: range(12, 20) },
  ]
  t.match(await read(between, [20]), [{ missing: 2 }, { missing: 2 }])
  const inside = [{ partition: 0, offsets: [...range(0, 5), ...range(8, 20)] }]
  t.match(await read(inside, [20]), [{ missing: 3 }, { missing: 3 }])
  const end = [{ partition: 0, offsets: range(0, 16) }]
  t.match(await read(end, [20]), [
    { missing: 4, isDone: false },
    { missing: 4, isDone: false },
  ])
})

t.test('what comes again is repeated, and hides nothing that is missing', async t => {
  const batches = [
    { partition: 0, offsets: range(0, 10) },
    { partition: 0, offsets: range(7, 12) },
    { partition: 0, offsets: range(13, 20) },
  ]
  const faults = { repeated: 3, missing: 1, records: 22 }
  t.match(await read(batches, [20]), [faults, faults])
})

t.test('it stops at its limit, and what follows the ends is not needed', async t => {
  const batches = [
    { partition: 0, offsets: range(0, 30) },
    { partition: 0, offsets: range(30, 60) },
  ]
  t.match(await read(batches, [null], 30), [
    { records: 30, counted: 30, missing: 0 },
    { records: 30, counted: 30, missing: 0 },
  ])
  t.match(await read(batches, [30]), [
    { records: 30, isDone: true },
    { records: 30, isDone: true },
  ])
})

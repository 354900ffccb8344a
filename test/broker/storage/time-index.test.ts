/** Time index against a plain list of batches. */
import fc from 'fast-check'
import t from 'tap'
import { TimeIndex } from '../../../broker/storage/time-index.ts'
import { base, gaps, placed } from '../../support/placed-batches.ts'

t.test('every record up to offsetBelow(t) is older than t', async t => {
  fc.assert(
    fc.property(gaps, batches => {
      const list = placed(batches)
      const times = new TimeIndex(base)
      let highest = { lastOffset: base, maxTimestamp: -1 }
      for (const [at, entry] of list.entries()) {
        if (entry.maxTimestamp > highest.maxTimestamp) highest = entry
        if (at % 3 === 0) times.maybeAppend(highest.maxTimestamp, highest.lastOffset)
      }
      const read = TimeIndex.decode(base, times.encode(), Infinity)
      for (let timestamp = 90; timestamp < 150; timestamp++) {
        const below = times.offsetBelow(timestamp)
        if (read?.offsetBelow(timestamp) !== below) return false
        if (list.some(e => e.lastOffset <= below && e.maxTimestamp >= timestamp)) return false
      }
      return true
    }),
  )
  t.pass()
})

t.test('a time index that points beyond the log or goes back is refused', async t => {
  const times = new TimeIndex(base)
  times.maybeAppend(50, base + 3)
  times.maybeAppend(50, base + 4)
  times.maybeAppend(40, base + 5)
  times.maybeAppend(60, base + 9)
  t.equal(times.entries, 2)
  t.equal(times.lastOffset, base + 9)
  const bytes = times.encode()
  t.equal(TimeIndex.decode(base, bytes, base + 9), null)
  t.equal(TimeIndex.decode(base, bytes, base + 10)?.entries, 2)
  const swapped = new Uint8Array([...bytes.subarray(12), ...bytes.subarray(0, 12)])
  t.equal(TimeIndex.decode(base, swapped, base + 10), null)
  const vast = bytes.slice()
  vast[12] = 0x7f
  t.equal(TimeIndex.decode(base, vast, base + 10), null, 'a timestamp that is no safe integer')
  times.cut(base + 9)
  t.equal(times.lastTimestamp, 50)
})

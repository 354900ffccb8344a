/** Offset index against a plain list of batches. */
import fc from 'fast-check'
import t from 'tap'
import { OffsetIndex } from '../../../broker/storage/offset-index.ts'
import { base, gaps, placed } from '../../support/placed-batches.ts'

const end = { sizeBytes: 1000, endOffset: base + 20 }
const nowhere = { sizeBytes: Infinity, endOffset: Infinity }

t.test('the floor position is never behind the batch that holds the offset', async t => {
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 4 }), (batches, every) => {
      const list = placed(batches)
      const index = new OffsetIndex(base)
      const entries = list.filter((_, at) => at % every === 1)
      for (const entry of entries) index.append(entry.lastOffset, entry.position)
      const end = (list.at(-1)?.lastOffset ?? 0) + 1
      const read = OffsetIndex.decode(base, index.encode(), nowhere)
      for (let offset = base; offset < end; offset++) {
        const wanted = entries.findLast(entry => entry.lastOffset <= offset)?.position ?? 0
        if (index.floorPosition(offset) !== wanted || read?.floorPosition(offset) !== wanted)
          return false
      }
      return true
    }),
  )
  t.pass()
})

t.test('a cut takes off the entries of all batches from there on', async t => {
  const index = new OffsetIndex(base)
  for (let i = 1; i <= 20; i++) index.append(base + i * 10, i * 100)
  index.cut(1000)
  t.equal(index.entries, 9)
  t.equal(index.floorPosition(base + 500), 900)
  t.throws(() => index.append(base + 90, 2000), /above the one before/)
  t.throws(() => index.append(base + 2 ** 31, 2000), /above the one before/)
})

t.test('zero-padded tails are cut, entries out of order or beyond the log are refused', async t => {
  const index = new OffsetIndex(base)
  index.append(base + 9, 100)
  index.append(base + 19, 200)
  const bytes = index.encode()
  const padded = new Uint8Array(4096)
  padded.set(bytes)
  t.equal(OffsetIndex.decode(base, padded, end)?.entries, 2)
  t.equal(OffsetIndex.decode(base, bytes.subarray(0, 13), end)?.entries, 1)
  t.equal(OffsetIndex.decode(base, bytes, { ...end, sizeBytes: 200 }), null)
  const swapped = new Uint8Array([...bytes.subarray(8), ...bytes.subarray(0, 8)])
  t.equal(OffsetIndex.decode(base, swapped, end), null)
  const short = { ...end, endOffset: base + 19 }
  t.equal(OffsetIndex.decode(base, bytes, short), null, 'an offset that the log has not reached')
})

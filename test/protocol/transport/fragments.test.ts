/** How parts become fragments: nothing lost, nothing added, never more than a receiver allows. */
import fc from 'fast-check'
import t from 'tap'
import { fragmentsOf, maxFragmentsOf } from '../../../protocol/transport/fragments.ts'
import { patternBytes } from './harness.ts'

const KiB = 1024

t.test('small parts are joined, large ones travel uncopied', async t => {
  const large = patternBytes(16 * KiB, 1)
  const fragments = fragmentsOf([patternBytes(5, 2), patternBytes(6, 3), large, patternBytes(7, 4)])
  t.strictSame(
    fragments.map(fragment => fragment.byteLength),
    [11, 16 * KiB, 7],
  )
  t.equal(fragments[1], large, 'the very same array')
})

t.test('a run of small parts is cut near 64 KiB', async t => {
  const fragments = fragmentsOf(Array.from({ length: 100 }, (_, i) => patternBytes(10 * KiB, i)))
  t.ok(fragments.every(fragment => fragment.byteLength <= 64 * KiB))
  t.ok(fragments.length <= 20)
})

t.test('an empty message is one empty fragment', async t => {
  t.strictSame(fragmentsOf([]), [new Uint8Array(0)])
  t.strictSame(fragmentsOf([new Uint8Array(0), new Uint8Array(0)]), [new Uint8Array(0)])
})

t.test('any parts: the bytes are the same and the count is below the limit', async t => {
  const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 40 * KiB }))
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), sizes => {
      const parts = sizes.map((bytes, seed) => patternBytes(bytes, seed))
      const fragments = fragmentsOf(parts)
      const whole = Buffer.concat(parts)
      const bound = Math.ceil((2 * whole.length) / (16 * KiB)) + 2
      return fragments.length <= bound && whole.equals(Buffer.concat(fragments))
    }),
    { numRuns: 100 },
  )
  const worst = Array.from({ length: 1000 }, (_, i) => new Uint8Array(i % 2 === 0 ? 1 : 16 * KiB))
  const bytes = worst.reduce((sum, part) => sum + part.byteLength, 0)
  t.ok(fragmentsOf(worst).length <= Math.ceil((2 * bytes) / (16 * KiB)) + 2)
  t.ok(maxFragmentsOf(1024 ** 3) >= (2 * 1024 ** 3) / (16 * KiB))
  t.equal(maxFragmentsOf(1000), 16 * KiB, 'foreign clients may cut finer')
})

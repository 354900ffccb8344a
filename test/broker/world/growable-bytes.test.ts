/**
 * File content in memory, against a plain array of bytes, at and around the borders of its chunks.
 */
import t from 'tap'
import { GrowableBytes } from '../../../broker/world/growable-bytes.ts'
import { SimRandom } from '../../simulation/sim-random.ts'

const chunkBytes = 256 * 1024

t.test('random writes, cuts and reads agree with a plain array', t => {
  const random = new SimRandom(1)
  for (let round = 0; round < 20; round++) {
    const content = new GrowableBytes()
    const model = new Uint8Array(3 * chunkBytes)
    let length = 0
    for (let step = 0; step < 30; step++) {
      const near = chunkBytes * random.below(3) + random.between(-5, 5)
      const at = Math.max(0, random.chance(0.5) ? near : random.below(2000))
      if (random.chance(0.3)) {
        content.truncate(at)
        if (at < length) model.fill(0, at)
        length = at
      } else {
        const bytes = random.bytes(random.pick([0, 1, 10, 5000]))
        content.write(bytes, at)
        model.set(bytes, at)
        length = Math.max(length, at + bytes.length)
      }
      t.ok(agree(content, model, length), `round ${round}, step ${step}`)
    }
  }
  t.end()
})

t.test('a small file takes little memory, and a read past the end nothing', t => {
  const content = new GrowableBytes()
  content.write(Uint8Array.of(1, 2, 3), 0)
  t.same([...content.read(1, 2 ** 40)], [2, 3])
  t.equal(content.read(3, 1).length, 0)
  t.equal(content.read(2 ** 40, 1).length, 0)
  t.end()
})

function agree(content: GrowableBytes, model: Uint8Array, length: number): boolean {
  if (content.length !== length) return false
  return Buffer.compare(content.read(0, length), model.subarray(0, length)) === 0
}

/** Zstd: what the reference tool packs is read as it was; what is malformed ends, soon and small. */
import t from 'tap'
import { unpackZstd } from '../../../protocol/compression/zstd.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { zstdFixtures } from '../../support/zstd-fixtures.ts'

const fixtures = zstdFixtures()
const joined = (...parts: (Uint8Array | number[])[]) =>
  Uint8Array.from(parts.flatMap(part => [...part]))

/** A frame of one block, the last; `type` 0 raw, 1 repeated, 2 compressed. */
function frameOf(type: number, size: number, content: number[]): Uint8Array {
  const header = (size << 3) | (type << 1) | 1
  const bytes = [header & 255, (header >> 8) & 255, (header >> 16) & 255]
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...bytes, ...content])
}

const compressed = (...content: number[]) => frameOf(2, content.length, content)

t.test('whatever way it was packed, it comes back', async t => {
  t.ok(fixtures.length > 30)
  for (const { name, packed, plain } of fixtures) {
    t.equal(Buffer.compare(unpackZstd(packed, plain.length), plain), 0, name)
  }
})

t.test('frames follow each other, with some to be skipped between them', async t => {
  const [a, b] = [fixtures.find(f => f.name.startsWith('text')), fixtures.at(-1)]
  const skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]
  const both = joined(a?.packed ?? [], skipped, b?.packed ?? [], skipped)
  t.same(unpackZstd(both, 2 ** 20), joined(a?.plain ?? [], b?.plain ?? []))
  t.equal(unpackZstd(new Uint8Array(0), 0).length, 0)
})

t.test('one byte more than allowed is refused, before memory is taken for it', async t => {
  for (const { name, packed, plain } of fixtures) {
    if (plain.length === 0) continue
    t.throws(() => unpackZstd(packed, plain.length - 1), { code: 'CORRUPT_MESSAGE' }, name)
  }
  // Says 2^40 bytes, and has none of them.
  const claim = joined([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0], [1, 0, 0])
  t.throws(() => unpackZstd(claim, 2 ** 26), { code: 'CORRUPT_MESSAGE', message: /grow beyond/ })
  const before = process.memoryUsage().arrayBuffers
  t.throws(() => unpackZstd(claim, 2 ** 50), { message: /cut off|says it has/ })
  t.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20)
})

t.test('cut anywhere it is refused, and no flipped bit throws anything else', async t => {
  for (const { name, packed, plain } of fixtures) {
    if (packed.length > 3000) continue
    const step = 1 + Math.floor(packed.length / 60)
    for (let length = 1; length < packed.length - 4; length += step) {
      try {
        unpackZstd(packed.subarray(0, length), plain.length)
        t.fail(`${name} cut to ${length}`)
      } catch (error) {
        if (!SluiceError.is(error, 'CORRUPT_MESSAGE')) throw error
      }
    }
    for (let bit = 0; bit < packed.length * 8; bit += step) {
      const bad = packed.slice()
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      try {
        if (unpackZstd(bad, plain.length).length > plain.length) t.fail(`${name}, bit ${bit}`)
      } catch (error) {
        if (!SluiceError.is(error, 'CORRUPT_MESSAGE')) throw error
      }
    }
  }
})

t.test('what would never end, or nearly never, is refused at once', async t => {
  // A tree whose weights are all of one symbol, which takes no bits: as many as one likes.
  const literals = [2 | (10 << 4), 20 << 6, 20 >> 2, 5, 0xf0, 0x03, 0xff, 0xff, 0xff]
  const endless = compressed(...literals.map(b => b & 255), ...new Array(16).fill(0xff), 0)
  t.throws(() => unpackZstd(endless, 2 ** 20), { message: /too many symbols/ })
  // 98,000 sequences of the longest match there is.
  const long = compressed(0, 255, 255, 255, 0x54, 0, 0, 52, 0xff, 0xff)
  t.throws(() => unpackZstd(long, 2 ** 26), { code: 'CORRUPT_MESSAGE' })
  const empty = joined(...new Array(5000).fill([0, 0, 0]))
  const blocks = joined([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38], empty, [1, 0, 0])
  t.throws(() => unpackZstd(blocks, 2 ** 20), { message: /more blocks/ })
})

const refused: [string, Uint8Array][] = [
  ['no frame', Uint8Array.of(1, 2, 3, 4, 5)],
  ['a block of the reserved type', frameOf(3, 0, [])],
  ['a block above 128 KiB', frameOf(1, 128 * 1024 + 1, [7])],
  ['a block that says nothing', compressed(0, 0)],
  ['an offset behind the begin', compressed(8, 65, 1, 0x54, 0, 5, 0, 0x20)],
  ['literals of the tree before, where there is none', compressed(3 | 16, 64, 0, 1, 0)],
  ['tables of the block before, where there is none', compressed(8, 65, 1, 0xfc, 1)],
  ['a dictionary', joined([0x28, 0xb5, 0x2f, 0xfd, 1, 0x38, 9], [1, 0, 0])],
  ['the reserved bit of a frame', joined([0x28, 0xb5, 0x2f, 0xfd, 8, 0x38], [1, 0, 0])],
  ['a size that is not the content’s', joined([0x28, 0xb5, 0x2f, 0xfd, 0x20, 3], [1, 0, 0])],
]
for (const [name, bytes] of refused) {
  t.test(`refused: ${name}`, async t => {
    t.throws(() => unpackZstd(bytes, 2 ** 20), { code: 'CORRUPT_MESSAGE' })
  })
}

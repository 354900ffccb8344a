/** Compression: round trips, named errors for what is missing, and no memory for bombs. */
import fc from 'fast-check'
import t from 'tap'
import { makeCompression, openCompression } from '../../../protocol/compression/compression.ts'
import { lz4UncompressedSize } from '../../../protocol/compression/lz4-size.ts'
import { openPackages, type Packages } from '../../../protocol/compression/packages.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import { eachBatch } from '../../../protocol/records/batches.ts'
import { type CompressionCodec, compressionCodecs } from '../../../protocol/world.ts'
import { readLog } from '../../support/kafka-fixture.ts'

const packages = await openPackages()
const compression = await openCompression()
const writable = compressionCodecs.filter(codec => compression.canWrite(codec))
const mebibyte = 2 ** 20

/** Skips where an optional package is not installed. */
const needs = (there: boolean) => ({ skip: there ? false : 'an optional package is missing' })

const content = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc.tuple(fc.nat(255), fc.nat(200_000)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
  fc.nat(200_000).map(n => Uint8Array.from({ length: n }, (_, i) => (i * i) >> 7)),
)

t.test('what is compressed comes back, with every codec that can be written', async t => {
  t.same(writable.slice(0, 2), ['none', 'gzip'])
  fc.assert(
    fc.property(content, fc.constantFrom(...writable), (bytes, codec) => {
      const packed = compression.compress(codec, bytes)
      const back = compression.decompress(codec, packed, Math.max(1, bytes.length))
      return Buffer.compare(back, bytes) === 0
    }),
  )
})

t.test('lz4 sizes are found without unpacking', needs(compression.canWrite('lz4')), async t => {
  fc.assert(
    fc.property(
      content,
      bytes => lz4UncompressedSize(compression.compress('lz4', bytes)) === bytes.length,
    ),
  )
  const twice = compression.compress('lz4', new Uint8Array(70_000))
  t.equal(lz4UncompressedSize(Uint8Array.from([...twice, ...twice])), 140_000)
})

/** The first compressed records that Kafka wrote with this codec, and their size. */
function fromKafka(codec: CompressionCodec): { packed: Uint8Array; size: number } {
  for (const { batch } of eachBatch(readLog(`quakes-${codec}-0/00000000000000000000.log`))) {
    const packed = batch.subarray(61)
    return { packed, size: compression.decompress(codec, packed, mebibyte).length }
  }
  throw new Error('an empty log')
}

t.test(
  'lz4 data that unpacks to less than it says is refused',
  needs(compression.canWrite('lz4')),
  async t => {
    const frame = compression.compress('lz4', new Uint8Array(70))
    const unpacked = (bytes: Uint8Array) => compression.decompress('lz4', bytes, mebibyte).length
    t.equal(unpacked(frame), 70)
    t.throws(() => unpacked(Uint8Array.from([...frame, ...frame])), { code: 'CORRUPT_MESSAGE' })
  },
)

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  const readable = needs(compression.canRead(codec))
  t.test(
    `${codec} from Kafka: the limit is exact, damage is CORRUPT_MESSAGE`,
    readable,
    async t => {
      const { packed, size } = fromKafka(codec)
      const corrupt = { code: 'CORRUPT_MESSAGE' } as const
      t.equal(compression.decompress(codec, packed, size).length, size)
      t.throws(() => compression.decompress(codec, packed, size - 1), corrupt)
      for (const bytes of [packed.subarray(0, -5), packed.subarray(0, 9), packed.subarray(3)]) {
        t.throws(() => compression.decompress(codec, bytes, mebibyte), corrupt)
      }
    },
  )

  t.test(
    `${codec}: random and damaged bytes give only SluiceErrors within the limit`,
    readable,
    async () => {
      const { packed } = fromKafka(codec)
      const damaged = fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { maxLength: 5 })
      const random = fc.uint8Array({ maxLength: 100 })
      fc.assert(
        fc.property(fc.oneof(damaged, random), input => {
          const bytes = input instanceof Uint8Array ? input : packed.slice()
          if (Array.isArray(input)) for (const [at, byte] of input) bytes[at] = byte
          try {
            return compression.decompress(codec, bytes, 50_000).length <= 50_000
          } catch (error) {
            return SluiceError.is(error, 'CORRUPT_MESSAGE')
          }
        }),
        { numRuns: 300 },
      )
    },
  )
}

/** Runs and returns by how much array buffers grew, in bytes; unpacking is synchronous. */
function growth(run: () => void): number {
  const before = process.memoryUsage().arrayBuffers
  run()
  return process.memoryUsage().arrayBuffers - before
}

t.test('a bomb is refused without taking its memory', async t => {
  for (const codec of writable) {
    if (codec === 'none') continue
    const packed = compression.compress(codec, new Uint8Array(64 * mebibyte))
    const grown = growth(() =>
      t.throws(() => compression.decompress(codec, packed, mebibyte), { code: 'CORRUPT_MESSAGE' }),
    )
    t.ok(grown < 16 * mebibyte, `${codec} took ${grown} bytes`)
  }
})

t.test('zstd: a header that asks for a huge window takes no memory', async t => {
  const old = makeCompression({ ...packages, zlib: null })
  // Window descriptor 0xa0: 2^30 bytes. Then one empty raw block, the last.
  const empty = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00)
  const twice = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 0x01, 0x00, 0x00, ...empty)
  for (const frames of [empty, twice]) {
    const grown = growth(() => t.equal(old.decompress('zstd', frames, mebibyte).length, 0))
    t.ok(grown < mebibyte, `${grown} bytes`)
  }
})

const snappy = packages.snappy()

t.test('raw Snappy, as librdkafka writes it, is read too', needs(snappy !== null), async t => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i >> 4)
  const raw = snappy?.compressSync(bytes) ?? bytes
  t.same(compression.decompress('snappy', raw, 100_000), bytes)
  t.equal(compression.decompress('snappy', compression.compress('snappy', bytes), 1e6).length, 1e5)
})

const bare: Packages = { zlib: null, lz4: () => null, snappy: () => null }

t.test('a missing package is a named error whose hint says what to install', async t => {
  const without = makeCompression(bare)
  const bytes = new Uint8Array(10)
  for (const [codec, hint] of [
    ['snappy', /npm install snappy/],
    ['lz4', /npm install lz4-napi/],
    ['gzip', /node:zlib/],
  ] as const) {
    const expected = { code: 'UNSUPPORTED_COMPRESSION_TYPE', hint }
    t.same([without.canRead(codec), without.canWrite(codec)], [false, false])
    t.throws(() => without.compress(codec, bytes), expected)
    t.throws(() => without.decompress(codec, bytes, 100), expected)
  }
  t.same([without.canRead('none'), without.canWrite('none')], [true, true])
  t.equal(without.compress('none', bytes), bytes)
})

t.test('without node:zlib zstd is read and writing it is a named error', async t => {
  const old = makeCompression({ ...packages, zlib: null })
  t.same([old.canRead('zstd'), old.canWrite('zstd')], [true, false])
  t.throws(() => old.compress('zstd', new Uint8Array(1)), {
    code: 'UNSUPPORTED_COMPRESSION_TYPE',
  })
  const { packed, size } = fromKafka('zstd')
  t.equal(old.decompress('zstd', packed, size).length, size)
})

/**
 * The simulator's compression: there and back, limits, and codecs it does not have.
 */
import t from 'tap'
import { SimCompression } from './sim-compression.ts'

t.test('gzip and none come back as they went in, within the limit', async t => {
  const compression = new SimCompression()
  const bytes = new Uint8Array(10_000).fill(65)
  const zipped = compression.compress('gzip', bytes)
  t.ok(zipped.length < 200)
  t.same(compression.decompress('gzip', zipped, 10_000), bytes)
  t.same(compression.decompress('none', compression.compress('none', bytes), 1), bytes)
  const code = { code: 'CORRUPT_MESSAGE' }
  t.match(
    thrown(() => compression.decompress('gzip', zipped, 9_999)),
    code,
  )
  t.match(
    thrown(() => compression.decompress('gzip', bytes, 9_999)),
    code,
  )
})

t.test('a codec that is not there is named', async t => {
  const compression = new SimCompression()
  t.notOk(compression.canRead('zstd'))
  t.notOk(compression.canWrite('lz4'))
  const error = thrown(() => compression.compress('zstd', new Uint8Array(1)))
  t.match(error, { code: 'UNSUPPORTED_COMPRESSION_TYPE', message: /zstd/ })
})

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

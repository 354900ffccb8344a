/** Utf8: sizes, writing and reading agree with the engine's own encoder. */
import fc from 'fast-check'
import t from 'tap'
import {
  encodeUtf8,
  isWellFormed,
  maybeDecodeUtf8,
  readUtf8,
  utf8Size,
  writeUtf8,
} from '../../../protocol/bytes/utf8.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: 'binary-ascii', maxLength: 100 }),
)

t.test('well-formed text is sized, written and read without loss', async () => {
  fc.assert(
    fc.property(text, value => {
      const size = utf8Size(value)
      const bytes = new Uint8Array(size + 2)
      const end = writeUtf8(bytes, 1, value, size)
      const expected = new TextEncoder().encode(value)
      return (
        size === expected.length &&
        end === size + 1 &&
        Buffer.compare(bytes.subarray(1, end), expected) === 0 &&
        bytes[end] === 0 &&
        readUtf8(bytes, 1, end) === value &&
        maybeDecodeUtf8(encodeUtf8(value)) === value
      )
    }),
    { examples: [['\ufeff'], ['\ufeff'.padEnd(80, 'x')], ['😀é€a']] },
  )
})

t.test('half of a surrogate pair is noticed wherever it stands', async t => {
  for (const bad of ['\ud800', 'a\udc00b', '😀\ud83d', '\ude00\ud83d']) {
    t.equal(utf8Size(bad), -1)
    t.equal(isWellFormed(bad), false)
  }
  t.equal(isWellFormed('😀'), true)
})

t.test('bytes that are not UTF-8 are told apart from text', async t => {
  const bad = Uint8Array.from([0x61, 0xff])
  t.equal(maybeDecodeUtf8(bad), null)
  t.equal(readUtf8(bad, 0, 2), 'a\ufffd')
})

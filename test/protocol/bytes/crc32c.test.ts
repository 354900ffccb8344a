/** Crc32c: known vectors (RFC 3720, B.4), and one answer from both ways of computing it. */
import fc from 'fast-check'
import t from 'tap'
import { crc32c, crc32cInJavaScript, isCrc32cNative } from '../../../protocol/bytes/crc32c.ts'

const iscsiRead = Uint8Array.from([
  0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0,
  0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
])

t.test('the vectors of RFC 3720 come out', async t => {
  const rising = Uint8Array.from({ length: 32 }, (_, i) => i)
  const vectors: [Uint8Array, number][] = [
    [new Uint8Array(0), 0],
    [new TextEncoder().encode('123456789'), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [rising, 0x46dd794e],
    [rising.slice().reverse(), 0x113fdb5c],
    [iscsiRead, 0xd9963a56],
  ]
  for (const [bytes, expected] of vectors) {
    t.equal(crc32c(bytes), expected)
    t.equal(crc32cInJavaScript(bytes), expected)
  }
})

t.test('native and JavaScript agree on every range', async t => {
  if (!isCrc32cNative) t.comment('no native package here: only JavaScript is tested')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(700), fc.nat(700), (bytes, a, b) => {
      const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
      const expected = crc32cInJavaScript(bytes.slice(from, to))
      return (
        crc32c(bytes, from, to) === expected && crc32cInJavaScript(bytes, from, to) === expected
      )
    }),
  )
  const large = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff)
  t.equal(crc32c(large), crc32cInJavaScript(large))
  t.equal(crc32c(large, 21), crc32cInJavaScript(large.slice(21)))
})

/** Murmur2: Kafka's own vectors, and the golden keys of design/experience.md §2.2. */
import t from 'tap'
import { murmur2, partitionForKey } from '../../../client/producer/murmur2.ts'
import { canonicalJson } from '../../../protocol/bytes/canonical-json.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

t.test("the vectors of Kafka's UtilsTest come out", async t => {
  const vectors: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, expected] of vectors) t.equal(murmur2(utf8(text)), expected, text)
})

t.test('keys land where Java puts them', async t => {
  t.equal(partitionForKey(utf8('100:48069'), 12), 9)
  t.equal(partitionForKey(utf8('TT0124'), 15), 10)
  t.equal(partitionForKey(utf8(canonicalJson({ tenant: 'acme', region: 'eu' })), 12), 3)
  t.equal(partitionForKey(utf8(canonicalJson({ region: 'eu', tenant: 'acme' })), 12), 3)
})

t.test('every length of key and number of partitions gives a partition', async t => {
  for (let length = 0; length < 40; length++) {
    const key = new Uint8Array(length).fill(0xff)
    for (const partitions of [1, 2, 7, 10_000]) {
      const partition = partitionForKey(key, partitions)
      t.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
    }
  }
})

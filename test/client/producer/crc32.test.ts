/** Crc32: the standard's check value, known sums, and librdkafka's partition of a golden key. */
import t from 'tap'
import { crc32, crc32PartitionForKey } from '../../../client/producer/crc32.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

t.test('known checksums come out', async t => {
  t.equal(crc32(utf8('123456789')), 0xcbf43926)
  t.equal(crc32(new Uint8Array(0)), 0)
  t.equal(crc32(utf8('The quick brown fox jumps over the lazy dog')), 0x414fa339)
  t.equal(crc32(new Uint8Array(32)), 0x190a55ad)
  t.equal(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b)
})

t.test('a key lands where librdkafka puts it', async t => {
  t.equal(crc32PartitionForKey(utf8('TT0124'), 15), 9)
})

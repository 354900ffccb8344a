/**
 * Crc32: the hash by which librdkafka's `consistent` partitioners put keys into partitions (the
 * checksum of zip and Ethernet, not the one of record batches).
 *
 * Always true: the same bytes give the same partition here and in every client on librdkafka that
 * keeps to its default.
 * Called by the producer's partitioner.
 */

const polynomial = 0xedb88320
const table = makeTable()

/** CRC-32 (ISO-HDLC) of `bytes`, unsigned. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1
  for (let i = 0; i < bytes.length; i++) {
    crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

/** Partition of a key among `partitions` (≥ 1): librdkafka's default. */
export function crc32PartitionForKey(bytes: Uint8Array, partitions: number): number {
  return crc32(bytes) % partitions
}

function makeTable(): Int32Array {
  const made = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : polynomial)
    made[byte] = crc
  }
  return made
}

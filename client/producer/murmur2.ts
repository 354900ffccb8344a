/**
 * Murmur2: the hash by which Kafka's Java client puts keys into partitions.
 *
 * Always true: the same bytes give the same partition here, in Java and in every client that keeps
 * to Java's default; the hash is a signed 32-bit integer, as Java's is.
 * Called by the producer's partitioner.
 */

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

/** Kafka's murmur2 of `bytes`, signed. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const wholeEnd = length & ~3
  let hash = seed ^ length
  for (let i = 0; i < wholeEnd; i += 4) {
    let word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  for (let i = length - 1; i >= wholeEnd; i--) hash ^= (bytes[i] as number) << (8 * (i & 3))
  if (wholeEnd < length) hash = Math.imul(hash, multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}

/** Partition of a key among `partitions` (≥ 1): Java's default. */
export function partitionForKey(bytes: Uint8Array, partitions: number): number {
  return (murmur2(bytes) & 0x7fffffff) % partitions
}

/**
 * Route: how records of one topic handle go out: to which partition, with which acks and codec.
 *
 * Always true: the same key bytes give the same partition as Kafka's Java client (murmur2) or
 * librdkafka (crc32) would; a partitioner of the user answers with a partition that exists, or the
 * record is refused.
 * Made by topic-handle.ts; asked by topic-producer.ts.
 */
import { SluiceError } from '../../protocol/errors.ts'
import type { Acks } from '../../protocol/messages/produce.ts'
import type { CompressionCodec } from '../../protocol/world.ts'
import type { Partitioner } from '../types/producing.ts'
import { crc32PartitionForKey } from './crc32.ts'
import { partitionForKey } from './murmur2.ts'

export class Route {
  readonly topic: string
  readonly acks: Acks
  readonly codec: CompressionCodec
  readonly #partitioner: Partitioner

  constructor(options: {
    topic: string
    acks: Acks
    codec: CompressionCodec
    partitioner: Partitioner
  }) {
    this.topic = options.topic
    this.acks = options.acks
    this.codec = options.codec
    this.#partitioner = options.partitioner
  }

  /** Whether the record goes wherever the current batch without a key goes. */
  usesSticky(key: Uint8Array | null): boolean {
    const partitioner = this.#partitioner
    return partitioner === 'sticky' || (key === null && typeof partitioner === 'string')
  }

  /** @throws SluiceError INVALID_ARGUMENT, or what the user's function throws, as ENCODE_FAILED */
  partition(key: Uint8Array | null, count: number): number {
    const partitioner = this.#partitioner
    if (typeof partitioner === 'function') return this.#ask(partitioner, key, count)
    if (key === null) return 0
    return partitioner === 'crc32' ? crc32PartitionForKey(key, count) : partitionForKey(key, count)
  }

  #ask(
    partitioner: (key: Uint8Array | null, partitions: number, topic: string) => number,
    key: Uint8Array | null,
    count: number,
  ): number {
    let partition: number
    try {
      partition = partitioner(key, count, this.topic)
    } catch (cause) {
      const message = `the partitioner of topic "${this.topic}" threw`
      throw new SluiceError('ENCODE_FAILED', message, { cause, topic: this.topic })
    }
    if (Number.isInteger(partition) && partition >= 0 && partition < count) return partition
    const message = `the partitioner of topic "${this.topic}" answered ${partition}`
    throw new SluiceError('INVALID_ARGUMENT', message, { hint: `0 to ${count - 1} exist` })
  }
}

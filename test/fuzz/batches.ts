/**
 * Batches: record batches of every codec, well formed, and damaged on the inside: before they are
 * packed, in the packed bytes, or in the header.
 *
 * Always true: the same seed gives the same store of batches.
 * Used by the targets of batches, requests, answers and logs.
 */
import { openCompression } from '../../protocol/compression/compression.ts'
import { BatchBuilder, type RecordInput } from '../../protocol/records/batch-builder.ts'
import { batchHeaderBytes } from '../../protocol/records/batch-header.ts'
import type { Compression, CompressionCodec } from '../../protocol/world.ts'
import { repairedBatch } from './messages.ts'
import { mutated, replaced } from './mutate.ts'
import { FuzzRandom, nameHash } from './random.ts'

export const compression: Compression = await openCompression()
export const codecs: readonly CompressionCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
/** Those that can be written here; zstd is read only in older runtimes. */
export const writableCodecs: readonly CompressionCodec[] = codecs.filter(codec =>
  compression.canWrite(codec),
)
const batchesPerStore = 200

export function randomRecord(random: FuzzRandom): RecordInput {
  const field = () => (random.oneIn(8) ? null : random.bytes(random.size(80)))
  const timestamp = random.oneIn(16) ? Math.abs(random.safeInteger()) : 1000 + random.below(5000)
  const headers = random.oneIn(3)
    ? Array.from({ length: random.size(5) }, () => ({
        name: random.pick(['', 'trace', 'é', 'x'.repeat(70)]),
        value: field(),
      }))
    : undefined
  return { timestamp, key: field(), value: field(), ...(headers !== undefined && { headers }) }
}

export interface MadeBatch {
  readonly bytes: Uint8Array
  readonly records: readonly RecordInput[]
  /** The records as they lie in the batch before they are packed. */
  readonly plain: Uint8Array
}

/** A well-formed batch; idempotent, transactional and control ones too. */
export function randomBatch(random: FuzzRandom, codec: CompressionCodec): MadeBatch {
  const records = Array.from({ length: 1 + random.size(12) }, () => randomRecord(random))
  const build = (one: CompressionCodec) => {
    const builder = new BatchBuilder({ capacityBytes: 2 ** 20 })
    for (const record of records) builder.append(record)
    return builder.build({ codec: one, compression, ...stamp })
  }
  const stamp = random.oneIn(2)
    ? { producerId: -1, producerEpoch: -1, baseSequence: -1 }
    : { producerId: random.below(4), producerEpoch: random.below(3), baseSequence: random.below(9) }
  const plain = build('none').slice(batchHeaderBytes)
  return { bytes: build(codec), records, plain }
}

export class BatchStore {
  readonly batches: readonly MadeBatch[]

  constructor(seed: number) {
    const random = new FuzzRandom()
    this.batches = Array.from({ length: batchesPerStore }, (_, n) => {
      random.restart(seed, nameHash('batches'), n)
      return randomBatch(random, writableCodecs[n % writableCodecs.length] ?? 'none')
    })
  }

  /** A batch, damaged seven of eight times, mostly with length and checksum right again. */
  make(random: FuzzRandom): Uint8Array {
    const { bytes, plain } = random.pick(this.batches)
    const other = random.pick(this.batches)
    switch (random.below(8)) {
      case 0:
        return bytes
      case 1:
        return mutated(bytes, random, other.bytes)
      case 2:
      case 3:
        return repack(bytes, mutated(plain, random, other.plain), random)
      case 4:
        return repairedBatch(withHeaderEdge(bytes, random), 'both')
      default: {
        const records = mutated(bytes.subarray(batchHeaderBytes), random, other.bytes)
        const whole = replaced(bytes, batchHeaderBytes, bytes.length, records)
        return repairedBatch(whole, random.oneIn(8) ? 'length' : 'both')
      }
    }
  }
}

/** `plain` as the records of the batch, packed by a codec that the header names. */
function repack(batch: Uint8Array, plain: Uint8Array, random: FuzzRandom): Uint8Array {
  const codec = random.oneIn(2) ? 'none' : random.pick(writableCodecs)
  const packed = codec === 'none' ? plain : compression.compress(codec, plain)
  const whole = replaced(batch, batchHeaderBytes, batch.length, packed)
  whole[22] = ((whole[22] ?? 0) & ~7) | codecs.indexOf(codec)
  return repairedBatch(whole, 'both')
}

/** Where the header's fields begin, and how many bytes each has. */
const fields = [
  ...[0, 8, 8, 4, 12, 4, 16, 1, 17, 4, 21, 2, 23, 4, 27, 8],
  ...[35, 8, 43, 8, 51, 2, 53, 4, 57, 4],
]

function withHeaderEdge(batch: Uint8Array, random: FuzzRandom): Uint8Array {
  const result = batch.slice()
  const view = new DataView(result.buffer)
  for (let times = 1 + random.below(2); times > 0; times--) {
    const field = 2 * random.below(fields.length / 2)
    const [at = 0, length = 1] = [fields[field], fields[field + 1]]
    const value = random.edge()
    if (length === 1) view.setUint8(at, value)
    else if (length === 2) view.setInt16(at, random.oneIn(2) ? value : random.below(128))
    else if (length === 4) view.setInt32(at, random.oneIn(4) ? random.below(20) : value)
    else view.setBigInt64(at, BigInt(random.oneIn(2) ? value : random.safeInteger()))
  }
  return result
}

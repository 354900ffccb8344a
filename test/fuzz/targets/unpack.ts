/**
 * Unpack: compressed bytes of every codec. Nothing larger than the limit comes out, nothing larger
 * is taken on the way, and what came out within a limit comes out of a fresh call the same.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import { zstdFixtures } from '../../support/zstd-fixtures.ts'
import { BatchStore, codecs, compression } from '../batches.ts'
import { bombStore } from '../bombs.ts'
import { mutated } from '../mutate.ts'
import { FuzzRandom, nameHash } from '../random.ts'
import { defaults, require, sameBytes, type Target, verdictOf } from '../target.ts'

const limits = [64, 1000, 16 * 1024, 2 ** 17, 2 ** 19] as const
const largestLimit = limits[limits.length - 1] ?? 0

/**
 * It is unpacked three times. Memory that doubles as it fills adds up to less than three times the
 * limit: the last piece, one just too small before it, and the halves before that.
 */
const threeTimesGrown = 3 * 3 * largestLimit

type OwnParts = Pick<Target, 'name' | 'weight' | 'maxAllocatedBytes'>

interface Stock {
  /** By codec, as the list of codecs has them. */
  readonly packed: readonly (readonly Uint8Array[])[]
}

function makeStock(seed: number): Stock {
  const { batches } = new BatchStore(seed)
  const random = new FuzzRandom()
  const packed = codecs.map((codec, at) => {
    random.restart(seed, nameHash('bombs'), at)
    const bombs = bombStore(codec, random)
    if (codec === 'zstd') return [...bombs, ...zstdFixtures().map(({ packed: one }) => one)]
    const long = random.bytes(200)
    const plains = [new Uint8Array(0), new Uint8Array(5000), Buffer.concat([long, long, long])]
    const honest = [...plains, ...batches.slice(0, 60).map(({ plain }) => plain)]
    return [...bombs, ...honest.map(plain => compression.compress(codec, plain))]
  })
  return { packed }
}

/** First byte: the codec; second: the limit; then the packed bytes. */
function make({ packed }: Stock, own: readonly number[], random: FuzzRandom): Uint8Array {
  const codec = random.pick(own)
  const bytes = random.pick(packed[codec] as Uint8Array[])
  const other = random.pick(packed[codec] as Uint8Array[])
  const damaged = random.oneIn(4) ? bytes : mutated(bytes, random, other)
  const input = new Uint8Array(2 + damaged.length)
  input[0] = codec
  input[1] = random.below(limits.length)
  input.set(damaged, 2)
  return input
}

function run(input: Uint8Array): string {
  const codec = codecs[(input[0] ?? 0) % codecs.length] ?? 'none'
  const maxBytes = limits[(input[1] ?? 0) % limits.length] ?? 64
  const packed = input.subarray(2)
  const plain = verdictOf(() => compression.decompress(codec, packed, maxBytes))
  if (SluiceError.is(plain)) {
    require(plain.code === 'CORRUPT_MESSAGE', () => `refused as ${plain.code}`)
    return plain.message.includes('grow') || plain.message.includes('window')
      ? `${codec}: too large`
      : `${codec}: malformed`
  }
  require(plain.length <= maxBytes, () => `${plain.length} bytes where ${maxBytes} are allowed`)
  if (codec === 'none' || plain.length === 0) return `${codec}: unpacked`
  const exact = verdictOf(() => compression.decompress(codec, packed, plain.length))
  require(!SluiceError.is(exact), () => `${plain.length} bytes do not fit ${plain.length}`)
  require(sameBytes(plain, exact), () => 'other bytes the second time')
  const short = verdictOf(() => compression.decompress(codec, packed, plain.length - 1))
  require(SluiceError.is(short), () => `${plain.length} bytes fit ${plain.length - 1}`)
  return `${codec}: unpacked`
}

/** A target for the codecs at these places in the list. */
function unpackTarget(own: readonly number[], target: OwnParts): Target {
  return {
    ...defaults,
    ...target,
    reaches: own.flatMap(at => [`${codecs[at]}: too large`, `${codecs[at]}: unpacked`]),
    async open(seed) {
      const stock = makeStock(seed)
      return { make: random => make(stock, own, random), run }
    },
  }
}

export const unpack: Target = unpackTarget([1, 2, 3], {
  name: 'unpack',
  weight: 50_000,
  maxAllocatedBytes: threeTimesGrown,
})

/** By itself: it is our own reader, not a package's. */
export const unpackZstd: Target = unpackTarget([4], {
  name: 'unpack-zstd',
  weight: 40_000,
  maxAllocatedBytes: threeTimesGrown,
})

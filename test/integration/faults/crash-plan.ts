/**
 * Crash plan: what one round of the crash loop does, drawn from a seed, and the bytes of its
 * records.
 *
 * Always true: the same seed draws the same plans; no two records of a loop have the same bytes.
 * Used by crash-loop.ts, load.ts and comparison.ts.
 */
import type { CompressionCodec } from '../../../client/index.ts'

export interface RoundPlan {
  readonly partitions: number
  readonly valueBytes: number
  readonly crashAfterMs: number
  /** The crash then waits for the next ack: what it promises has to be on disk at that moment. */
  readonly isAtAck: boolean
  /** How much longer each fdatasync takes, of the broker that is started in this round. */
  readonly syncDelayMs: number
  readonly pauseMs: number
  /** One producer for each; each has a connection of its own. */
  readonly idempotent: readonly boolean[]
  readonly compression: CompressionCodec
  readonly segmentBytes: number
  /** How long the load goes on after the broker is back. */
  readonly afterMs: number
  /**
   * Crashes of the starts that follow, as parts of the time that a start takes: below 1 it is
   * loading or recovering, above 1 it serves.
   */
  readonly crashesOfStart: readonly number[]
}

/** mulberry32: small, seeded, good enough for plans. Answers [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const producerSets = [[true, true, false], [true, true], [true, false], [false]] as const
const segmentSizes = [64 * 1024, 1024 * 1024, 64 * 1024 * 1024] as const

export function drawPlan(random: () => number): RoundPlan {
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low))
  const oneOf = <T>(list: readonly [T, ...T[]]): T => list[between(0, list.length)] ?? list[0]
  return {
    partitions: between(1, 5),
    valueBytes: random() < 0.5 ? between(20, 200) : between(200, 2000),
    crashAfterMs: between(1, 250),
    isAtAck: random() < 0.5,
    syncDelayMs: random() < 0.4 ? between(3, 30) : 0,
    pauseMs: between(0, 80),
    idempotent: oneOf<readonly boolean[]>(producerSets),
    compression: random() < 0.3 ? 'gzip' : 'none',
    segmentBytes: oneOf<number>(segmentSizes),
    afterMs: between(20, 150),
    crashesOfStart: Array.from(
      { length: Math.max(0, between(-4, 3)) },
      () => between(40, 140) / 100,
    ),
  }
}

/** The bytes of record n of a round; nothing else has them. */
export function bytesOfRecord(round: number, n: number, valueBytes: number): Buffer {
  const value = Buffer.alloc(Math.max(16, valueBytes), (n * 31 + round) & 0xff)
  value.writeUInt32BE(round, 0)
  value.writeUInt32BE(n, 4)
  value.writeUInt32BE(~n >>> 0, value.length - 4)
  return value
}

/** The n that `bytesOfRecord` was given; −1 for bytes that are not its. */
export function numberOfRecord(value: Uint8Array | null): number {
  const bytes = Buffer.from(value ?? [])
  return bytes.length >= 16 ? bytes.readUInt32BE(4) : -1
}

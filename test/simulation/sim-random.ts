/**
 * SimRandom: every draw of a simulated run, from one seed.
 *
 * Always true: the same seed and the same stream name give the same draws; a stream is independent
 * of how much was drawn from any other, so one more draw in the network does not shift the
 * workload.
 * Called by the scheduler, the disks, the network, the nodes and the scenarios.
 */
import type { Random } from '../../protocol/world.ts'

/**
 * The generator is sfc32 (Chris Doty-Humphrey's, public domain): 128 bits of state, four adds per
 * draw.
 */
export class SimRandom implements Random {
  readonly #seed: number
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** `seed`: a safe integer ≥ 0. */
  constructor(seed: number, name = '') {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`not a seed: ${seed}`)
    this.#seed = seed
    this.#name = name
    const hash = hashOf(name)
    this.#a = (seed >>> 0) ^ hash
    this.#b = Math.floor(seed / 2 ** 32) ^ Math.imul(hash, 0x9e3779b1)
    this.#c = Math.imul(hash, 0x85ebca6b) ^ 0x2545f491
    for (let round = 0; round < 15; round++) this.next()
  }

  /** A stream of its own below this one. */
  stream(name: string): SimRandom {
    return new SimRandom(this.#seed, `${this.#name}/${name}`)
  }

  /** Uniform in 0…2^32-1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  fraction(): number {
    return (this.next() >>> 5) / 2 ** 27 + (this.next() >>> 6) / 2 ** 53
  }

  bits(bits: number): number {
    if (bits <= 32) return this.next() >>> (32 - bits)
    return (this.next() >>> (64 - bits)) * 2 ** 32 + this.next()
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at++) out[at] = this.next() >>> 24
    return out
  }

  /** Uniform integer in 0…limit-1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** Uniform integer in from…to, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** Exponentially distributed with this mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)]
    if (value === undefined) throw new RangeError('nothing to pick from')
    return value
  }
}

/** FNV-1a over the UTF-16 code units. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  return hash
}

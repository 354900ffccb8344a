/**
 * Fuzz random: the draws of one execution, from the run's seed, the target and the execution's
 * number alone.
 *
 * Always true: execution n of a target makes the same input in every run with the same seed,
 * whatever ran before it, so that any one of them can be asked for again by its number.
 * Used by everything that makes inputs.
 */

/** Numbers on which readers of lengths, counts and offsets break. */
const edges: readonly number[] = [
  ...[0, 1, -1, 2, 3, 7, 8, 15, 16, 48, 49, 60, 61, 62, 63, 64, 127, 128, 255, 256],
  ...[1023, 1024, 4095, 4096, 32_767, 32_768, 65_535, 65_536, 2 ** 24, 2 ** 30],
  ...[2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 40],
  ...[2 ** 53 - 1, 2 ** 53, -(2 ** 53) + 1, -(2 ** 53), 2 ** 62, -(2 ** 63)],
]

export class FuzzRandom {
  #a = 1
  #b = 2
  #c = 3
  #counter = 1

  constructor(seed = 1, target = 0) {
    this.restart(seed, target, 0)
  }

  /** From here on the draws are those of execution `index`. */
  restart(seed: number, target: number, index: number): void {
    this.#a = (seed ^ 0x9e3779b9) | 0
    this.#b = (Math.imul(target + 1, 0x85ebca6b) ^ Math.floor(index / 2 ** 32)) | 0
    this.#c = Math.imul(index + 1, 0xc2b2ae35) | 0
    this.#counter = 1
    for (let i = 0; i < 8; i++) this.bits()
  }

  /** 32 random bits, unsigned (the generator sfc32). */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0, below `limit` (1 to 2^32). */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit)
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** Small sizes often, large ones seldom: the logarithm is even. */
  size(limit: number): number {
    return Math.floor(limit ** (this.bits() / 2 ** 32)) - 1
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i += 4) {
      const bits = this.bits()
      bytes[i] = bits
      bytes[i + 1] = bits >>> 8
      bytes[i + 2] = bits >>> 16
      bytes[i + 3] = bits >>> 24
    }
    return bytes
  }

  /** A number that readers of integers break on. */
  edge(): number {
    return this.pick(edges)
  }

  /** Mostly of any magnitude up to 2^53, of either sign; often an edge. */
  safeInteger(): number {
    if (this.oneIn(3)) {
      const edge = this.edge()
      return Number.isSafeInteger(edge) ? edge : 0
    }
    const wide = this.below(2 ** 21) * 2 ** 32 + this.bits()
    const value = Math.floor(wide / 2 ** this.below(53))
    return this.oneIn(2) ? value : -value
  }
}

/** A number that stands for a name, for `restart`. */
export function nameHash(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return hash
}

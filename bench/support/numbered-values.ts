/**
 * Numbered values: record values that say which record they are, so that every reader can check
 * count, order and content.
 *
 *   0…5 number of the record (48 bits) │ 6…13 time at which it was due │ 14… a pattern of the number
 *
 * Always true: a value is not written again before `ring` more were taken: whoever sends keeps
 * fewer than that in the air. The shortest value has 6 bytes; below 14 it carries no time.
 * Used by the lanes of bench/.
 */

const timeAt = 6
const patternAt = 14

const patternByte = (index: number, at: number): number => (index * 31 + at * 7) & 0xff

export class NumberedValues {
  readonly #values: Buffer[]
  #next = 0

  /** `ring`: how many values exist; more than are ever in the air. */
  constructor(sizeBytes: number, ring: number) {
    const slab = Buffer.alloc(sizeBytes * ring)
    this.#values = Array.from({ length: ring }, (_, index) => {
      const value = slab.subarray(index * sizeBytes, (index + 1) * sizeBytes)
      for (let at = patternAt; at < sizeBytes; at++) value[at] = patternByte(index, at)
      return value
    })
  }

  /** The next value; `dueMs` is what `dueMsOf` will answer. */
  take(dueMs = 0): Buffer {
    const number = this.#next++
    const value = this.#values[number % this.#values.length]
    if (value === undefined) throw new RangeError('no values')
    value.writeUIntLE(number, 0, timeAt)
    if (value.byteLength >= patternAt) value.writeDoubleLE(dueMs, timeAt)
    return value
  }

  get taken(): number {
    return this.#next
  }
}

/** The time that was given to `take`. */
export function dueMsOf(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset, value.byteLength).getFloat64(timeAt, true)
}

/**
 * How much of a value is compared: its number and length always; its last byte, or every byte of
 * the pattern. Every byte costs too much to be part of a measured rate.
 */
export type CheckDepth = 'last byte' | 'every byte'

/** Compares what comes with what was taken, in order. */
export class NumberedCheck {
  readonly #sizeBytes: number
  readonly #ring: number
  readonly #depth: CheckDepth
  count = 0
  problem: string | null = null

  constructor(sizeBytes: number, ring: number, depth: CheckDepth = 'every byte') {
    this.#sizeBytes = sizeBytes
    this.#ring = ring
    this.#depth = depth
  }

  /** Call it with each value, in the order in which they came. */
  saw(value: Uint8Array): void {
    const expected = this.count++
    if (this.problem !== null) return
    if (value.byteLength !== this.#sizeBytes) {
      this.problem = `record ${expected} has ${value.byteLength} bytes, not ${this.#sizeBytes}`
      return
    }
    const number = numberOf(value)
    if (number !== expected) {
      this.problem = `record ${number} came where ${expected} was due`
      return
    }
    const last = this.#sizeBytes - 1
    for (let at = this.#depth === 'every byte' ? patternAt : last; at <= last; at++) {
      if (at < patternAt || value[at] === patternByte(expected % this.#ring, at)) continue
      this.problem = `record ${expected} has other content at byte ${at}`
      return
    }
  }

  /** @throws Error where not exactly `expected` records came, each in its place */
  require(expected: number): void {
    if (this.problem !== null) throw new Error(this.problem)
    if (this.count !== expected)
      throw new Error(`${this.count} records came, ${expected} were sent`)
  }
}

function numberOf(value: Uint8Array): number {
  let number = 0
  for (let at = timeAt - 1; at >= 0; at--) number = number * 256 + (value[at] ?? 0)
  return number
}

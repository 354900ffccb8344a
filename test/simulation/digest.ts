/**
 * Digest: 64 bits over everything that happened in a run, in order; two runs of one seed must
 * agree.
 *
 * Always true: it depends on each value and on their order.
 * Called by scheduler.ts for each event, and by disk and network for what they move.
 */
const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

export class Digest {
  #low = 0x243f6a88
  #high = 0x85a308d3

  /** Any number: its 64 bits are mixed in. */
  mix(value: number): void {
    float[0] = value
    this.#mixWord(words[0] ?? 0)
    this.#mixWord(words[1] ?? 0)
  }

  mixText(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mixWord(text.charCodeAt(at))
  }

  /** 16 hex digits. */
  toString(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }

  #mixWord(word: number): void {
    const low = Math.imul(this.#low ^ word, 0x9e3779b1)
    const high = Math.imul(this.#high ^ (word + 0x7ed55d16), 0x85ebca6b)
    this.#low = ((low ^ (high >>> 15)) + 0x165667b1) | 0
    this.#high = (high ^ (low >>> 13)) | 0
  }
}

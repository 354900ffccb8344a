/**
 * Payload: the records that a bench sends, made beforehand; only the stamp and a random key are
 * written when a record goes out.
 *
 *   slots:  | stamp body | stamp body | stamp body | …        taken in turn, again and again
 *
 * Always true: a slot is written again as soon as all others were taken, which the SDK permits: it
 * copies in the call. So the slots are few and stay in the processor's cache, as a program's own
 * records do that were just made. Sizes are spread evenly over their range and are the same in
 * every round, so bytes follow from a count.
 * Used by load.ts and the e2e benches.
 */
import { crc32c } from '../../../protocol/bytes/crc32c.ts'
import type { Clock, Random } from '../../../protocol/world.ts'
import type { OutgoingRecord } from '../../types/producing.ts'
import { usageError } from '../failure.ts'
import { fillJson } from './json-body.ts'
import { jsonOpening, jsonStampEnd, mix, stampBytes } from './stamp.ts'

export interface SizeRange {
  readonly min: number
  readonly max: number
}

/** No key, random ones, or this many different ones. */
export type KeyPlan = 'none' | 'random' | number

export interface PayloadPlan {
  readonly size: SizeRange
  readonly value: 'random' | 'json'
  readonly keys: KeyPlan
  /** False: values as they were made, which nothing can be told of afterwards. */
  readonly isStamped: boolean
  /** Values will be compressed: many differ, or a codec would find the first ones again. */
  readonly isCompressed: boolean
}

type BytesRecord = OutgoingRecord<Uint8Array, Uint8Array>

const ringBytes = 128 * 1024
/** As far back as a codec looks. */
const compressedRingBytes = 8 * 1024 * 1024
const minSlots = 64
const randomKeyBytes = 8
const maxKeys = 100_000
const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const pair = byte.toString(16).padStart(2, '0')
  return pair.charCodeAt(0) | (pair.charCodeAt(1) << 8)
})

/** Smallest value that can be verified afterwards. */
export function smallestValue(plan: Pick<PayloadPlan, 'value' | 'isStamped'>): number {
  if (plan.value === 'json') return jsonStampEnd + 2
  return plan.isStamped ? stampBytes : 0
}

/** @throws SluiceError INVALID_ARGUMENT */
export function checkPayload(plan: PayloadPlan): void {
  const { size, value } = plan
  const smallest = smallestValue(plan)
  if (size.min > size.max) throw usageError('--size must name the smaller size first')
  if (size.min < smallest) {
    const hint = value === 'json' ? undefined : '--no-verify leaves the stamp out'
    throw usageError(`--size must be at least ${smallest}B to be verified`, hint)
  }
  if (typeof plan.keys === 'number' && (plan.keys < 1 || plan.keys > maxKeys)) {
    throw usageError(`--key must be 1 to ${maxKeys} keys`)
  }
}

const aligned = (bytes: number): number => (bytes + 3) & ~3

export class Payload {
  readonly source: number
  readonly #plan: PayloadPlan
  readonly #records: { key: Uint8Array | null; value: Uint8Array }[] = []
  readonly #words: Uint32Array
  readonly #pairs: Uint16Array
  /** Per slot: where its value begins in the ring, and the checksum of its body. */
  readonly #starts: Uint32Array
  readonly #bodies: Int32Array
  readonly #keys: Uint8Array[] = []
  readonly #keyWords: Uint32Array
  /** Bytes of the first n slots. */
  readonly #prefix: Float64Array
  #sequence = 0
  #slot = 0

  constructor(plan: PayloadPlan, source: number, random: Random) {
    this.#plan = plan
    this.source = source
    const stride = aligned(plan.size.max)
    const wanted = plan.isCompressed ? compressedRingBytes : ringBytes
    const count = Math.max(minSlots, Math.floor(wanted / Math.max(4, stride)))
    // one call for all: a call for each slot would take longer than many a bench
    const ring = random.bytes(aligned(count * stride)).buffer
    this.#words = new Uint32Array(ring)
    this.#pairs = new Uint16Array(ring)
    this.#starts = new Uint32Array(count)
    this.#bodies = new Int32Array(count)
    this.#prefix = new Float64Array(count + 1)
    this.#keyWords = new Uint32Array(plan.keys === 'random' ? 2 * count : 0)
    const named = typeof plan.keys === 'number' ? plan.keys : 0
    const digits = String(named).length
    for (let i = 0; i < named; i++) {
      // all of one length, so that the bytes of a round do not depend on which keys came
      this.#keys.push(Buffer.from(`key-${String(i).padStart(digits, '0')}`))
    }
    for (let slot = 0; slot < count; slot++) this.#make(slot, slot * stride, random)
  }

  /** The next record. Its bytes stay as they are until all other slots were taken. */
  next(): BytesRecord {
    const slot = this.#slot
    const sequence = this.#sequence++
    this.#slot = slot + 1 === this.#records.length ? 0 : slot + 1
    const record = this.#records[slot] as { key: Uint8Array | null; value: Uint8Array }
    const { keys, isStamped } = this.#plan
    if (isStamped) this.#stamp(slot, sequence)
    if (keys === 'none') return record
    if (keys === 'random') {
      this.#keyWords[2 * slot] = mix(sequence, this.source)
      this.#keyWords[2 * slot + 1] = mix(sequence, ~this.source)
    } else record.key = this.#keys[sequence % keys] ?? null
    return record
  }

  /** Keys and values of the first `records` records. */
  bytesOf(records: number): number {
    const round = this.#prefix[this.#records.length] ?? 0
    const rest = this.#prefix[records % this.#records.length] ?? 0
    return Math.floor(records / this.#records.length) * round + rest
  }

  /** Takes the time of making a record; the sequence goes on. Nanoseconds. */
  costNs(clock: Clock): number {
    const rounds = 50_000
    const startMs = clock.monotonicMs()
    for (let i = 0; i < rounds; i++) this.next()
    return ((clock.monotonicMs() - startMs) * 1e6) / rounds
  }

  #stamp(slot: number, sequence: number): void {
    const check = (this.#bodies[slot] as number) ^ mix(sequence, this.source)
    const start = this.#starts[slot] as number
    if (this.#plan.value !== 'json') {
      this.#words[start >>> 2] = check
      this.#words[(start >>> 2) + 1] = sequence
      return
    }
    const pairs = this.#pairs
    const at = (start + jsonOpening.length) >>> 1
    for (let i = 0; i < 4; i++) {
      pairs[at + i] = hexPairs[(check >>> (8 * i)) & 255] as number
      pairs[at + 4 + i] = hexPairs[(sequence >>> (8 * i)) & 255] as number
    }
  }

  #make(slot: number, start: number, random: Random): void {
    const { size, value, keys, isStamped } = this.#plan
    const length = size.min + Math.floor(random.fraction() * (size.max - size.min + 1))
    const bytes = new Uint8Array(this.#words.buffer, start, length)
    const { source } = this
    if (value === 'json') {
      fillJson(bytes, random, [source & 255, source >>> 8])
      this.#bodies[slot] = crc32c(bytes, jsonStampEnd)
    } else if (isStamped) {
      bytes[8] = source & 255
      bytes[9] = source >>> 8
      this.#bodies[slot] = crc32c(bytes, stampBytes)
    }
    const key =
      keys === 'random'
        ? new Uint8Array(this.#keyWords.buffer, slot * randomKeyBytes, randomKeyBytes)
        : (this.#keys[slot % Math.max(1, this.#keys.length)] ?? null)
    this.#starts[slot] = start
    this.#records.push({ key, value: bytes })
    this.#prefix[slot + 1] = (this.#prefix[slot] ?? 0) + length + (key?.byteLength ?? 0)
  }
}

/**
 * Stamp check: goes through the records of a bench and finds what is lost, repeated, out of order
 * or changed.
 *
 * Always true: each record of a known source is looked at by its own number: one bit per record
 * says whether it came; within a partition the numbers of a source only rise.
 * Used by read-back.ts after a bench, and by the benches that read while they write.
 */
import { claimedStamp, opensAsJson, readStamp, type Stamp } from './stamp.ts'

/**
 * What was looked at: as many records as were sent or asked for; offsets that follow each other;
 * the checksum of each batch; the stamp of each record, with its order and its own checksum.
 */
export type CheckName = 'count' | 'offsets' | 'crc' | 'stamps'

export interface Verified {
  readonly checked: readonly CheckName[]
  /** Records that were looked at. */
  readonly records: number
  readonly expected: number
  readonly missing: number
  readonly repeated: number
  readonly outOfOrder: number
  /** Neither whole nor ours. */
  readonly corrupt: number
  /** The first fault, in words. */
  readonly firstFault: string | null
  readonly isSound: boolean
}

class SourceCheck {
  #bits = new Uint8Array(1024)
  count = 0

  /** False where it came before. */
  take(sequence: number): boolean {
    const at = sequence >>> 3
    if (at >= this.#bits.length) {
      const more = new Uint8Array(Math.max(at + 1, 2 * this.#bits.length))
      more.set(this.#bits)
      this.#bits = more
    }
    const bit = 1 << (sequence & 7)
    const byte = this.#bits[at] as number
    if ((byte & bit) !== 0) return false
    this.#bits[at] = byte | bit
    this.count++
    return true
  }

  has(sequence: number): boolean {
    return ((this.#bits[sequence >>> 3] ?? 0) & (1 << (sequence & 7))) !== 0
  }
}

/** So many numbers that rise one after another are no accident, and no digits of a text. */
const risingInARow = 32
const largestStep = 64

/** Tells records of a bench whose stamps are all bad from records that no bench wrote. */
class Damaged {
  /** One of them was made by a bench. */
  isOfBench = false
  /** Per partition: the last one, and how many before it rose. */
  readonly #runs = new Map<number, Stamp & { readonly length: number }>()

  see(partition: number, value: Uint8Array): void {
    if (this.isOfBench) return
    const claimed = claimedStamp(value)
    const last = this.#runs.get(partition)
    const step = (claimed?.sequence ?? 0) - (last?.sequence ?? 0)
    const isNext = claimed?.source === last?.source && step > 0 && step <= largestStep
    const length = isNext ? (last?.length ?? 0) + 1 : 0
    if (claimed !== null) this.#runs.set(partition, { ...claimed, length })
    this.isOfBench = opensAsJson(value) || length >= risingInARow
  }
}

export class StampCheck {
  records = 0
  readonly #damaged = new Damaged()
  readonly #sources = new Map<number, SourceCheck>()
  /** Last number of each source in each partition. */
  readonly #last = new Map<number, number>()
  #repeated = 0
  #outOfOrder = 0
  #corrupt = 0
  #firstFault: string | null = null

  /** The record that `value` is; null where it is none of a bench. */
  see(place: { partition: number; offset: number }, value: Uint8Array | null): Stamp | null {
    this.records++
    const stamp = value === null ? null : readStamp(value)
    if (stamp === null) {
      this.#corrupt++
      this.#fault(place, 'is not the record that was sent')
      if (value !== null) this.#damaged.see(place.partition, value)
      return null
    }
    this.#order(place, stamp)
    let source = this.#sources.get(stamp.source)
    if (source === undefined) {
      source = new SourceCheck()
      this.#sources.set(stamp.source, source)
    }
    if (!source.take(stamp.sequence)) {
      this.#repeated++
      this.#fault(place, `repeats record ${stamp.sequence}`)
    }
    return stamp
  }

  /** A bench wrote here, even if not one of its records is whole. */
  get sawBench(): boolean {
    return this.#corrupt < this.records || this.#damaged.isOfBench
  }

  /**
   * `expected`: how many records of each source were acked. The records came from a consumer that
   * checks batches, as each does unless told otherwise.
   */
  result(expected: ReadonlyMap<number, number>): Verified {
    let missing = 0
    let total = 0
    for (const [number, count] of expected) {
      total += count
      const source = this.#sources.get(number)
      const lost = count - (source?.count ?? 0)
      if (lost <= 0) continue
      missing += lost
      let first = 0
      while (source?.has(first) === true) first++
      this.#firstFault ??= `record ${first} of source ${number} is missing`
    }
    const faults = missing + this.#repeated + this.#outOfOrder + this.#corrupt
    return {
      checked: ['crc', 'count', 'stamps'],
      records: this.records,
      expected: total,
      missing,
      repeated: this.#repeated,
      outOfOrder: this.#outOfOrder,
      corrupt: this.#corrupt,
      firstFault: this.#firstFault,
      isSound: faults === 0,
    }
  }

  /** Where it is not known how many were sent: what came cannot be missing. */
  resultOfSeen(): Verified {
    return this.result(new Map([...this.#sources].map(([source, { count }]) => [source, count])))
  }

  #order(place: { partition: number; offset: number }, { source, sequence }: Stamp): void {
    const key = place.partition * 65_536 + source
    const last = this.#last.get(key) ?? -1
    if (sequence > last) this.#last.set(key, sequence)
    else if (sequence < last) {
      this.#outOfOrder++
      this.#fault(place, `holds record ${sequence} after record ${last}`)
    }
  }

  #fault({ partition, offset }: { partition: number; offset: number }, what: string): void {
    this.#firstFault ??= `offset ${offset} of partition ${partition} ${what}`
  }
}

const checkWords: Readonly<Record<CheckName, readonly string[]>> = {
  offsets: ['offsets'],
  crc: ['batch checksums'],
  count: ['count'],
  stamps: ['order', 'checksum of each'],
}

/** One line for people. */
export function verifiedText(verified: Verified, showNumber: (value: number) => string): string {
  const { records, missing, repeated, outOfOrder, corrupt, isSound } = verified
  if (isSound) {
    const words = verified.checked.flatMap(name => checkWords[name])
    const most = words.slice(0, -1).join(', ')
    const all = most === '' ? words.join('') : `${most} and ${words.at(-1)}`
    return `${showNumber(records)} records: ${all} are right`
  }
  const parts = [
    `${missing} missing`,
    `${repeated} repeated`,
    `${outOfOrder} out of order`,
    `${corrupt} corrupt`,
  ]
  return `FAILED: ${parts.join(', ')} of ${showNumber(verified.expected)}; ${verified.firstFault}`
}

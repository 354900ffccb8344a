/**
 * Reference records: a second reader of record batches, written from the description of the format
 * and for nothing but being plainly right: BigInt, no views, no speed.
 *
 * Always true: it shares no code with protocol/.
 * Used by the target of batches, which compares what both say.
 */

export interface ReferenceRecord {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const crcOfByte = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0x82f63b78 : 0)
  return crc
})

/** CRC-32C, one byte after the other. */
export function referenceCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcOfByte[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

class Bytes {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.at
  }

  take(length: bigint): Uint8Array {
    if (length < 0n || length > BigInt(this.left)) throw new RangeError('out of bytes')
    this.at += Number(length)
    return this.#bytes.subarray(this.at - Number(length), this.at)
  }

  /** A zig-zag varint of at most `bits`. */
  number(bits: bigint): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      if (shift >= bits) throw new RangeError('a number is too long')
      const byte = BigInt(this.take(1n)[0] ?? 0)
      value |= (byte & 0x7fn) << shift
      if (byte < 0x80n) break
    }
    if (value >= 1n << (bits === 32n ? 32n : 70n)) throw new RangeError('a number is too large')
    const number = (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n
    if (bits === 64n && !Number.isSafeInteger(Number(number))) throw new RangeError('not safe')
    return number
  }

  field(): string | null {
    const length = this.number(32n)
    if (length < -1n) throw new RangeError('a negative length')
    return length === -1n ? null : latin1(this.take(length))
  }
}

/**
 * The records of a batch whose records lie unpacked in `plain`; null where they are malformed.
 * `header` gives base offset, last offset delta, base and maximum timestamp, append time and count.
 */
export function referenceRecords(
  plain: Uint8Array,
  header: {
    readonly baseOffset: number
    readonly lastOffsetDelta: number
    readonly baseTimestamp: number
    readonly maxTimestamp: number
    readonly timestampType: 'create' | 'append'
    readonly recordCount: number
  },
): ReferenceRecord[] | null {
  const records: ReferenceRecord[] = []
  try {
    const bytes = new Bytes(plain)
    let lastDelta = -1n
    for (let n = 0; n < header.recordCount; n++) {
      const body = new Bytes(bytes.take(bytes.number(32n)))
      body.take(1n)
      const own = BigInt(header.baseTimestamp) + body.number(64n)
      const timestamp = header.timestampType === 'append' ? BigInt(header.maxTimestamp) : own
      const delta = body.number(32n)
      if (delta <= lastDelta || delta > BigInt(header.lastOffsetDelta)) return null
      lastDelta = delta
      if (!Number.isSafeInteger(Number(timestamp))) return null
      const [key, value] = [body.field(), body.field()]
      const headers = headersOf(body)
      if (body.left > 0) return null
      records.push({ offset: BigInt(header.baseOffset) + delta, timestamp, key, value, headers })
    }
    return bytes.left === 0 ? records : null
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function headersOf(body: Bytes): [string, string | null][] {
  const headers: [string, string | null][] = []
  const count = body.number(32n)
  if (count < 0n) throw new RangeError('a negative count')
  for (let n = 0n; n < count; n++) {
    const name = body.field()
    if (name === null) throw new RangeError('a header without a name')
    headers.push([name, body.field()])
  }
  return headers
}

/**
 * Stamp: the ten bytes in every bench value that say which record it is, and prove that it is
 * whole.
 *
 *   bytes:  check u32 | sequence u32 | source u16 | body …        little-endian
 *   JSON:   {"stamp":"<the same ten bytes in hex>", … }
 *
 * Always true: the check covers sequence, source and every byte of the body. Writing it costs a few
 * nanoseconds, because the checksum of a body is known beforehand; reading it costs a CRC-32C.
 * Used by payload.ts (writes) and stamp-check.ts (reads).
 */
import { crc32c } from '../../../protocol/bytes/crc32c.ts'

export const stampBytes = 10
/** Sequences are below this. */
export const maxSequence = 2 ** 32 - 1
/** Sources are below this. */
export const maxSource = 2 ** 16

export const jsonOpening = '{"stamp":"'
/** Where the hex digits end in a JSON value. */
export const jsonStampEnd = jsonOpening.length + 2 * stampBytes

/** Spreads sequence and source over 32 bits (the last steps of murmur3). */
export function mix(sequence: number, source: number): number {
  let h = sequence ^ Math.imul(source + 1, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

export interface Stamp {
  readonly source: number
  readonly sequence: number
}

const opening = [...jsonOpening].map(letter => letter.charCodeAt(0))

/** The opening of a value that `--value json` made. */
export const opensAsJson = (value: Uint8Array): boolean =>
  value.byteLength >= jsonStampEnd && opening.every((code, i) => value[i] === code)

/** Value of a hex digit; something that is no nibble where it is none. */
function digit(code: number | undefined): number {
  if (code === undefined) return 256
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : 256
}

function unhex(value: Uint8Array): Uint8Array | null {
  const bytes = new Uint8Array(stampBytes)
  for (let i = 0; i < stampBytes; i++) {
    const at = jsonOpening.length + 2 * i
    const byte = digit(value[at]) * 16 + digit(value[at + 1])
    if (byte > 255) return null
    bytes[i] = byte
  }
  return bytes
}

const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)) >>>
  0

function stampOf(value: Uint8Array, json: boolean): (Stamp & { readonly check: number }) | null {
  const stamp = json ? unhex(value) : value
  if (stamp === null || stamp.byteLength < stampBytes) return null
  const source = (stamp[8] ?? 0) | ((stamp[9] ?? 0) << 8)
  return { check: u32(stamp, 0), sequence: u32(stamp, 4), source }
}

/** Which record `value` would be if it were whole; of a value without a stamp it is anything. */
export const claimedStamp = (value: Uint8Array): Stamp | null => stampOf(value, opensAsJson(value))

/** Which record `value` is; null where it is not whole, or was never stamped. */
export function readStamp(value: Uint8Array): Stamp | null {
  const json = opensAsJson(value)
  const stamp = stampOf(value, json)
  if (stamp === null) return null
  const { source, sequence, check } = stamp
  const body = crc32c(value, json ? jsonStampEnd : stampBytes)
  return (body ^ mix(sequence, source)) >>> 0 === check ? { source, sequence } : null
}

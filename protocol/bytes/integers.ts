/**
 * Integers: big-endian fixed-width integers in byte arrays, as Kafka writes them.
 *
 * Always true: no BigInt and no DataView is made; an int64 is a plain number, exact inside the safe
 * range and outside of it never mistaken for a safe one. The caller has checked that the bytes are
 * there.
 * Called by records/, the segment indexes and the codecs.
 */

const two32 = 2 ** 32

/** Signed 16 bits at `position`. */
export function readInt16(bytes: Uint8Array, position: number): number {
  return (((bytes[position] as number) << 24) >> 16) | (bytes[position + 1] as number)
}

/** Signed 32 bits at `position`. */
export function readInt32(bytes: Uint8Array, position: number): number {
  return (
    ((bytes[position] as number) << 24) |
    ((bytes[position + 1] as number) << 16) |
    ((bytes[position + 2] as number) << 8) |
    (bytes[position + 3] as number)
  )
}

/** Unsigned 32 bits at `position`. */
export function readUint32(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) >>> 0
}

/** Signed 64 bits at `position`; beyond ±(2^53 − 1) rounded, and then not a safe integer. */
export function readInt64(bytes: Uint8Array, position: number): number {
  return readInt32(bytes, position) * two32 + readUint32(bytes, position + 4)
}

export function writeInt16(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 8
  bytes[position + 1] = value
}

/** Takes signed and unsigned values alike. */
export function writeInt32(bytes: Uint8Array, position: number, value: number): void {
  bytes[position] = value >>> 24
  bytes[position + 1] = value >>> 16
  bytes[position + 2] = value >>> 8
  bytes[position + 3] = value
}

/** `value` must be a safe integer. */
export function writeInt64(bytes: Uint8Array, position: number, value: number): void {
  const high = Math.floor(value / two32)
  writeInt32(bytes, position, high)
  writeInt32(bytes, position + 4, value - high * two32)
}

/**
 * Crc32c: the checksum of record batches (CRC-32 with Castagnoli's polynomial, reflected).
 *
 * Always true: native and JavaScript give the same unsigned 32 bits (the native one is only used
 * after it gave the right answer to a known question); nothing is copied.
 * The native package is optional: where it cannot be loaded (browser, unknown platform) everything
 * works, slower. Called by records/ and by storage's small checksummed files.
 */

type NativeCrc32c = (bytes: Uint8Array, seed?: number) => number

/** Below this many bytes the call into native code costs more than it saves. */
const nativeFromBytes = 256
const polynomial = 0x82f63b78
const tables = makeTables()
const native = await loadNative()

/** Checksum of `bytes` from `from` up to (not with) `to`; unsigned. */
export function crc32c(bytes: Uint8Array, from = 0, to = bytes.length): number {
  if (native === null || to - from < nativeFromBytes) return crc32cInJavaScript(bytes, from, to)
  const whole = from === 0 && to === bytes.length
  return native(whole ? bytes : bytes.subarray(from, to)) >>> 0
}

/** True where the native package answers. */
export const isCrc32cNative = native !== null

/** Slicing-by-8: eight table look-ups per eight bytes instead of eight dependent steps. */
export function crc32cInJavaScript(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = -1
  let i = from
  const t = tables
  for (const wholeEnd = to - 7; i < wholeEnd; i += 8) {
    const mixed =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24))
    crc =
      (t[1792 + (mixed & 0xff)] as number) ^
      (t[1536 + ((mixed >>> 8) & 0xff)] as number) ^
      (t[1280 + ((mixed >>> 16) & 0xff)] as number) ^
      (t[1024 + (mixed >>> 24)] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number)
  }
  for (; i < to; i++) crc = (t[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Table k (at 256·k) holds the effect of a byte that k more bytes follow. */
function makeTables(): Int32Array {
  const table = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : polynomial)
    table[byte] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256] as number
    table[i] = (table[before & 0xff] as number) ^ (before >>> 8)
  }
  return table
}

/** Built at run time, so that no bundler tries to resolve what a browser cannot have. */
async function loadNative(): Promise<NativeCrc32c | null> {
  const packageName = ['@node-rs', 'crc32'].join('/')
  try {
    const loaded = (await import(packageName)) as {
      crc32c?: NativeCrc32c
      default?: { crc32c?: NativeCrc32c }
    }
    const found = loaded.crc32c ?? loaded.default?.crc32c
    const question = new TextEncoder().encode('123456789')
    return found !== undefined && found(question) >>> 0 === 0xe3069283 ? found : null
  } catch {
    return null
  }
}

/**
 * Frame: one message of the protocol as bytes.
 *
 *   u32 header length, big-endian | header (JSON object, UTF-8) | body 0 | body 1 | …
 *   header.body = [length of body 0, length of body 1, …]; absent = no body.
 *   request {id, api, v, …} · response {id, …} or {id, error} · push {push, …}
 *
 * Always true: what `decodeFrame` returns covers the message exactly; a body is a view of what
 * arrived, copied only where the sender's split runs through it. Used by request-channel (client)
 * and session (broker); tested against hostile bytes.
 */
import { nestsDeeperThan } from './bytes/json-nesting.ts'
import { SluiceError } from './errors.ts'

export const subprotocol = 'sluice.v1'
export const maxHeaderNesting = 16
/** Each body costs its receiver an object, however short it is. */
export const maxFrameBodies = 100_000

export interface FrameHeader {
  [name: string]: unknown
}
export interface Frame {
  readonly header: FrameHeader
  readonly bodies: Uint8Array[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const nothing = new Uint8Array(0)

/** The message as parts for Connection.send: the head, then the bodies untouched. */
export function encodeFrame(header: FrameHeader, bodies: readonly Uint8Array[] = []): Uint8Array[] {
  const json =
    bodies.length === 0
      ? JSON.stringify(header)
      : JSON.stringify({ ...header, body: bodies.map(b => b.byteLength) })
  const utf8 = encoder.encode(json)
  const head = new Uint8Array(4 + utf8.byteLength)
  new DataView(head.buffer).setUint32(0, utf8.byteLength)
  head.set(utf8, 4)
  return [head, ...bodies]
}

const malformed = (message: string): never => {
  throw new SluiceError('INVALID_REQUEST', message, {
    hint: 'a message is: u32 header length | JSON header | bodies as listed in header.body',
  })
}

/** Reads across parts without joining what need not be joined. */
class PartsReader {
  readonly #parts: readonly Uint8Array[]
  #index = 0
  #at = 0
  left: number

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts
    this.left = parts.reduce((sum, part) => sum + part.byteLength, 0)
  }

  /**
   * A view where the bytes lie in one part, a copy where they do not. The caller checked `left`.
   */
  take(length: number): Uint8Array {
    if (length === 0) return nothing
    this.left -= length
    while (this.#at === (this.#parts[this.#index]?.byteLength ?? -1)) this.#step()
    const part = this.#parts[this.#index]
    if (part === undefined) return nothing
    if (part.byteLength - this.#at >= length) {
      this.#at += length
      return part.subarray(this.#at - length, this.#at)
    }
    return this.#join(length)
  }

  #step(): void {
    this.#index++
    this.#at = 0
  }

  #join(length: number): Uint8Array {
    const whole = new Uint8Array(length)
    for (let filled = 0; filled < length; ) {
      const part = this.#parts[this.#index]
      if (part === undefined) break
      const piece = part.subarray(this.#at, this.#at + length - filled)
      whole.set(piece, filled)
      filled += piece.byteLength
      this.#at += piece.byteLength
      if (this.#at === part.byteLength) this.#step()
    }
    return whole
  }
}

function parseHeader(utf8: Uint8Array): FrameHeader {
  let parsed: unknown
  try {
    const json = decoder.decode(utf8)
    if (nestsDeeperThan(json, maxHeaderNesting))
      malformed(`the header nests deeper than ${maxHeaderNesting}`)
    parsed = JSON.parse(json)
  } catch (error) {
    if (SluiceError.is(error)) throw error
    malformed('the header is not JSON in UTF-8')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    malformed('the header is not a JSON object')
  }
  return parsed as FrameHeader
}

function bodyLengths(header: FrameHeader): number[] {
  const lengths = header['body'] ?? []
  if (!Array.isArray(lengths)) malformed('header.body is not a list of lengths')
  const list = lengths as unknown[]
  if (list.length > maxFrameBodies) {
    malformed(`${list.length} bodies in one message, limit ${maxFrameBodies}`)
  }
  if (!list.every(n => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0)) {
    malformed('header.body holds something that is not a length')
  }
  return list as number[]
}

/**
 * @throws SluiceError INVALID_REQUEST (framing is lost: close the connection), FRAME_TOO_LARGE for
 * a header over `maxHeaderBytes`
 */
export function decodeFrame(parts: readonly Uint8Array[], maxHeaderBytes: number): Frame {
  const reader = new PartsReader(parts)
  if (reader.left < 4) malformed('the message is shorter than its length field')
  const lengthBytes = reader.take(4)
  const view = new DataView(lengthBytes.buffer, lengthBytes.byteOffset, 4)
  const headerLength = view.getUint32(0)
  if (headerLength > maxHeaderBytes) {
    throw new SluiceError(
      'FRAME_TOO_LARGE',
      `header of ${headerLength} bytes, limit ${maxHeaderBytes}`,
    )
  }
  if (headerLength > reader.left) malformed('the header length points past the end of the message')
  const header = parseHeader(reader.take(headerLength))
  const lengths = bodyLengths(header)
  const total = lengths.reduce((sum, n) => sum + n, 0)
  if (total !== reader.left) malformed(`bodies of ${total} bytes announced, ${reader.left} sent`)
  return { header, bodies: lengths.map(length => reader.take(length)) }
}

/**
 * Reference WebSocket: what a receiver makes of a client's bytes after the handshake, written from
 * RFC 6455 for a receiver without extensions.
 *
 * Always true: it shares no code with ws; nothing after the first broken rule counts.
 * Used by the target of WebSocket bytes.
 */
const [continuation, text, binary, close, ping, pong] = [0, 1, 2, 8, 9, 10]

interface Frame {
  readonly opcode: number
  readonly isFinal: boolean
  readonly payload: Uint8Array
  readonly end: number
}

/** The frame at `at`; `more` where it is not whole, `broken` where a rule is. */
function frameAt(bytes: Uint8Array, at: number, maxBytes: number): Frame | 'more' | 'broken' {
  if (bytes.length < at + 2) return 'more'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [first, second] = [view.getUint8(at), view.getUint8(at + 1)]
  const opcode = first & 15
  const isControl = opcode >= 8
  if ((first & 0x70) !== 0 || ![0, 1, 2, 8, 9, 10].includes(opcode)) return 'broken'
  const isFinal = first >= 0x80
  let length = BigInt(second & 0x7f)
  if (isControl && (!isFinal || length > 125n)) return 'broken'
  if (second < 0x80) return 'broken'
  const lengthBytes = length === 126n ? 2 : length === 127n ? 8 : 0
  if (bytes.length < at + 2 + lengthBytes) return 'more'
  if (lengthBytes === 2) length = BigInt(view.getUint16(at + 2))
  if (lengthBytes === 8) length = view.getBigUint64(at + 2)
  if (!isControl && length > BigInt(maxBytes)) return 'broken'
  const maskAt = at + 2 + lengthBytes
  const start = maskAt + 4
  const end = start + Number(length)
  if (bytes.length < end) return 'more'
  const payload = bytes.slice(start, end).map((byte, i) => byte ^ view.getUint8(maskAt + (i & 3)))
  return { opcode, isFinal, payload, end }
}

/** Each binary message as hex, `text` for each text message; until a close or a broken rule. */
export function referenceMessages(bytes: Uint8Array, maxBytes: number): string[] {
  const messages: string[] = []
  let open: { opcode: number; parts: Uint8Array[]; length: number } | null = null
  for (let at = 0; ; ) {
    const frame = frameAt(bytes, at, maxBytes - (open?.length ?? 0))
    if (typeof frame === 'string') return messages
    const { opcode, isFinal, payload } = frame
    at = frame.end
    if (opcode === close) return messages
    if (opcode === ping || opcode === pong) continue
    if ((opcode === continuation) !== (open !== null)) return messages
    open ??= { opcode, parts: [], length: 0 }
    open.parts.push(payload)
    open.length += payload.length
    if (!isFinal) continue
    const whole = open.opcode === binary ? Buffer.concat(open.parts).toString('hex') : 'text'
    messages.push(open.opcode === text ? 'text' : whole)
    open = null
  }
}

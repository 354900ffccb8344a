/**
 * Frame: one message of the wire. However the bytes are cut, the same frame or the same refusal
 * comes out; what was decoded encodes to a message that decodes to it again; a header over its
 * limit is refused by its length alone.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import { decodeFrame, encodeFrame, type Frame } from '../../../protocol/frame.ts'
import { damaged } from '../json-text.ts'
import { frameOf, headerText, hostileNames, type MessageKind, messageKinds } from '../messages.ts'
import { inPieces, maxBytes, mutated } from '../mutate.ts'
import { FuzzRandom } from '../random.ts'
import { defaults, require, sameBytes, type Target, verdictOf } from '../target.ts'

const maxHeaderBytes = 32 * 1024
const cuts = new FuzzRandom()
const maxDepth = 16

/** Brackets that are open at once in JSON that was parsed. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (const one of Object.values(value)) deepest = Math.max(deepest, depthOf(one))
  return deepest + 1
}

function make(kinds: readonly MessageKind[], random: FuzzRandom): Uint8Array {
  const kind = random.pick(kinds)
  const bodies = Array.from({ length: random.size(5) }, () => random.bytes(random.size(60)))
  const frame = frameOf(headerText(kind, random), bodies)
  switch (random.below(16)) {
    case 0:
      return mutated(frame, random)
    case 1:
    case 2:
      return repaired(mutated(frame, random), random)
    case 3:
      return bodyLengths(random)
    case 4:
      return balancedLengths(random)
    case 5:
      return frameOf(damaged(random.pick(kind.documents), random, hostileNames))
    default:
      return frame
  }
}

/** The header length made to fit again, as if all were header, or by an edge. */
function repaired(frame: Uint8Array, random: FuzzRandom): Uint8Array {
  if (frame.length < 4) return frame
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const brace = frame.lastIndexOf(0x7d)
  view.setUint32(0, random.oneIn(8) ? random.edge() : Math.max(0, brace - 3))
  return frame
}

/** Lengths that add up to what is there, some of them negative, broken or huge. */
function balancedLengths(random: FuzzRandom): Uint8Array {
  const there = random.size(60)
  const lengths = Array.from({ length: random.below(4) }, () => random.between(-20, 20))
  if (random.oneIn(4)) lengths.push(random.oneIn(2) ? 0.5 : random.safeInteger())
  lengths.push(there - lengths.reduce((sum, length) => sum + length, 0))
  const frame = frameOf(`{"id":1,"body":[${lengths.join(',')}]}`)
  return Buffer.concat([frame, random.bytes(there)])
}

/** Lists of body lengths that lie, overflow or are very long. */
function bodyLengths(random: FuzzRandom): Uint8Array {
  const count = random.oneIn(64) ? random.below(14_000) : random.size(20)
  const small = random.oneIn(2)
  const lengths = Array.from({ length: count }, () => (small ? random.below(3) : random.edge()))
  const text = `{"id":1,"body":[${lengths.join(',')}]}`
  const total = small ? lengths.reduce((sum, length) => sum + length, 0) : random.size(100)
  const frame = frameOf(text)
  const whole = new Uint8Array(frame.length + Math.min(total, maxBytes))
  whole.set(frame)
  return whole
}

function requireSame(a: Frame, b: Frame, when: string): void {
  require(JSON.stringify(a.header) === JSON.stringify(b.header), () => `other header ${when}`)
  require(a.bodies.length === b.bodies.length, () => `other bodies ${when}`)
  const same = a.bodies.every((body, i) => sameBytes(body, b.bodies[i] ?? new Uint8Array(0)))
  require(same, () => `other bytes in a body ${when}`)
}

function run(input: Uint8Array): string {
  const whole = verdictOf(() => decodeFrame([input], maxHeaderBytes))
  cuts.restart(input.length, input[0] ?? 0, input[input.length - 1] ?? 0)
  const pieces = cuts.oneIn(3) ? inPieces(input, cuts) : [input]
  const cut = pieces.length === 1 ? whole : verdictOf(() => decodeFrame(pieces, maxHeaderBytes))
  if (SluiceError.is(whole)) {
    const said = SluiceError.is(cut) ? cut.message : 'a frame'
    const both = `whole: ${whole.message}; in ${pieces.length} pieces: ${said}`
    require(said === whole.message, () => both)
    return whole.code === 'FRAME_TOO_LARGE' ? 'refused: too large' : stageOf(whole.message)
  }
  require(!SluiceError.is(cut), () => `whole: a frame; in ${pieces.length} pieces: none`)
  requireSame(whole, cut, 'in pieces')
  const length = new DataView(input.buffer, input.byteOffset, 4).getUint32(0)
  require(length <= maxHeaderBytes, () => `a header of ${length} bytes`)
  require(depthOf(whole.header) <= maxDepth, () => 'deeper nesting than allowed')
  const covered = whole.bodies.reduce((sum, body) => sum + body.length, 4 + length)
  require(covered === input.length, () => `${covered} of ${input.length} bytes covered`)
  // That encoding comes back is the same for many inputs and costs as much as all the rest.
  if (!cuts.oneIn(3)) return whole.bodies.length > 0 ? 'frame with bodies' : 'frame'
  const { body: _, ...header } = whole.header
  const again = decodeFrame(encodeFrame(header, whole.bodies), 2 ** 30)
  const { body: __, ...back } = again.header
  requireSame({ ...whole, header }, { ...again, header: back }, 'after encoding')
  return whole.bodies.length > 0 ? 'frame with bodies' : 'frame'
}

function stageOf(message: string): string {
  if (message.includes('nests')) return 'refused: nesting'
  if (message.includes('JSON')) return 'refused: not JSON'
  if (message.includes('bod')) return 'refused: bodies'
  return 'refused: framing'
}

export const frame: Target = {
  ...defaults,
  name: 'frame',
  reaches: [
    'frame',
    'frame with bodies',
    'refused: nesting',
    'refused: bodies',
    'refused: too large',
  ],
  weight: 200_000,
  maxAllocatedBytes: 2 ** 22,
  async open(seed) {
    const kinds = [...messageKinds('request', seed), ...messageKinds('response', seed)]
    return { make: random => make(kinds, random), run }
  },
}

/**
 * Header: the check of every message of every api. What it accepts is what the api's own words
 * allow, judged by other code (plan.ts); what it refuses, it refuses as INVALID_REQUEST.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import { decodeFrame } from '../../../protocol/frame.ts'
import { apis } from '../../../protocol/messages/apis.ts'
import { checkMessage, type Shape } from '../../../protocol/messages/define.ts'
import { frameOf, headerText, type MessageKind, messageKinds } from '../messages.ts'
import { fits } from '../plan.ts'
import type { FuzzRandom } from '../random.ts'
import { defaults, require, type Target, verdictOf } from '../target.ts'

const maxHeaderBytes = 2 ** 20

/** First byte: which kind; then a frame. */
function make(kinds: readonly MessageKind[], random: FuzzRandom): Uint8Array {
  const at = random.below(kinds.length)
  const kind = kinds[at] as MessageKind
  const frame = frameOf(headerText(kind, random))
  if (random.oneIn(12)) frame[random.between(4, frame.length - 1)] = random.between(0x80, 0xff)
  const input = new Uint8Array(1 + frame.length)
  input[0] = at
  input.set(frame, 1)
  return input
}

function run(kinds: readonly MessageKind[], input: Uint8Array): string {
  const kind = kinds[(input[0] ?? 0) % kinds.length] as MessageKind
  const frame = verdictOf(() => decodeFrame([input.subarray(1)], maxHeaderBytes))
  if (SluiceError.is(frame)) return 'refused: frame'
  const shape = apis[kind.api][kind.side] as Shape
  const before = JSON.stringify(frame.header)
  const checked = verdictOf(() => checkMessage(shape, frame.header))
  const allowed = fits(kind.plan, frame.header)
  if (SluiceError.is(checked)) {
    require(checked.code === 'INVALID_REQUEST', () => `refused as ${checked.code}`)
    require(!allowed, () => `${kind.api} ${kind.side} is refused: ${checked.message}`)
    require(checked.message.length < 2500, () => 'a refusal as long as what was sent')
    return 'refused: fields'
  }
  require(allowed, () => `${kind.api} ${kind.side} is accepted against its own words`)
  require(JSON.stringify(checked) === before, () => 'the check changed the message')
  return 'accepted'
}

export const header: Target = {
  ...defaults,
  name: 'header',
  reaches: ['accepted', 'refused: fields', 'refused: frame'],
  weight: 300_000,
  maxAllocatedBytes: 2 ** 21,
  async open(seed) {
    const kinds = [...messageKinds('request', seed), ...messageKinds('response', seed)]
    return { make: random => make(kinds, random), run: input => run(kinds, input) }
  },
}

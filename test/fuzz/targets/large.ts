/**
 * Large: messages as large as the broker takes them, whose headers are all of one kind of JSON:
 * lists, objects, keys, numbers, escapes, body lengths by the hundred thousand. Refused or read,
 * within the time and the memory that a message may cost.
 */
import { SluiceError } from '../../../protocol/errors.ts'
import { decodeFrame } from '../../../protocol/frame.ts'
import { type ApiName, apis } from '../../../protocol/messages/apis.ts'
import { checkMessage, type Shape } from '../../../protocol/messages/define.ts'
import { apiNames, frameOf, hostileNames } from '../messages.ts'
import type { FuzzRandom } from '../random.ts'
import { defaults, type Target, verdictOf } from '../target.ts'

/**
 * A full header of nothing but brackets takes JSON.parse 30 ms on an idle machine, and there is no
 * cheaper way to read one; what is asked here is that nothing costs more than in proportion.
 */
const maxMs = 200
/** The broker's defaults. */
const maxHeaderBytes = 2 ** 20
const maxFrameBytes = 16 * 2 ** 20

const pieces: readonly ((n: number, random: FuzzRandom) => string)[] = [
  () => '0',
  () => '[]',
  () => '{}',
  () => '""',
  () => '"\\u0041"',
  () => '1e300',
  () => '9007199254740993',
  () => '[[[[[[[[[[[]]]]]]]]]]]',
  () => '{"a":{"a":{"a":{}}}}',
  (_, random) => JSON.stringify(random.pick(hostileNames)),
  n => String(n),
]
const keys: readonly ((n: number) => string)[] = [
  n => `"k${n}"`,
  n => `"${n}"`,
  () => '"partitions"',
  () => '"__proto__"',
  n => `"\\u00${(16 + (n % 200)).toString(16)}"`,
]

/** `text` repeated with commas, up to `bytes`. */
function many(bytes: number, piece: (n: number) => string): string {
  const parts: string[] = []
  for (let n = 0, length = 0; length < bytes; n++) {
    const part = piece(n)
    parts.push(part)
    length += part.length + 1
  }
  return parts.join(',')
}

/** First byte: the api; then a frame. */
function make(random: FuzzRandom): Uint8Array {
  const at = random.below(apiNames.length)
  const bytes = random.oneIn(2) ? maxHeaderBytes - 200 : random.size(maxHeaderBytes)
  const piece = random.pick(pieces)
  const key = random.pick(keys)
  const filling = random.oneIn(3)
    ? `{${many(bytes, n => `${key(n)}:${piece(n, random)}`)}}`
    : `[${many(bytes, n => piece(n, random))}]`
  const name = random.oneIn(3) ? 'body' : random.pick(hostileNames)
  const frame = frameOf(`{"id":1,"api":"${apiNames[at]}","v":1,"${name}":${filling}}`)
  const bodies = name === 'body' && random.oneIn(2) ? random.size(maxFrameBytes / 4) : 0
  const input = new Uint8Array(1 + frame.length + bodies)
  input[0] = at
  input.set(frame, 1)
  return input
}

function run(input: Uint8Array): string {
  const api = apiNames[(input[0] ?? 0) % apiNames.length] as ApiName
  const frame = verdictOf(() => decodeFrame([input.subarray(1)], maxHeaderBytes))
  if (SluiceError.is(frame)) return frame.code
  const checked = verdictOf(() => checkMessage(apis[api].request as Shape, frame.header))
  return SluiceError.is(checked) ? 'refused: fields' : 'accepted'
}

export const large: Target = {
  ...defaults,
  name: 'large',
  reaches: ['INVALID_REQUEST', 'refused: fields'],
  maxMs,
  weight: 100,
  maxAllocatedBytes: 2 * maxFrameBytes,
  executionsPerState: 100,
  open: async () => ({ make, run }),
}

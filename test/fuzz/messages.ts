/**
 * Messages: frames of every api, well formed or damaged inside, with the outer lengths right so
 * that the damage is found by the check that is meant to find it.
 *
 * Always true: the same seed gives the same store of well-formed messages.
 * Used by the targets of frames, headers, requests and answers.
 */
import { crc32c } from '../../protocol/bytes/crc32c.ts'
import { type ApiName, apis } from '../../protocol/messages/apis.ts'
import { damaged, documentOf, type JsonDocument } from './json-text.ts'
import { namesIn, type Plan, planOf, type Vocabulary, validValue } from './plan.ts'
import { FuzzRandom, nameHash } from './random.ts'

export const apiNames = Object.keys(apis) as ApiName[]
const documentsPerKind = 24
const encoder = new TextEncoder()

export interface MessageKind {
  readonly api: ApiName
  readonly side: 'request' | 'response'
  readonly plan: Plan
  readonly documents: readonly JsonDocument[]
}

export const plainWords: Vocabulary = {
  texts: [
    'orders',
    'aaaaaaaaaaaaaaaaaaaaaa',
    '',
    'é',
    'retention.ms',
    '7d',
    'all',
    'x'.repeat(249),
  ],
}

/** What is not written as a value somewhere: names of fields, errors and settings. */
export const hostileNames: readonly string[] = [
  ...['id', 'api', 'v', 'push', 'error', 'body', 'code', 'message', 'retriable', 'maybeApplied'],
  ...apiNames,
  ...new Set(
    apiNames.flatMap(api => [
      ...namesIn(planOf(apis[api].request)),
      ...namesIn(planOf(apis[api].response)),
    ]),
  ),
]

/** All kinds of one side, with well-formed documents of each. */
export function messageKinds(
  side: MessageKind['side'],
  seed: number,
  words: Vocabulary = plainWords,
): MessageKind[] {
  const random = new FuzzRandom()
  return apiNames.map((api, at) => {
    const plan = planOf(apis[api][side])
    const documents = Array.from({ length: documentsPerKind }, (_, n) => {
      random.restart(seed, nameHash(side) + at, n)
      const base = side === 'request' ? { id: n, api, v: 1 } : { id: n }
      return documentOf({ ...base, ...(validValue(plan, random, words) as object) })
    })
    return { api, side, plan, documents }
  })
}

/** A header of that kind, seven of eight times damaged. */
export function headerText(kind: MessageKind, random: FuzzRandom): string {
  return damaged(random.pick(kind.documents), random, hostileNames)
}

/** `text` as a frame, with its body lengths written into the header unless it has some. */
export function frameOf(text: string, bodies: readonly Uint8Array[] = []): Uint8Array {
  const lengths = bodies.map(body => body.length).join(',')
  const said = bodies.length === 0 ? text : `${text.slice(0, -1)},"body":[${lengths}]}`
  const utf8 = encoder.encode(said)
  const total = bodies.reduce((sum, body) => sum + body.length, 4 + utf8.length)
  const frame = new Uint8Array(total)
  new DataView(frame.buffer).setUint32(0, utf8.length)
  frame.set(utf8, 4)
  let at = 4 + utf8.length
  for (const body of bodies) {
    frame.set(body, at)
    at += body.length
  }
  return frame
}

/** Length and checksum of a batch made right again, so that what is wrong inside is met. */
export function repairedBatch(batch: Uint8Array, what: 'both' | 'length' | 'none'): Uint8Array {
  if (batch.length < 61 || what === 'none') return batch
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  view.setInt32(8, batch.length - 12)
  view.setUint8(16, 2)
  if (what === 'both') view.setUint32(17, crc32c(batch, 21))
  return batch
}

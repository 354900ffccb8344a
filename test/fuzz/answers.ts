/**
 * Answers: what a hostile broker says: answers of every api, damaged, and fetch answers that carry
 * batches which follow on each other, or just do not.
 *
 * Always true: the id is 1 where the damage left it alone; who replays an answer puts the request's
 * own id there.
 * Used by the targets of the client's side.
 */
import { patchBatch } from '../../protocol/records/batch-header.ts'
import type { BatchStore } from './batches.ts'
import { damaged, documentOf } from './json-text.ts'
import { apiNames, frameOf, headerText, hostileNames, type MessageKind } from './messages.ts'
import type { FuzzRandom } from './random.ts'

/** Batches one after the other from offset 0; now and then one is out of place. */
function fetchBody(store: BatchStore, random: FuzzRandom): Uint8Array {
  const batches: Uint8Array[] = []
  let offset = random.oneIn(8) ? random.below(20) : 0
  for (let n = 1 + random.size(4); n > 0; n--) {
    const isHonest = !random.oneIn(3)
    const bytes = isHonest ? random.pick(store.batches).bytes.slice() : store.make(random).slice()
    batches.push(bytes)
    if (bytes.length < 61) continue
    patchBatch(bytes, random.oneIn(12) ? random.edge() : offset, random.below(3))
    offset += 1 + new DataView(bytes.buffer).getInt32(23)
  }
  const body = Buffer.concat(batches)
  return random.oneIn(8) ? body.subarray(0, random.below(body.length + 1)) : body
}

export function fetchAnswer(store: BatchStore, topicId: string, random: FuzzRandom): Uint8Array {
  const bodies = Array.from({ length: random.below(3) }, () => fetchBody(store, random))
  const aborted = random.oneIn(4) && { abortedTransactions: [{ producerId: 1, firstOffset: 0 }] }
  const entry = {
    topicId,
    partition: 0,
    bodies: random.oneIn(8) ? random.below(5) : bodies.length,
    logStartOffset: random.oneIn(8) ? Math.abs(random.safeInteger()) : 0,
    highWatermark: random.oneIn(8) ? Math.abs(random.safeInteger()) : 100,
    ...aborted,
  }
  const document = documentOf({ id: 1, partitions: [entry] })
  const text = random.oneIn(4) ? damaged(document, random, hostileNames) : document.text
  return frameOf(text, bodies)
}

/** First byte: the api; then a frame. */
export function answerInput(
  kinds: readonly MessageKind[],
  store: BatchStore,
  random: FuzzRandom,
): Uint8Array {
  const at = random.oneIn(2) ? apiNames.indexOf('fetch') : random.below(kinds.length)
  const kind = kinds[at] as MessageKind
  const frame =
    kind.api === 'fetch' && !random.oneIn(4)
      ? fetchAnswer(store, 'topic-1-1', random)
      : frameOf(headerText(kind, random).replace(/^\{"id":\d+/, '{"id":1'))
  const input = new Uint8Array(1 + frame.length)
  input[0] = at
  input.set(frame, 1)
  return input
}

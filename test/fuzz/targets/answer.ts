/**
 * Answer: what the client does with one message of a broker: the request settles with what the
 * api's words allow or with a SluiceError, at the latest when the connection closes; fetched
 * batches are read to the end or refused.
 */
import { answerBatches } from '../../../client/consumer/answer-batches.ts'
import { BatchCursor } from '../../../client/consumer/batch-view.ts'
import { RecordMaker } from '../../../client/consumer/received-record.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import type { ApiName } from '../../../protocol/messages/apis.ts'
import { RequestChannel } from '../../../protocol/transport/request-channel.ts'
import type { Connection } from '../../../protocol/world.ts'
import { answerInput } from '../answers.ts'
import { BatchStore, compression } from '../batches.ts'
import { apiNames, type MessageKind, messageKinds } from '../messages.ts'
import { fits } from '../plan.ts'
import { Broken, defaults, require, type Target, verdictOf } from '../target.ts'

const clock = { wallMs: () => 0, monotonicMs: () => 0 }
const timers = { after: () => ({ cancel: () => {} }), endOfTurn: () => {} }
const decoding = { key: undefined, value: undefined, onDecodeError: 'fail' as const }
const maker = new RecordMaker({ topic: 'orders', partition: 0 }, decoding)
/** A lookup by one limit is enough here; unpacking has a target of its own. */
const limited = {
  ...compression,
  decompress: (codec: Parameters<typeof compression.decompress>[0], bytes: Uint8Array) =>
    compression.decompress(codec, bytes, 2 ** 20),
}

class DeadEnd implements Connection {
  readonly peer = 'broker'
  readonly bufferedBytes = 0
  readonly receivingBytes = 0
  readonly takenBytes = 0
  isClosed = false
  send(): void {}
  flush(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true
  }
  terminate(): void {
    this.isClosed = true
  }
}

interface Settled {
  response?: unknown
  bodies?: Uint8Array[]
  error?: unknown
}

async function ask(api: ApiName, frame: Uint8Array): Promise<Settled> {
  const connection = new DeadEnd()
  const options = { clock, timers, maxInFlight: 4, maxQueued: 4, maxHeaderBytes: 2 ** 20 }
  const channel = new RequestChannel(connection, options)
  const settled: Settled = {}
  const asked = channel.request(api, {} as never, [], { timeoutMs: 1000 }).then(
    answer => Object.assign(settled, answer),
    (error: unknown) => Object.assign(settled, { error }),
  )
  channel.onMessage([frame])
  channel.onMessage([frame])
  channel.onClose({ code: 1006, reason: '' })
  await asked
  require(channel.pendingCount === 0, () => 'requests are left after the end')
  return settled
}

/** As fetcher.ts gives the bodies to the partition. */
function readFetched(response: unknown, bodies: readonly Uint8Array[]): string {
  const { partitions } = response as { partitions: Parameters<typeof answerBatches>[0][] }
  const [answer] = partitions
  if (answer === undefined) return 'fetched: nothing'
  const own = bodies.slice(0, answer.bodies)
  const options = { offset: 0, lastEpoch: undefined, checkCrc: true, compression: limited }
  const batches = verdictOf(() => answerBatches(answer, own, options))
  if (SluiceError.is(batches)) return 'fetched: refused'
  let next = 0
  let last = -1
  for (const batch of batches) {
    require(batch.from >= 0 && batch.next > last, () => 'the position goes back')
    next = batch.next
    const end = verdictOf(() => {
      const cursor = new BatchCursor({ batch, maker, compression: limited, until: Infinity })
      for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
        require(record.offset > last && record.offset < next, () => `offset ${record?.offset}`)
        last = record.offset
      }
    })
    if (SluiceError.is(end)) return 'fetched: damaged records'
  }
  return batches.length === 0 ? 'fetched: nothing' : 'fetched: read'
}

async function run(kinds: readonly MessageKind[], input: Uint8Array): Promise<string> {
  const kind = kinds[(input[0] ?? 0) % kinds.length] as MessageKind
  const { response, bodies = [], error } = await ask(kind.api, input.subarray(1))
  if (response === undefined) {
    if (!SluiceError.is(error)) throw new Broken(`rejected with ${String(error)}`)
    return `rejected: ${error.code === 'PROTOCOL_MISMATCH' ? error.code : 'an error as sent'}`
  }
  require(fits(kind.plan, response), () => `an answer to ${kind.api} against its own words`)
  return kind.api === 'fetch' ? readFetched(response, bodies) : 'answered'
}

export const answer: Target = {
  ...defaults,
  name: 'answer',
  reaches: [
    'answered',
    'fetched: read',
    'fetched: refused',
    'fetched: damaged records',
    'rejected: PROTOCOL_MISMATCH',
    'rejected: an error as sent',
  ],
  weight: 60_000,
  maxAllocatedBytes: 2 ** 22,
  async open(seed) {
    const store = new BatchStore(seed)
    const kinds = messageKinds('response', seed)
    require(kinds.length === apiNames.length, () => 'an api is missing')
    return {
      make: random => answerInput(kinds, store, random),
      run: input => run(kinds, input),
    }
  },
}

/**
 * Bad input gets a clear error, and nothing is lost (issue 3): each case on a connection of its
 * own, and after each the broker still serves its other client.
 */
import t from 'tap'
import { encodeFrame } from '../../../protocol/frame.ts'
import type { Answer, Peer } from '../../support/direct-network.ts'
import { batchOf, startTestBroker, type TestBroker } from '../../support/test-broker.ts'

interface Case {
  readonly name: string
  readonly limits?: object
  /** Sends the bad input; answers what the sender sees. */
  run(peer: Peer, topicId: string): unknown
  readonly error?: string
  readonly message?: RegExp
  readonly hint?: RegExp
  readonly closes?: number
}

const bytes = (text: string) => new TextEncoder().encode(text)

function withHeaderLength(length: number, header: string): Uint8Array {
  const frame = new Uint8Array(4 + header.length)
  new DataView(frame.buffer).setUint32(0, length)
  frame.set(bytes(header), 4)
  return frame
}

const frameOf = (header: string) => withHeaderLength(header.length, header)

async function serves(broker: TestBroker, other: Peer, topicId: string): Promise<string | null> {
  const produced = await other.call(
    'produce',
    { acks: 'all', timeoutMs: 1000, partitions: [{ topic: 'orders', topicId, partition: 1 }] },
    [batchOf('still here')],
  )
  const [entry] = produced.header.partitions as { error?: unknown }[]
  if (broker.world.deaths.length > 0) return `the process died: ${broker.world.deaths}`
  return produced.error?.message ?? (entry?.error ? JSON.stringify(entry.error) : null)
}

const framing: Case[] = [
  {
    name: 'garbage',
    run: peer => peer.sendRaw(bytes('GET / HTTP/1.1\r\n\r\n')),
    closes: 1009,
    message: /FRAME_TOO_LARGE: header of \d+ bytes/,
  },
  {
    name: 'an empty message',
    run: peer => peer.sendRaw(),
    closes: 1002,
    message: /INVALID_REQUEST: .*shorter/,
  },
  { name: 'a text frame', run: peer => peer.sendText(), closes: 1002, message: /binary/ },
  {
    name: 'a header over the limit',
    run: peer => peer.sendRaw(withHeaderLength(2 ** 30, '{}')),
    closes: 1009,
    message: /limit 1048576/,
  },
  {
    name: 'a header that ends after the message',
    run: peer => peer.sendRaw(withHeaderLength(500, '{}')),
    closes: 1002,
    message: /past the end/,
  },
  {
    name: 'a header that is not JSON',
    run: peer => peer.sendRaw(frameOf('{id:1}')),
    closes: 1002,
    message: /not JSON/,
  },
  {
    name: 'a header that is a list',
    run: peer => peer.sendRaw(frameOf('[1]')),
    closes: 1002,
    message: /not a JSON object/,
  },
  {
    name: 'a header that nests too deep',
    run: peer => peer.sendRaw(frameOf(`{"id":1,"x":${'['.repeat(500)}${']'.repeat(500)}}`)),
    closes: 1002,
    message: /nests deeper/,
  },
  {
    name: 'body lengths that do not add up',
    run: peer => peer.sendRaw(frameOf('{"id":1,"api":"produce","v":1,"body":[10]}'), bytes('four')),
    closes: 1002,
    message: /10 bytes announced, 4 sent/,
  },
  {
    name: 'a body length that is not a length',
    run: peer => peer.sendRaw(frameOf('{"id":1,"body":[-1]}')),
    closes: 1002,
    message: /not a length/,
  },
  {
    name: 'a request without id',
    run: peer => peer.sendRaw(...encodeFrame({ api: 'metadata', v: 1 })),
    closes: 1002,
    message: /header.id/,
  },
  {
    name: 'an id that is in use',
    run: (peer, topicId) => {
      const id = peer.post('fetch', fetchFields(topicId, { maxWaitMs: 1000, minBytes: 1 }))
      peer.sendRaw(...encodeFrame({ id, api: 'metadata', v: 1 }))
    },
    closes: 1002,
    message: /in use/,
  },
]

const requests: Case[] = [
  {
    name: 'an unknown api',
    run: peer => peer.call('metdata'),
    error: 'UNKNOWN_API',
    message: /no api "metdata"/,
    hint: /nearest: metadata/,
  },
  {
    name: 'an api named like a property of every object',
    run: peer => peer.call('constructor'),
    error: 'UNKNOWN_API',
  },
  {
    name: 'a version of the future',
    run: peer => peer.call('metadata', { v: 99 }),
    error: 'UNKNOWN_API',
    message: /version 99/,
  },
  {
    name: 'a missing version',
    run: peer => peer.call('metadata', { v: undefined }),
    error: 'INVALID_REQUEST',
    message: /header.v/,
  },
  {
    name: 'a missing field',
    run: peer => peer.call('create-topics'),
    error: 'INVALID_REQUEST',
    message: /field "topics" must be a list/,
  },
  {
    name: 'a field of the wrong type, deep inside',
    run: peer => peer.call('create-topics', { topics: [{ name: 'a' }, { name: 7 }] }),
    error: 'INVALID_REQUEST',
    message: /"topics\[1\].name" must be text/,
  },
  {
    name: 'a negative partition',
    run: (peer, topicId) => peer.call('fetch', fetchFields(topicId, {}, { partition: -1 })),
    error: 'INVALID_REQUEST',
    message: /partition" must be an integer from 0/,
  },
  {
    name: 'more partitions than allowed',
    run: (peer, topicId) => {
      const entry = fetchFields(topicId).partitions[0]
      return peer.call('fetch', {
        ...fetchFields(topicId),
        partitions: new Array(5001).fill(entry),
      })
    },
    error: 'INVALID_REQUEST',
    message: /5001 partitions in one request, limit 5000/,
  },
  {
    name: 'fewer bodies than partitions',
    run: (peer, topicId) => peer.call('produce', produceFields(topicId), []),
    error: 'INVALID_REQUEST',
    message: /1 partitions and 0 bodies/,
  },
]

function fetchFields(topicId: string, fields: object = {}, entry: object = {}) {
  return {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1e6,
    isolation: 'uncommitted',
    partitions: [
      { topic: 'orders', topicId, partition: 0, offset: 0, maxBytes: 1e6, ...entry },
    ] as object[],
    ...fields,
  }
}

function produceFields(topicId: string, entry: object = {}) {
  return {
    acks: 'all',
    timeoutMs: 1000,
    partitions: [{ topic: 'orders', topicId, partition: 0, ...entry }],
  }
}

for (const one of [...framing, ...requests]) {
  t.test(`${one.name} is answered clearly, and others are served on`, async t => {
    const broker = await startTestBroker(t, { topics: { orders: 2 } })
    const [peer, other] = [await broker.connect(), await broker.connect()]
    const metadata = await other.call('metadata')
    const [topic] = metadata.header.topics as { topicId: string }[]
    const topicId = topic?.topicId ?? ''
    const answer = (await one.run(peer, topicId)) as Answer | undefined
    if (one.closes !== undefined) {
      t.equal(peer.closed?.code, one.closes)
      if (one.message !== undefined) t.match(peer.closed?.reason, one.message)
      t.ok((peer.closed?.reason.length ?? 0) <= 123, 'the reason fits a close frame')
    } else {
      t.equal(answer?.error?.code, one.error)
      if (one.message !== undefined) t.match(answer?.error?.message, one.message)
      if (one.hint !== undefined) t.match(answer?.error?.hint, one.hint)
      t.equal(peer.closed, null, 'the connection stays')
    }
    t.equal(await serves(broker, other, topicId), null)
  })
}

t.test('anything but hello comes too early on a new connection', async t => {
  const { world } = await startTestBroker(t)
  const peer = world.network.connect()
  const early = await peer.call('metadata')
  t.equal(early.error?.code, 'INVALID_REQUEST')
  t.match(early.error?.message, /hello/)
  const malformed = await peer.call('hello', {})
  t.match(malformed.error?.message, /field "client"/)
  t.match((await peer.call('metadata')).error?.message, /hello/, 'a refused hello does not count')
  await peer.hello()
  t.equal((await peer.call('metadata')).error, undefined)
})

/**
 * Bad batches, on real storage: each is the error of its own entry, with nothing applied, and its
 * neighbour in the same request is stored all the same.
 */
import t from 'tap'
import { createBroker } from '../../../broker/server/broker.ts'
import { crc32c } from '../../../protocol/bytes/crc32c.ts'
import { writeInt32 } from '../../../protocol/bytes/integers.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import { batchOf, testWorld } from '../../support/test-broker.ts'

interface Case {
  readonly name: string
  readonly entry?: object
  readonly batch?: () => Uint8Array
  readonly code: string
  readonly message?: RegExp
}

const changed = (change: (batch: Uint8Array) => void) => () => {
  const batch = batchOf('first', 'second')
  change(batch)
  return batch
}

/** The CRC covers everything from the attributes on. */
const resealed = (change: (batch: Uint8Array) => void) =>
  changed(batch => {
    change(batch)
    writeInt32(batch, 17, crc32c(batch, 21) | 0)
  })

function idempotent(sequence: number): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 1000 })
  builder.append({ timestamp: 1, key: null, value: new Uint8Array(3) })
  return builder.build({ codec: 'none', producerId: 77, producerEpoch: 0, baseSequence: sequence })
}

const flipBit = (batch: Uint8Array) => {
  batch[70] = (batch[70] ?? 0) ^ 1
}

const cases: Case[] = [
  {
    name: 'an unknown topic',
    entry: { topic: 'nobody', topicId: 'x' },
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: /no topic "nobody"/,
  },
  {
    name: 'a stale topic id',
    entry: { topicId: 'A'.repeat(22) },
    code: 'UNKNOWN_TOPIC_ID',
    message: /has id .* now/,
  },
  {
    name: 'a partition out of range',
    entry: { partition: 9 },
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: /no partition 9/,
  },
  { name: 'a wrong checksum', batch: changed(flipBit), code: 'CORRUPT_MESSAGE' },
  {
    name: 'another format version',
    batch: changed(batch => batch.fill(1, 16, 17)),
    code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  },
  {
    name: 'a length past the end',
    batch: changed(batch => writeInt32(batch, 8, 1_000_000)),
    code: 'CORRUPT_MESSAGE',
  },
  {
    name: 'a count that does not fit the offsets',
    batch: resealed(batch => writeInt32(batch, 57, 5)),
    code: 'CORRUPT_MESSAGE',
  },
  {
    name: 'half a batch',
    batch: () => batchOf('x'.repeat(99)).slice(0, 40),
    code: 'CORRUPT_MESSAGE',
  },
  { name: 'no batch at all', batch: () => new Uint8Array(0), code: 'CORRUPT_MESSAGE' },
  {
    name: 'two batches in one body',
    batch: () => Uint8Array.from([...batchOf('a'), ...batchOf('b')]),
    code: 'CORRUPT_MESSAGE',
  },
  {
    name: 'a batch over max.message.bytes',
    batch: () => batchOf('x'.repeat(5000)),
    code: 'MESSAGE_TOO_LARGE',
    message: /4096/,
  },
  {
    name: 'a sequence gap',
    batch: () => idempotent(5),
    code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  },
]

for (const one of cases) {
  t.test(`${one.name} is the error of its entry alone, and nothing of it is applied`, async t => {
    const world = await testWorld()
    const broker = await createBroker({ dataDir: '/d', minFreeBytes: 0 }, world, {
      topics: [{ name: 'orders', partitions: 2, configs: { 'max.message.bytes': '4096' } }],
    })
    t.teardown(() => broker.close())
    const peer = await world.network.connect().hello()
    const { header } = await peer.call('metadata')
    const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
    const send = async (entry: object, bad: Uint8Array) => {
      const good = { topic: 'orders', topicId, partition: 1 }
      const partitions = [{ ...good, partition: 0, ...entry }, good]
      const fields = { acks: 'all', timeoutMs: 1000, partitions }
      const answer = await peer.call('produce', fields, [bad, batchOf('good')])
      return answer.header.partitions as { error?: { code: string; message: string } }[]
    }
    await send({}, idempotent(0))
    const [bad, good] = await send(one.entry ?? {}, one.batch?.() ?? batchOf('fine'))
    t.match(bad?.error, { code: one.code, maybeApplied: false })
    if (one.message !== undefined) t.match(bad?.error?.message, one.message)
    t.match(good, { error: undefined, baseOffset: 1 })
    const logs = await peer.call('describe-log', { topics: ['orders'] })
    t.match(logs.header.partitions, [{ logEndOffset: 1 }, { logEndOffset: 2 }])
    t.same(world.deaths, [])
  })
}

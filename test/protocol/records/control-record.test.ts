/** Control record: markers written here are Kafka's, byte for byte. */
import t from 'tap'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { checkBatch, patchBatch } from '../../../protocol/records/batch-header.ts'
import { eachBatch } from '../../../protocol/records/batches.ts'
import {
  buildControlBatch,
  readControlBatch,
  readControlRecord,
} from '../../../protocol/records/control-record.ts'
import { readLog } from '../../support/kafka-fixture.ts'

const compression = await openCompression()

t.test("a marker built from what Kafka's marker says is the same batch", async t => {
  let markers = 0
  for (const file of ['00000000000000000000', '00000000000000000020']) {
    for (const { batch, header } of eachBatch(readLog(`quakes-txn-0/${file}.log`))) {
      if (!header.isControl) continue
      const { type, coordinatorEpoch } = readControlBatch(batch, header, compression)
      if (type === 'other') return t.fail('an unknown marker')
      const { baseTimestamp: timestamp, producerId, producerEpoch } = header
      const ours = buildControlBatch({
        type,
        coordinatorEpoch,
        timestamp,
        producerId,
        producerEpoch,
      })
      patchBatch(ours, header.baseOffset, header.leaderEpoch)
      t.same(ours, batch)
      t.match(checkBatch(ours), { isControl: true, isTransactional: true })
      markers++
    }
  }
  t.equal(markers, 10)
})

t.test('other kinds are told apart, malformed ones refused', async t => {
  const value = Uint8Array.of(0, 0, 0, 0, 0, 5)
  t.same(readControlRecord(Uint8Array.of(0, 0, 0, 1), value), {
    type: 'commit',
    coordinatorEpoch: 5,
  })
  t.same(readControlRecord(Uint8Array.of(0, 0, 0, 0), value), {
    type: 'abort',
    coordinatorEpoch: 5,
  })
  t.match(readControlRecord(Uint8Array.of(0, 0, 0, 2), null), { type: 'other' })
  const later = [Uint8Array.of(0, 1, 0, 1, 9), Uint8Array.of(0, 1, 0, 0, 0, 6, 7)] as const
  t.match(readControlRecord(...later), { type: 'commit', coordinatorEpoch: 6 }, 'a later version')
  const commit = Uint8Array.of(0, 0, 0, 1)
  for (const [key, bad] of [
    [null, value],
    [Uint8Array.of(0, 0, 0), value],
    [Uint8Array.of(0xff, 0xff, 0, 1), value],
    [commit, null],
    [commit, Uint8Array.of(0, 0, 0)],
  ] as const) {
    t.throws(() => readControlRecord(key, bad), { code: 'CORRUPT_MESSAGE' })
  }
})

/** What a partition counts: what was appended, not what was there already, and what is sent. */
import t from 'tap'
import { TopicCounts } from '../../../broker/metrics/topic-counts.ts'
import { Partition } from '../../../broker/replication/partition.ts'
import { FakeLog } from '../../support/fake-logs.ts'
import { defaultSettings } from '../../support/storage-fixture.ts'
import { batchOf } from '../../support/test-broker.ts'

t.test('a batch that was there already is not counted again', async t => {
  const counts = new TopicCounts('orders')
  const identity = { topic: 'orders', topicId: 'x', partition: 0 }
  const log = new FakeLog(identity, defaultSettings, true)
  const partition = new Partition(log, counts)
  const batch = batchOf('a', 'b')
  const { byteLength } = batch
  partition.appendAsLeader(batch, 'none', () => {})
  log.appendAsLeader = () => ({ baseOffset: 0, lastOffset: 1, duplicate: true })
  partition.appendAsLeader(batchOf('a', 'b'), 'none', () => {})
  t.match(counts, { recordsProduced: 2, batchesProduced: 1, bytesProduced: byteLength })
})

t.test('what is sent is counted by its batches, an empty answer not at all', async t => {
  const counts = new TopicCounts('orders')
  const identity = { topic: 'orders', topicId: 'x', partition: 0 }
  const partition = new Partition(new FakeLog(identity, defaultSettings, true), counts)
  const bodies = [batchOf('a', 'b', 'c')]
  partition.countFetched({ bodies, sizeBytes: 77 })
  partition.countFetched({ bodies: [], sizeBytes: 0 })
  t.match(counts, { recordsFetched: 3, bytesFetched: 77 })
})

/** Lookups by time, of which each may unpack a large batch, wait for each other. */
import t from 'tap'
import { FakeLogs } from '../../support/fake-logs.ts'
import { settled, startTestBroker } from '../../support/test-broker.ts'

t.test('lookups by time go one by one, over all connections and all partitions', async t => {
  const logs = new FakeLogs()
  const { connect } = await startTestBroker(t, { logs, topics: { orders: 3 } })
  const first = await connect()
  const { header } = await first.call('metadata')
  const topicId = (header.topics as { topicId: string }[])[0]?.topicId ?? ''
  const running: (() => void)[] = []
  let atOnce = 0
  for (const log of logs.all()) {
    log.offsetForTimestamp = async () => {
      atOnce++
      await new Promise<void>(resolve => running.push(resolve))
      atOnce--
      return null
    }
  }
  const peers = [first, await connect(), await connect()]
  const asked = peers.map((peer, partition) =>
    peer.call('list-offsets', {
      partitions: [{ topic: 'orders', topicId, partition, at: 'timestamp', timestamp: 1 }],
    }),
  )
  for (let done = 0; done < peers.length; done++) {
    await settled()
    t.equal(atOnce, 1, `after ${done}`)
    running.shift()?.()
  }
  for (const { error } of await Promise.all(asked)) t.equal(error, undefined)
})

/** The status feed: bounded whatever its readers do. */
import t from 'tap'
import { maxQueuedEvents, StatusFeed } from '../../../client/cluster/status-feed.ts'

t.test('a reader that is slow loses the oldest events, and costs no more', async t => {
  const feed = new StatusFeed()
  const events = feed.subscribe()[Symbol.asyncIterator]()
  const count = maxQueuedEvents + 500
  for (let broker = 0; broker < count; broker++) feed.emit({ type: 'connected', broker, url: '' })
  feed.close()
  const seen: unknown[] = []
  for (let next = await events.next(); next.done !== true; next = await events.next()) {
    seen.push(next.value)
  }
  t.equal(seen.length, maxQueuedEvents)
  t.match(seen[0], { broker: 501 })
  t.match(seen.at(-1), { type: 'closed' })
})

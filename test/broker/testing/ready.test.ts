/** How long a test waits for a test broker. */
import t from 'tap'
import { startBroker } from '../../../broker/testing/index.ts'
import { realClock } from '../../../protocol/real-world.ts'

t.test('a test broker with its topics is ready in under 50 ms', async t => {
  // The shortest of some: other tests use the machine at the same time.
  let shortestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < 10; i++) {
    const startedMs = realClock.monotonicMs()
    await using broker = await startBroker({ topics: { orders: 3 } })
    shortestMs = Math.min(shortestMs, realClock.monotonicMs() - startedMs)
    t.match(broker.url, /^ws:\/\/127\.0\.0\.1:[1-9]/)
  }
  t.ok(shortestMs < 50, `${shortestMs} ms`)
})

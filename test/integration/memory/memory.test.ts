/**
 * Bounded memory, in small: RSS of broker and SDK stays below its bound, and every file, socket and
 * timer comes back. Whether RSS is flat cannot be seen in a second or two (lane.ts allows 72 MiB
 * then): that is proved in full size only, by `npm run memory`.
 */
import t from 'tap'
import type { LaneReport } from './lane.ts'
import { connectionsLane, consumerLane, partitionsLane, stalledLane } from './lanes.ts'

const lanes: readonly [string, () => Promise<LaneReport>][] = [
  ['a consumer of a topic that no cache holds', () => consumerLane({ megabytes: 200 })],
  [
    'a producer whose broker stands still waits, and is told in time',
    () => stalledLane({ stallMs: 1500, deliveryTimeoutMs: 800 }),
  ],
  ['two hundred partitions being written', () => partitionsLane({ count: 200, holdMs: 1500 })],
  ['a hundred connections that wait', () => connectionsLane({ count: 100, holdMs: 1500 })],
]

for (const [name, run] of lanes) {
  t.test(name, { timeout: 60_000 }, async t => {
    const { lines, problems } = await run()
    t.comment(lines.join('\n'))
    t.same(problems, [])
  })
}

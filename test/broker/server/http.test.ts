/** The plain HTTP answers of a broker that starts, serves, is in trouble and stops. */
import t from 'tap'
import { BrokerCounts } from '../../../broker/metrics/broker-counts.ts'
import { PartitionManager } from '../../../broker/replication/partition-manager.ts'
import { Health } from '../../../broker/server/health.ts'
import { answerHttp } from '../../../broker/server/http.ts'
import { SluiceError } from '../../../protocol/errors.ts'
import type { HttpAnswer } from '../../../protocol/world.ts'
import { FakeLogs } from '../../support/fake-logs.ts'
import { testWorld } from '../../support/test-broker.ts'

async function healthy() {
  const world = await testWorld()
  const counts = new BrokerCounts()
  const health = new Health({ counts, world, minFreeBytes: 1000 })
  const logs = new FakeLogs()
  const partitions = new PartitionManager()
  health.served = { logs, partitions }
  health.phase = 'serving'
  const metrics = async () => ({ status: 200, contentType: 'text/plain', body: 'numbers' })
  const ask = (path: string): HttpAnswer | Promise<HttpAnswer> =>
    answerHttp(path, { health, metrics })
  const ready = async () => {
    const { status, body, contentType } = await ask('/readyz')
    return { status, contentType, ...JSON.parse(body) }
  }
  return { world, counts, health, logs, partitions, ask, ready }
}

t.test('a broker that serves is alive and ready, in few words', async t => {
  const { ask, ready } = await healthy()
  t.match(await ask('/healthz'), { status: 200, body: 'ok\n' })
  t.match(await ready(), { status: 'ready', contentType: 'application/json; charset=utf-8' })
  t.match(await ask('/'), { status: 200, body: /WebSocket/ })
  t.match(await ask('/metrics'), { body: 'numbers' })
})

t.test('while the logs are opened it is alive, not ready, and says how far it is', async t => {
  const { health, counts, ask } = await healthy()
  health.phase = 'starting'
  counts.start.partitionsTotal = 40
  counts.start.partitionsOpened = 7
  t.match(await ask('/healthz'), { status: 200 })
  t.match(await ask('/readyz'), { status: 503, body: /7 of 40 partitions are opened/ })
  counts.storage.isUncleanStart = true
  t.match(await ask('/readyz'), { status: 503, body: /7 of 40 partitions are recovered/ })
})

t.test('a broker that stops is alive and not ready', async t => {
  const { health, ask } = await healthy()
  health.phase = 'stopping'
  t.match(await ask('/healthz'), { status: 200 })
  t.match(await ask('/readyz'), { status: 503, body: /"status":"stopping"/ })
})

t.test('a full disk and an fsync that hangs make it unready, and it comes back', async t => {
  const { logs, counts, world, ask } = await healthy()
  logs.isDiskFull = true
  counts.storage.freeBytes = 12
  t.match(await ask('/readyz'), { status: 503, body: /disk_full.*12 bytes are free.* 1000/ })
  logs.isDiskFull = false
  const ended = counts.storage.beginSync(world.clock.monotonicMs())
  world.time.advance(9_000)
  t.match(await ask('/readyz'), { status: 200 })
  world.time.advance(2_000)
  t.match(await ask('/readyz'), { status: 503, body: /fsync_stalled.*11 s/ })
  ended(world.clock.monotonicMs(), 1)
  t.match(await ask('/readyz'), { status: 200, body: /"status":"ready","reasons":\[\]/ })
})

t.test('a partition that is not served degrades it, and the others are served', async t => {
  const { partitions, ask } = await healthy()
  const identity = { topic: 'a', topicId: 'x', partition: 0 }
  partitions.addOffline(identity, new SluiceError('KAFKA_STORAGE_ERROR', 'gone'))
  t.match(await ask('/readyz'), { status: 200, body: /degraded.*offline_partitions/ })
  partitions.remove('a', 'x')
  t.match(await ask('/readyz'), { status: 200, body: /"ready"/ })
})

t.test('an unknown path is answered with what there is, the nearest first', async t => {
  const { ask } = await healthy()
  t.match(await ask('/metric'), { status: 404, body: 'there is no /metric; try /metrics\n' })
  t.match(await ask('/console'), { status: 404, body: /try \/healthz, \/readyz, \/metrics/ })
  t.match(await ask('/healthz?verbose'), { status: 200 })
  t.match(await ask(`/${'x'.repeat(5000)}`), { status: 404, body: /^.{1,300}\n$/ })
})

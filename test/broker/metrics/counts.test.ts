/** The plain numbers: bounded labels, syncs under way, time held back. */
import t from 'tap'
import { PausedTime } from '../../../broker/metrics/connection-counts.ts'
import { RequestCounts } from '../../../broker/metrics/request-counts.ts'
import { StorageCounts } from '../../../broker/metrics/storage-counts.ts'
import { maxTopicLabels, TopicLedger } from '../../../broker/metrics/topic-counts.ts'
import { refusalKind } from '../../../broker/server/refusals.ts'

t.test(
  'topics beyond the limit are counted together, and a deleted one frees its label',
  async t => {
    const ledger = new TopicLedger('on')
    for (let i = 0; i < maxTopicLabels + 50; i++) ledger.of(`t${i}`).recordsProduced++
    t.equal(ledger.all().length, maxTopicLabels + 1)
    const sum = ledger.all().reduce((total, counts) => total + counts.recordsProduced, 0)
    t.equal(sum, maxTopicLabels + 50, 'nothing is left out')
    t.equal(ledger.labelOf(`t${maxTopicLabels}`), '')
    ledger.forget('t0')
    t.equal(ledger.of(`t${maxTopicLabels}`).label, '', 'who is among the others stays there')
    t.equal(ledger.of('new').label, 'new')
    t.equal(ledger.all().length, maxTopicLabels + 1)
  },
)

t.test('a thousand topics that come and go leave no label behind', async t => {
  const ledger = new TopicLedger('on')
  for (let i = 0; i < 1000; i++) {
    ledger.of(`t${i}`).bytesFetched++
    ledger.forget(`t${i}`)
  }
  t.same(
    ledger.all().map(counts => counts.label),
    [''],
  )
})

t.test('off names no topic, a regular expression those that match', async t => {
  const off = new TopicLedger('off')
  t.equal(off.of('orders'), off.of('payments'), 'one set of numbers')
  const some = new TopicLedger('^ord')
  t.equal(some.of('orders').label, 'orders')
  t.equal(some.of('payments').label, '')
})

t.test('an api that does not exist is counted as unknown, whatever it is called', async t => {
  const counts = new RequestCounts()
  for (const api of ['x', 'y', 7, null, {}, '__proto__']) counts.of(api).failed('UNKNOWN_API')
  t.equal(counts.of('z').errors.get('UNKNOWN_API'), 6)
  t.equal(counts.of('fetch').api, 'fetch')
  t.equal(counts.all().length, counts.all().filter(({ api }) => /^[a-z-]+$/.test(api)).length)
})

t.test('the oldest sync under way is known, and one that ended is counted', async t => {
  const counts = new StorageCounts()
  t.equal(counts.oldestSyncMs(50), 0)
  const first = counts.beginSync(100)
  const second = counts.beginSync(120)
  t.equal(counts.oldestSyncMs(130), 30)
  t.equal(first(140, 7), 40)
  t.equal(counts.oldestSyncMs(150), 30)
  second(150, 1)
  t.equal(counts.oldestSyncMs(160), 0)
  t.equal(counts.fsyncSeconds.count, 2)
  t.equal(counts.fsyncRecords.sum, 8)
  t.match(counts.recentFsyncs.summary(160), { count: 2, max: 0.04 })
})

t.test('time held back is the sum over peers, those that still wait included', async t => {
  const time = new PausedTime()
  time.begin(10)
  time.begin(20)
  t.equal(time.totalMs(30), 30)
  time.end(10, 40)
  t.equal(time.totalMs(50), 60)
  time.end(20, 60)
  t.equal(time.totalMs(1000), 70)
})

t.test('every line with which a connection is refused has a kind of its own', async t => {
  const lines = {
    'limit of 10 connections reached': 'limit',
    'too many open sockets': 'limit',
    'too many sockets that are no connection': 'limit',
    'cannot accept: EMFILE': 'limit',
    'limit of 5 connections from one address reached': 'address_limit',
    'the broker is starting': 'not_ready',
    'the broker is stopping': 'not_ready',
    'Origin "http://x" is not allowed': 'origin',
    'Host "evil" is not a name of this broker': 'host',
    'HTTP method POST is not allowed': 'protocol',
    'not HTTP (a TLS hello)': 'protocol',
    'request headers too large': 'protocol',
    'subprotocol sluice.v1 expected, none offered': 'protocol',
    'only an upgrade to websocket is possible here': 'protocol',
    'no complete request in time': 'slow',
    'something new': 'other',
  }
  for (const [line, kind] of Object.entries(lines)) t.equal(refusalKind(line), kind, line)
})

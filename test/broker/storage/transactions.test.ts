/** Aborted and open transactions: found in a log that Kafka wrote, kept over every start. */
import t from 'tap'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { TransactionFold, Transactions } from '../../../broker/storage/transactions.ts'
import type { Disk } from '../../../broker/world/disk.ts'
import { patchBatch, readBatchHeader } from '../../../protocol/records/batch-header.ts'
import { buildControlBatch } from '../../../protocol/records/control-record.ts'
import { copyToMemory, readToEnd, withoutLastBatch } from '../../support/imported-log.ts'
import { batchOf as transactionBatch } from '../../support/reading.ts'
import {
  batchOf,
  commit,
  compression,
  defaultSettings,
  FixtureWorld,
  openFixture,
} from '../../support/storage-fixture.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const committed = { isolation: 'committed' } as const
const uncommitted = { isolation: 'uncommitted' } as const
const identity = { topic: 'quakes-txn', topicId: '', partition: 0 }
const directory = '/data/quakes-txn-0'
/** Of the fixture's ten transactions, each 20 records and a marker. */
const lastTransaction = 189

async function start(disk: Disk) {
  const logs = await openLogs({
    dataDir: '/data',
    world: new FixtureWorld(disk).world(),
    logger: silent,
  })
  const [found] = await logs.findUnknown(new Set())
  const topicId = found?.identity.topicId ?? ''
  const log = await logs.open({ ...identity, topicId }, defaultSettings)
  return { log, stop: () => logs.closeCleanly() }
}

const cutLastMarker = (name: string, bytes: Uint8Array) =>
  name === '00000000000000000020.log' ? withoutLastBatch(bytes) : bytes
const withoutIndex = (name: string, bytes: Uint8Array) =>
  name.endsWith('.txnindex') ? null : bytes

t.test('committed ends before an open transaction, and uncommitted shows all of it', async t => {
  const disk = await copyToMemory('quakes-txn', cutLastMarker)
  for (const how of ['imported', 'after a clean stop', 'after a crash', 'after another crash']) {
    const { log, stop } = await start(disk)
    t.match(log, { highWatermark: 209, lastStableOffset: lastTransaction }, how)
    t.same(await readToEnd(log, committed), { end: lastTransaction, aborted: [42, 105, 168] }, how)
    t.same(await readToEnd(log, uncommitted), { end: 209, aborted: [] }, how)
    t.match(await log.read(200, 1000, committed), { bodies: [], sizeBytes: 0 }, how)
    t.equal(log.readableBytes(lastTransaction, 1000, committed), 0, how)
    t.ok(log.readableBytes(lastTransaction, 1000, uncommitted) > 0, how)
    if (how === 'imported') await stop()
  }
})

t.test('an open transaction holds new records back until the log start has passed it', async t => {
  const disk = await copyToMemory('quakes-txn', cutLastMarker)
  const first = await start(disk)
  t.equal(await commit(first.log, batchOf({ values: ['ours'] })), 209)
  t.same(await readToEnd(first.log, committed), { end: lastTransaction, aborted: [42, 105, 168] })
  t.equal(first.log.readableBytes(lastTransaction, 1000, committed), 0)
  await first.log.trim(208)
  t.match(first.log, { lastStableOffset: 208, highWatermark: 210 })
  await first.log.trim(209)
  t.same(await readToEnd(first.log, committed), { end: 210, aborted: [] })
  await first.stop()
  const again = await start(disk)
  t.match(again.log, { logStartOffset: 209, lastStableOffset: 210 })
})

t.test('aborted transactions are found without the list that Kafka keeps of them', async t => {
  const disk = await copyToMemory('quakes-txn', withoutIndex)
  for (const how of ['imported', 'after a clean stop', 'after a crash']) {
    const { log, stop } = await start(disk)
    t.same(await readToEnd(log, committed), { end: 210, aborted: [42, 105, 168] }, how)
    if (how === 'imported') await stop()
  }
})

t.test('a read names only the aborted transactions that touch what it gives', async t => {
  const { log } = await start(await copyToMemory('quakes-txn'))
  const read = await log.read(42, 1, committed)
  t.same(
    read.abortedTransactions?.map(one => one.firstOffset),
    [42],
  )
  t.same((await log.read(0, 1_000_000, committed)).abortedTransactions, [])
})

t.test(
  'a log whose transactions are not known is read through, even after a clean stop',
  async t => {
    for (const damage of ['missing', 'damaged']) {
      const disk = await copyToMemory('quakes-txn', cutLastMarker)
      await (await start(disk)).stop()
      const path = `${directory}/transactions`
      if (damage === 'missing') await disk.removeFile(path)
      else await (await disk.open(path, 'update')).write([new Uint8Array(4)], 30)
      for (const how of ['first', 'second']) {
        const { log, stop } = await start(disk)
        t.match(log, { lastStableOffset: lastTransaction }, `${damage}, ${how} start`)
        t.same((await readToEnd(log, committed)).aborted, [42, 105, 168])
        await stop()
      }
    }
  },
)

t.test('a log without transactions gets no file, and an empty log loses an old one', async t => {
  const plain = await copyToMemory('quakes-none')
  const logs = await openLogs({
    dataDir: '/data',
    world: new FixtureWorld(plain).world(),
    logger: silent,
  })
  const [found] = await logs.findUnknown(new Set())
  t.ok(found)
  if (found !== undefined) await logs.open(found.identity, defaultSettings)
  t.notOk((await plain.list('/data/quakes-none-0')).includes('transactions'))
  const disk = await copyToMemory('quakes-txn', (name, bytes) =>
    name.startsWith('0') ? null : bytes,
  )
  await disk.open(`${directory}/transactions`, 'create')
  const { log } = await start(disk)
  t.match(log, { lastStableOffset: 0, highWatermark: 0 })
  t.notOk((await disk.list(directory)).includes('transactions'))
  const { log: own } = await openFixture()
  t.equal(await commit(own, batchOf({ values: ['a'] })), 0)
  t.equal(own.lastStableOffset, 1)
})

/** Folds batches of the given kinds, each with one record: `7` data, `-7` abort, `c7` commit. */
function fold(...steps: readonly (number | string | Uint8Array)[]): Transactions {
  const folded = new TransactionFold(compression)
  for (const [offset, step] of steps.entries()) {
    const isData = typeof step === 'number' && step > 0
    const type = typeof step === 'string' ? 'commit' : 'abort'
    const producerId = Math.abs(Number(`${step}`.replace('c', '')))
    const marker = {
      type,
      coordinatorEpoch: 0,
      timestamp: 1,
      producerId,
      producerEpoch: 0,
    } as const
    const made = isData ? transactionBatch(['x'], producerId) : buildControlBatch(marker)
    const batch = step instanceof Uint8Array ? step.slice() : made
    patchBatch(batch, offset, 0)
    folded.add(readBatchHeader(batch), batch)
  }
  return folded.found
}

t.test('each producer has its own transactions; a marker ends only what is open', async t => {
  const mixed = fold(7, 8, 7, -7, 7, 'c8', 9)
  t.same(mixed.aborted, [{ producerId: 7, firstOffset: 0, lastOffset: 3 }])
  t.same(mixed.open, [
    { producerId: 7, firstOffset: 4, lastOffset: 4 },
    { producerId: 9, firstOffset: 6, lastOffset: 6 },
  ])
  const bare = fold(-7, 7, 'c7', -7, transactionBatch(['plain']))
  t.same(bare, { aborted: [], open: [] }, 'a marker without records hides nothing before it')
})

t.test('a marker of an unknown kind ends nothing, nor does one that cannot be read', async t => {
  const other = buildControlBatch({
    type: 'commit',
    coordinatorEpoch: 0,
    timestamp: 1,
    producerId: 7,
    producerEpoch: 0,
  })
  other[other.byteLength - 9] = 9
  const open = [{ producerId: 7, firstOffset: 0, lastOffset: 0 }]
  const kinds = fold(7, other)
  t.same(kinds.open, open)
  const unreadable = other.slice()
  unreadable.fill(0xff, 61)
  t.same(fold(7, unreadable).open, open)
})

t.test('the stable end follows the oldest open transaction that is still in the log', async t => {
  const open = [
    { producerId: 7, firstOffset: 10, lastOffset: 20 },
    { producerId: 8, firstOffset: 15, lastOffset: 40 },
  ]
  const transactions = new Transactions([], open)
  const end = (logStartOffset: number, highWatermark = 100) =>
    transactions.stableEnd({ logStartOffset, highWatermark })
  t.same([end(0), end(12), end(21), end(41), end(0, 5)], [10, 12, 21, 100, 5])
})

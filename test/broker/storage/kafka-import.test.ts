/** Directories that Apache Kafka 4.3.1 wrote, opened as partitions and read record by record. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { walkBatches } from '../../../broker/storage/batch-walk.ts'
import { openLogs } from '../../../broker/storage/log-manager.ts'
import { Segment } from '../../../broker/storage/segment.ts'
import type { PartitionLog } from '../../../broker/storage/types.ts'
import { copyToMemory } from '../../support/imported-log.ts'
import { earthquakeLines, kafkaFixture } from '../../support/kafka-fixture.ts'
import {
  batchOf,
  commit,
  defaultSettings,
  FixtureWorld,
  readAll,
} from '../../support/storage-fixture.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const settings = { ...defaultSettings, indexIntervalBytes: 1024 }
const decoder = new TextDecoder()

async function openImported(topic: string): Promise<{ log: PartitionLog; fixture: FixtureWorld }> {
  const fixture = new FixtureWorld(await copyToMemory(topic))
  const world = fixture.world()
  const logs = await openLogs({ dataDir: '/data', world, logger: silent })
  const [found] = await logs.findUnknown(new Set())
  if (found === undefined) throw new Error(`${topic} was not found`)
  t.match(found, { identity: { topic, partition: 0 }, content: 'records' })
  return { log: await logs.open(found.identity, settings), fixture }
}

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  t.test(`Kafka's ${codec} log opens as a partition and every record is there`, async t => {
    const { log } = await openImported(`quakes-${codec}`)
    const lines = earthquakeLines()
    const records = await readAll(log, 0, 10_000)
    t.equal(records.length, 600)
    t.equal(log.describe().state, 'ok')
    for (const [n, record] of records.entries()) {
      const line = lines[n] ?? ''
      const id = (JSON.parse(line) as { id: string }).id
      const key = record.key === null ? null : decoder.decode(record.key)
      const value = record.value === null ? null : decoder.decode(record.value)
      const good =
        record.offset === n &&
        record.timestamp === 1_700_000_000_000 + 1000 * n &&
        key === (n % 50 === 0 ? null : id) &&
        value === (n % 97 === 0 ? null : line)
      if (!good) t.fail(`record ${n} differs`, { record, key, value })
    }
    const headers = records[30]?.headers.map(h => [h.name, h.value && decoder.decode(h.value)])
    t.strictSame(headers, [
      ['n', '30'],
      ['empty', null],
    ])
  })

  t.test(`lookups by offset and time in Kafka's ${codec} log hit the exact record`, async t => {
    const { log } = await openImported(`quakes-${codec}`)
    for (const n of [0, 1, 155, 156, 157, 300, 466, 467, 599]) {
      const timestamp = 1_700_000_000_000 + 1000 * n
      t.match(await log.offsetForTimestamp(timestamp), { offset: n, timestamp })
      t.match(await log.offsetForTimestamp(timestamp - 999), { offset: n, timestamp })
      const [first] = await readAll(log, n, 1)
      t.equal(first?.offset, n)
    }
    t.equal(await log.offsetForTimestamp(1_700_000_600_000), null)
    t.match(await log.maxTimestampOffset(), { offset: 599 })
  })

  t.test(`our indexes over Kafka's ${codec} segments are Kafka's own bytes`, async t => {
    const disk = await copyToMemory(`quakes-${codec}`)
    const directory = `/data/quakes-${codec}-0`
    const read = (name: string) => new Uint8Array(readFileSync(join(kafkaFixture, name)))
    const names = await disk.list(directory)
    const logs = names.filter(name => name.endsWith('.log'))
    for (const [at, name] of logs.entries()) {
      const base = Number(name.slice(0, 20))
      const segment = new Segment(disk, directory, base, 0)
      await segment.use(async file =>
        walkBatches(
          file,
          { from: 0, to: await file.size(), nextOffset: base, checkCrcFrom: 0 },
          header => {
            segment.observe(header, settings.indexIntervalBytes)
            return true
          },
        ),
      )
      const { offsets, times } = await segment.indexes()
      times.maybeAppend(segment.maxTimestamp, segment.offsetOfMaxTimestamp)
      const stem = `quakes-${codec}-0/${name.slice(0, 20)}`
      t.strictSame(offsets.encode(), read(`${stem}.index`), `index of segment ${at}`)
      t.strictSame(times.encode(), read(`${stem}.timeindex`), `time index of segment ${at}`)
    }
  })
}

t.test('transactions of Kafka: 200 records, hidden markers, aborted ones named', async t => {
  const { log } = await openImported('quakes-txn')
  t.equal(log.logEndOffset, 210)
  const records = await readAll(log, 0)
  t.equal(records.length, 200)
  t.strictSame(decoder.decode(records[199]?.key ?? new Uint8Array()), 'k199')
  const { abortedTransactions } = await log.read(20, 1_000_000, { isolation: 'committed' })
  t.equal(abortedTransactions?.length, 3)
  t.strictSame(
    abortedTransactions?.map(a => a.firstOffset),
    [42, 105, 168],
  )
})

t.test(
  'an imported log takes new records after its old ones and keeps both over a crash',
  async t => {
    const { log, fixture } = await openImported('quakes-gzip')
    t.equal(await commit(log, batchOf({ values: ['ours'] })), 600)
    const logs = await openLogs({ dataDir: '/data', world: fixture.world(), logger: silent })
    const again = await logs.open(log.identity, settings)
    const records = await readAll(again, 0, 100_000)
    t.equal(records.length, 601)
    t.equal(decoder.decode(records[600]?.value ?? new Uint8Array()), 'ours')
  },
)

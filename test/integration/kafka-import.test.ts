/**
 * Directories that Apache Kafka 4.3.1 wrote, copied into the data directory of a broker: a real
 * process finds them at its start, serves them to SDK and command line, takes new records behind
 * them, and keeps all of it over SIGKILL and a clean stop.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startBrokerProcess } from '../../bench/demo/broker-process.ts'
import { type Client, connect, type ReceivedRecord, string } from '../../client/index.ts'
import { sluice } from '../client/cli/fake-terminal.ts'
import { withoutLastBatch } from '../support/imported-log.ts'
import { earthquakeLines, kafkaFixture } from '../support/kafka-fixture.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const lines = earthquakeLines()
const decoder = new TextDecoder()
type Quake = ReceivedRecord<string, string>

async function importedDirectory(t: Test): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-import-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  for (const name of await readdir(kafkaFixture)) {
    if (!name.startsWith('quakes-')) continue
    await cp(join(kafkaFixture, name), join(dataDir, name), { recursive: true })
  }
  return dataDir
}

async function start(t: Test, dataDir: string) {
  const broker = await startBrokerProcess({ dataDir })
  t.teardown(() => broker.kill())
  const client = await connect({ servers: broker.url })
  t.teardown(() => client.close())
  return { broker, client }
}

async function readAll(client: Client, topic: string, options: object = {}): Promise<Quake[]> {
  const seen: Quake[] = []
  const codecs = { key: string(), value: string() }
  const consumer = client.consumer({ topics: [topic], stopAtEnd: true, ...codecs, ...options })
  for await (const record of consumer) seen.push(record)
  return seen
}

/** The first record that is not as Kafka's producer sent it. */
function firstDifference(records: readonly Quake[]): string | null {
  for (const [n, record] of records.entries()) {
    const line = lines[n] ?? ''
    const id = (JSON.parse(line) as { id: string }).id
    const headers = record.headers.map(h => `${h.name}=${h.value && decoder.decode(h.value)}`)
    const isRight =
      record.offset === n &&
      record.timestamp === 1_700_000_000_000 + 1000 * n &&
      record.key === (n % 50 === 0 ? null : id) &&
      record.value === (n % 97 === 0 ? null : line) &&
      headers.join() === (n % 10 === 0 ? `n=${n},empty=null` : '')
    if (!isRight) return `record ${n}: ${JSON.stringify(record)}`
  }
  return null
}

t.test('a broker finds the directories of Kafka and serves every record', async t => {
  const { broker, client } = await start(t, await importedDirectory(t))
  t.same(
    (await client.admin.topics.list()).map(({ name }) => name).sort(),
    [...codecs, 'txn'].map(name => `quakes-${name}`).sort(),
  )
  for (const codec of codecs) {
    const topic = `quakes-${codec}`
    for (const isolation of ['committed', 'uncommitted']) {
      const records = await readAll(client, topic, { isolation })
      t.equal(records.length, 600, `${codec} ${isolation}`)
      t.equal(firstDifference(records), null)
    }
    const at = { topic, partition: 0 }
    const timestamp = 1_700_000_000_000 + 311_500
    t.match(
      await client.admin.offsets([
        { ...at, at: 'earliest' },
        { ...at, at: 'latest' },
        { ...at, at: 'timestamp', timestamp },
        { ...at, at: 'timestamp', timestamp: 1_800_000_000_000 },
      ]),
      [
        { offset: 0 },
        { offset: 600 },
        { offset: 312, timestamp: timestamp + 500 },
        { offset: null },
      ],
    )
    const [first] = await readAll(client, topic, { start: { timestamp } })
    t.equal(first?.offset, 312)
  }
  const env = { SLUICE_SERVERS: broker.url }
  for (const codec of codecs) {
    const words = ['consume', `quakes-${codec}`, '-o', '97:99', '-f', '%o %k\n']
    const { terminal } = await sluice(words, { env })
    const id = (n: number) => (JSON.parse(lines[n] ?? '') as { id: string }).id
    t.equal(terminal.text, `97 ${id(97)}\n98 ${id(98)}\n`, codec)
  }
})

t.test('transactions of Kafka: the isolation decides, markers are never shown', async t => {
  const { broker, client } = await start(t, await importedDirectory(t))
  const all = await readAll(client, 'quakes-txn', { isolation: 'uncommitted' })
  t.same(
    all.map(record => record.key),
    Array.from({ length: 200 }, (_, i) => `k${i}`),
  )
  const keptOf = (record: Quake) => Math.floor(Number(record.key?.slice(1)) / 20) % 3 !== 2
  const kept = all.filter(keptOf).map(record => record.key)
  t.equal(kept.length, 140)
  const committed = await readAll(client, 'quakes-txn')
  t.same(
    committed.map(record => record.key),
    kept,
  )
  const late = await readAll(client, 'quakes-txn', { start: { offset: 50 } })
  t.same(
    late.map(record => record.key),
    all.filter(record => record.offset >= 50 && keptOf(record)).map(record => record.key),
    'also from the middle of an aborted transaction',
  )
  const env = { SLUICE_SERVERS: broker.url }
  // The last offset holds a marker, which is never shown.
  const words = ['consume', 'quakes-txn', '-e', '-f', '%k\n']
  t.same((await sluice(words, { env })).terminal.lines, kept)
  t.equal((await sluice([...words, '--no-committed'], { env })).terminal.lines.length, 200)
})

t.test('an open transaction is hidden, and aborted ones without the list of Kafka too', async t => {
  const dataDir = await importedDirectory(t)
  const directory = join(dataDir, 'quakes-txn-0')
  const path = join(directory, '00000000000000000020.log')
  await writeFile(path, withoutLastBatch(await readFile(path)))
  await rm(join(directory, '00000000000000000020.txnindex'))
  const kept = [0, 1, 3, 4, 6, 7].flatMap(n => Array.from({ length: 20 }, (_, i) => 20 * n + i))
  for (const how of ['imported', 'after a clean stop']) {
    const { broker, client } = await start(t, dataDir)
    const committed = await readAll(client, 'quakes-txn')
    t.same(
      committed.map(record => record.key),
      kept.map(n => `k${n}`),
      how,
    )
    const all = await readAll(client, 'quakes-txn', { isolation: 'uncommitted' })
    t.equal(all.length, 200, how)
    const words = ['consume', 'quakes-txn', '-e', '-f', '%k\n']
    const { terminal } = await sluice(words, { env: { SLUICE_SERVERS: broker.url } })
    t.equal(terminal.lines.length, 120, how)
    await client.close()
    t.equal(await broker.stop(), 0)
  }
})

t.test('new records go behind the ones of Kafka, and both survive SIGKILL and a stop', async t => {
  const dataDir = await importedDirectory(t)
  const first = await start(t, dataDir)
  const sent = await first.client
    .topic('quakes-gzip', { key: string(), value: string() })
    .send({ key: 'ours', value: 'first' })
  t.match(sent, { offset: 600, reached: 'fsynced' })
  const topicIds = (await first.client.admin.topics.list()).map(one => one.topicId).sort()
  await first.client.close()
  await first.broker.kill()
  for (const how of ['after SIGKILL', 'after a clean stop']) {
    const again = await start(t, dataDir)
    const records = await readAll(again.client, 'quakes-gzip')
    t.equal(records.length, 601, how)
    t.equal(firstDifference(records.slice(0, 600)), null, how)
    t.match(records[600], { offset: 600, key: 'ours', value: 'first' })
    t.equal((await readAll(again.client, 'quakes-txn')).length, 140, how)
    const { topics } = again.client.admin
    t.same((await topics.list()).map(one => one.topicId).sort(), topicIds, 'ids of Kafka stay')
    t.match((await topics.describe('quakes-zstd')).partitionDetails, [{ state: 'ok' }])
    await again.client.close()
    t.equal(await again.broker.stop(), 0)
  }
})

/**
 * A broker as those see it who look after it: health, metrics and checks of a real process under
 * traffic, in recovery, and gone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type BrokerProcess, startBrokerProcess } from '../../bench/demo/broker-process.ts'
import { connect, string } from '../../client/index.ts'
import { parseExposition, sumOf } from '../support/exposition-parser.ts'

const launcher = fileURLToPath(new URL('../../broker/cli/launcher.cjs', import.meta.url))

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** null where nobody listens. */
function http(
  address: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer | null> {
  return new Promise(resolve => {
    const sent = request(`http://${address}${path}`, { agent: false, ...options }, async answer => {
      let body = ''
      for await (const chunk of answer) body += String(chunk)
      resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers })
    })
    sent.on('error', () => resolve(null))
    sent.end()
  })
}

async function sluice(
  url: string,
  words: readonly string[],
): Promise<{ code: number; text: string }> {
  const env = { ...process.env, SLUICE_SERVERS: url }
  const child = spawn(process.execPath, [launcher, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.on('data', chunk => {
    text += String(chunk)
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

async function dataDirectory(t: Test): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-seen-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'VmRSS: 0 kB')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

async function trafficOf(broker: BrokerProcess, records: number): Promise<number> {
  const client = await connect({ servers: broker.url })
  await client.admin.topics.create({ name: 'orders', partitions: 3 })
  const orders = client.topic('orders', { key: string(), value: string() })
  const sent = Array.from({ length: records }, (_, i) => ({ key: `k${i % 50}`, value: `v${i}` }))
  await orders.sendAll(sent)
  const consumer = client.consumer({ topics: [orders], start: 'earliest', stopAtEnd: true })
  let read = 0
  for await (const _record of consumer) read++
  await client.close()
  return read
}

async function answersOf(t: Test, broker: BrokerProcess): Promise<void> {
  const { address } = broker
  const idleMiB = await residentMiB(broker.pid)
  t.ok(idleMiB < 80, `${idleMiB.toFixed(1)} MiB resident before anybody asked for metrics`)
  t.match(await http(address, '/healthz'), { status: 200, body: 'ok\n' })
  t.match(await http(address, '/readyz'), {
    status: 200,
    body: '{"status":"ready","reasons":[]}\n',
  })
  t.match(await http(address, '/readyz', { method: 'HEAD' }), { status: 200, body: '' })
  const post = await http(address, '/healthz', { method: 'POST' })
  t.match(post, { status: 405, headers: { allow: 'GET, HEAD' } })
  t.match(await http(address, '/metrics', { headers: { host: 'evil.test' } }), { status: 403 })
  t.match(await http(address, '/metricz'), { status: 404, body: /try \/metrics/ })
}

async function numbersOf(t: Test, broker: BrokerProcess): Promise<void> {
  const { address } = broker
  const records = 5000
  t.equal(await trafficOf(broker, records), records)
  const page = await http(address, '/metrics')
  const families = parseExposition(page?.body ?? '')
  t.equal(sumOf(families, 'sluice_records_produced_total', { topic: 'orders' }), records)
  t.equal(sumOf(families, 'sluice_records_fetched_total', { topic: 'orders' }), records)
  const stored = sumOf(families, 'sluice_log_size_bytes', { topic: 'orders' })
  t.equal(sumOf(families, 'sluice_bytes_produced_total', { topic: 'orders' }), stored)
  t.equal(sumOf(families, 'sluice_fsync_batch_records_sum'), records)
  t.equal(sumOf(families, 'sluice_partitions'), 3)
  t.equal(sumOf(families, 'sluice_rejected_connections_total', { reason: 'host' }), 1)
  t.ok(sumOf(families, 'sluice_disk_free_bytes') > 0)
  t.ok(sumOf(families, 'sluice_disk_total_bytes') > sumOf(families, 'sluice_disk_free_bytes'))
  t.ok(sumOf(families, 'process_resident_memory_bytes') > 0)
  t.ok(families.has('nodejs_eventloop_lag_p99_seconds'))
  t.ok(families.has('nodejs_gc_duration_seconds'))
}

async function checksOf(t: Test, url: string): Promise<void> {
  const checks = ['connection', 'disk --warn 1B --critical 0B', 'topic orders --max-age 5m']
  const lenient = ['--warn', '50s', '--critical', '60s']
  const slow = ['--fsync-warn', '50s', '--fsync-critical', '60s']
  const ran = await Promise.all(
    checks.map((line, i) => {
      const more = [lenient, slow, []][i] ?? []
      return sluice(url, ['check', ...line.split(' '), ...more])
    }),
  )
  t.same(
    ran.map(({ code }) => code),
    [0, 0, 0],
    ran.map(({ text }) => text).join(''),
  )
  t.equal((await sluice(url, ['check', 'topic', 'none'])).code, 2)
  t.equal((await sluice(url, ['check', 'topic', 'orders', '--warn', '1B'])).code, 1)
  t.equal((await sluice(url, ['check', 'topic'])).code, 3)
}

t.test('health, metrics and checks of a broker under traffic', async t => {
  const dataDir = await dataDirectory(t)
  const broker = await startBrokerProcess({ dataDir })
  t.teardown(() => broker.kill())
  const { address, url } = broker
  await answersOf(t, broker)
  await numbersOf(t, broker)
  await checksOf(t, url)
  t.equal(await broker.stop(), 0)
  t.equal(await http(address, '/healthz'), null, 'nobody listens any more')
  t.equal((await sluice(url, ['check', 'connection', '--timeout', '300ms'])).code, 2)
})

t.test('in recovery it is alive, tells how far it is, and lets nobody in', async t => {
  const dataDir = await dataDirectory(t)
  const first = await startBrokerProcess({ dataDir })
  const client = await connect({ servers: first.url })
  await client.admin.topics.create({ name: 'many', partitions: 300 })
  const topic = client.topic('many', { value: string() })
  await topic.sendAll(Array.from({ length: 300 }, (_, partition) => ({ partition, value: 'x' })))
  await client.close()
  await first.kill()

  let last = await startWatched(dataDir, first.address)
  // On a busy machine a start may be over before we have asked it anything.
  for (let more = 5; more > 0 && (last.seen[0]?.status === 200 || last.refused === null); more--) {
    await last.broker.kill()
    last = await startWatched(dataDir, first.address)
  }
  const { broker: second, seen, refused } = last
  t.teardown(() => second.kill())
  t.match(seen.at(-1), { status: 200 })
  t.match(seen[0], { status: 503, body: /"status":"starting".* of \d+ partitions are / })
  t.match(refused, { status: 503, body: 'the broker is starting\n' })
  const families = parseExposition((await http(second.address, '/metrics'))?.body ?? '')
  t.equal(sumOf(families, 'sluice_unclean_start'), 1)
  t.ok(sumOf(families, 'sluice_recovery_seconds') > 0)
  t.equal(sumOf(families, 'sluice_partitions'), 300)
})

interface WatchedStart {
  readonly broker: BrokerProcess
  /** Answers of /readyz, until it is ready. */
  readonly seen: readonly Answer[]
  /** What somebody was told who wanted to connect before that. */
  readonly refused: Answer | null
}

async function startWatched(dataDir: string, address: string): Promise<WatchedStart> {
  const starting = startBrokerProcess({ dataDir, listen: address })
  // Awaited below, where a failure is told.
  starting.catch(() => {})
  const seen: Answer[] = []
  let refused: Answer | null = null
  for (const end = Date.now() + 15_000; Date.now() < end; ) {
    const ready = await http(address, '/readyz')
    if (ready === null) continue
    seen.push(ready)
    if (ready.status === 200) break
    refused ??= await http(address, '/', {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
        'sec-websocket-protocol': 'sluice.v1',
      },
    })
  }
  return { broker: await starting, seen, refused }
}

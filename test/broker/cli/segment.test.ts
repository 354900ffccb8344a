/**
 * Tests of segment dump and verify on files that Apache Kafka wrote, and on damaged copies of them.
 */
import { cp, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { allCommands } from '../../../broker/cli/commands.ts'
import { sluice } from '../../client/cli/fake-terminal.ts'
import { kafkaFixture, readDump } from '../../support/kafka-fixture.ts'

const run = (...words: string[]) => sluice(['segment', ...words], {}, allCommands)
const log = '00000000000000000000.log'

/** A partition of Kafka's that the test may damage. */
async function copyOf(t: Test, partition: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-segment-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const copy = join(directory, partition)
  await cp(join(kafkaFixture, partition), copy, { recursive: true, mode: 0 })
  return copy
}

async function overwrite(path: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, position)
  await file.close()
}

const names: Readonly<Record<string, string>> = { CreateTime: 'createTime' }

t.test(
  'dump -j gives the values of Kafka’s own dump tool for every batch of every file',
  async t => {
    for (const [file, expected] of readDump()) {
      const { code, terminal } = await run('dump', join(kafkaFixture, file), '-j')
      t.equal(code, 0, terminal.error)
      const [dumped] = terminal.json as [{ kind: string; batches: Record<string, unknown>[] }]
      t.equal(dumped.kind, 'log')
      t.equal(dumped.batches.length, expected.length, file)
      for (const [i, batch] of expected.entries()) {
        const { deleteHorizonMs: _none, ...values } = batch
        const ours = dumped.batches[i] ?? {}
        const same = Object.entries(values).every(([name, value]) => {
          return String(ours[names[name] ?? name]) === value
        })
        t.ok(same, `${file} batch ${i}: ${JSON.stringify(ours)}`)
      }
    }
  },
)

t.test('the JSON shape of a batch, an index entry and a time index entry is stable', async t => {
  const partition = join(kafkaFixture, 'quakes-none-0')
  const { terminal } = await run('dump', join(partition, log), '--output', 'jsonl')
  t.strictSame(JSON.parse(terminal.lines[0] ?? ''), {
    file: join(partition, log),
    baseOffset: 0,
    lastOffset: 11,
    count: 12,
    baseSequence: -1,
    lastSequence: -1,
    producerId: -1,
    producerEpoch: -1,
    partitionLeaderEpoch: 0,
    isTransactional: false,
    isControl: false,
    position: 0,
    createTime: 1_700_000_011_000,
    size: 7533,
    magic: 2,
    compresscodec: 'none',
    crc: 367594807,
    isvalid: true,
  })
  const index = await run('dump', join(partition, log.replace('.log', '.index')), '-j')
  const [offsets] = index.terminal.json as [{ kind: string; entries: object[] }]
  t.equal(offsets.kind, 'index')
  t.strictSame(offsets.entries[0], { offset: 22, position: 7533 })
  const times = await run('dump', join(partition, log.replace('.log', '.timeindex')), '-j')
  const [found] = times.terminal.json as [{ kind: string; entries: object[] }]
  t.equal(found.kind, 'timeindex')
  t.strictSame(found.entries[0], { timestamp: 1_700_000_022_000, offset: 22 })
})

t.test('dump --records prints every record of every codec, markers too', async t => {
  const lines = (
    await readFile(join(kafkaFixture, '../../../bench/data/earthquakes.ndjson'), 'utf8')
  )
    .split('\n')
    .slice(0, 600)
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const partition = join(kafkaFixture, `quakes-${codec}-0`)
    const { code, terminal } = await run('dump', partition, '--records')
    t.equal(code, 0, terminal.error)
    const records = terminal.lines.map(line => JSON.parse(line))
    t.strictSame(
      records.map(record => record.value),
      lines.map((line, n) => (n % 97 === 0 ? null : line)),
      codec,
    )
    t.match(records[10], { offset: 10, timestamp: 1_700_000_010_000 })
    t.strictSame(records[10].headers, [
      { name: 'n', value: '10' },
      { name: 'empty', value: null },
    ])
  }
  const { terminal } = await run('dump', join(kafkaFixture, 'quakes-txn-0'), '--records')
  const markers = terminal.lines.map(line => JSON.parse(line)).filter(record => record.control)
  t.equal(markers.length, 10)
  t.strictSame(
    markers.map(marker => marker.control.type),
    [...Array(10)].map((_, i) => (i % 3 === 2 ? 'abort' : 'commit')),
  )
})

t.test('verify finds nothing wrong in what Kafka wrote', async t => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd', 'txn']) {
    const { code, terminal } = await run('verify', join(kafkaFixture, `quakes-${codec}-0`), '-j')
    t.equal(code, 0, terminal.error)
    const files = terminal.json as { kind: string; ok: boolean; records?: number }[]
    t.ok(files.every(file => file.ok))
    const records = files.reduce((sum, file) => sum + (file.records ?? 0), 0)
    t.equal(records, codec === 'txn' ? 210 : 600)
  }
})

t.test('verify says what is wrong with damaged files, and ends with 1', async t => {
  const base = '00000000000000000000'
  const damages: [string, (copy: string) => Promise<void>, RegExp][] = [
    [
      'a bit in a record',
      c => overwrite(join(c, log), 3000, Uint8Array.of(0)),
      /position 0.*CRC|checksum/i,
    ],
    ['a cut tail', c => truncate(join(c, log), 107_000), /no whole batch/],
    ['zeros at the end', c => truncate(join(c, log), 200_000), /zeros/],
    ['another base offset', c => overwrite(join(c, log), 7533 + 7, Uint8Array.of(99)), /missing/],
    [
      'a wrong position',
      c => overwrite(join(c, `${base}.index`), 7, Uint8Array.of(1)),
      /no batch starts/,
    ],
    [
      'a wrong offset',
      c => overwrite(join(c, `${base}.index`), 3, Uint8Array.of(21)),
      /ends with offset 22/,
    ],
    [
      'a wrong time',
      c => overwrite(join(c, `${base}.timeindex`), 7, Uint8Array.of(1)),
      /highest timestamp/,
    ],
    [
      'a missing segment',
      c => rm(join(c, '00000000000000000157.log')),
      /no log file beside[\s\S]*ends at offset 157/,
    ],
    ['a torn index', c => truncate(join(c, `${base}.index`), 99), /last whole entry/],
  ]
  for (const [name, damage, says] of damages) {
    const copy = await copyOf(t, 'quakes-none-0')
    await damage(copy)
    const { code, terminal } = await run('verify', copy)
    t.equal(code, 1, name)
    t.match(terminal.text + terminal.error, says, name)
  }
})

t.test('dump shows a damaged batch as not valid and goes on', async t => {
  const copy = await copyOf(t, 'quakes-none-0')
  await overwrite(join(copy, log), 3000, Uint8Array.of(0))
  const { code, terminal } = await run('dump', join(copy, log), '-j')
  t.equal(code, 1)
  const [dumped] = terminal.json as [{ batches: { isvalid: boolean }[] }]
  t.strictSame(
    dumped.batches.map(batch => batch.isvalid),
    dumped.batches.map((_, i) => i !== 0),
  )
})

t.test('a data directory is all its partitions, and nothing else in it', async t => {
  const home = await mkdtemp(join(tmpdir(), 'sluice-segment-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  for (const partition of ['quakes-none-0', 'quakes-gzip-0']) {
    await cp(join(kafkaFixture, partition), join(home, partition), { recursive: true, mode: 0 })
  }
  await writeFile(join(home, 'log-checkpoint'), 'x')
  const { code, terminal } = await run('verify', home, '-j')
  t.equal(code, 0, terminal.error)
  const parts = await Promise.all(
    ['quakes-gzip-0', 'quakes-none-0'].map(name => run('verify', join(home, name), '-j')),
  )
  const expected = parts.flatMap(part => part.terminal.json as { file: string }[])
  const whole = terminal.json as { file: string }[]
  t.strictSame(
    whole,
    expected.sort((a, b) => (a.file < b.file ? -1 : 1)),
  )
})

t.test('files of another format are refused or reported, never a crash', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-segment-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  t.equal((await run('dump', directory)).code, 2, 'an empty directory')
  t.equal((await run('dump', join(directory, 'missing'))).code, 3)
  await writeFile(join(directory, 'notes.txt'), 'hello')
  t.equal((await run('verify', join(directory, 'notes.txt'))).code, 2)
  const path = join(directory, log)
  const garbage = ['hello, I am no log', '', '\0'.repeat(100), 'x'.repeat(5000)]
  for (const content of garbage) {
    await writeFile(path, content)
    const { code, terminal } = await run('verify', path)
    t.equal(code, content === '' ? 0 : 1, terminal.error)
    t.equal((await run('dump', path, '--records')).code, content === '' ? 0 : 1)
  }
})

/**
 * Kafka files: what Apache Kafka 4.3.1 wrote reads here as Kafka itself reads it. The files and the rule that
 * their records follow are described in test/fixtures/kafka-4.3.1/README.md.
 */
import t from 'tap'
import { openCompression } from '../../../protocol/compression/compression.ts'
import { BatchBuilder } from '../../../protocol/records/batch-builder.ts'
import {
  type BatchHeader,
  batchHeaderBytes,
  checkBatch,
} from '../../../protocol/records/batch-header.ts'
import { eachBatch } from '../../../protocol/records/batches.ts'
import { readControlBatch } from '../../../protocol/records/control-record.ts'
import { readRecords, type StoredRecord } from '../../../protocol/records/record-reader.ts'
import { compressionCodecs } from '../../../protocol/world.ts'
import {
  type DumpedBatch,
  earthquakeLines,
  readDump,
  readLog,
} from '../../support/kafka-fixture.ts'

const compression = await openCompression()
const dump = readDump()
const lines = earthquakeLines()
const utf8 = new TextDecoder()
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : utf8.decode(bytes))

/** A header in the words of Kafka's dump tool. */
function asDumped(header: BatchHeader, position: number): DumpedBatch {
  const sequence = header.baseSequence
  return {
    baseOffset: String(header.baseOffset),
    lastOffset: String(header.lastOffset),
    count: String(header.recordCount),
    baseSequence: String(sequence),
    lastSequence: String(sequence < 0 ? -1 : sequence + header.lastOffsetDelta),
    producerId: String(header.producerId),
    producerEpoch: String(header.producerEpoch),
    partitionLeaderEpoch: String(header.leaderEpoch),
    isTransactional: String(header.isTransactional),
    isControl: String(header.isControl),
    deleteHorizonMs: header.hasDeleteHorizon ? '?' : 'OptionalLong.empty',
    position: String(position),
    CreateTime: String(header.maxTimestamp),
    size: String(header.sizeBytes),
    magic: String(header.magic),
    compresscodec: header.codec,
    crc: String(header.crc),
    isvalid: 'true',
  }
}

t.test('every batch header equals what Kafka dumps, and its checksum is right', async t => {
  t.equal(dump.size, 22, 'log files in the dump')
  for (const [file, dumped] of dump) {
    const bytes = readLog(file)
    const seen: DumpedBatch[] = []
    let end = 0
    for (const { position, batch } of eachBatch(bytes)) {
      seen.push(asDumped(checkBatch(batch), position))
      end = position + batch.length
    }
    t.same(seen, dumped, file)
    t.equal(end, bytes.length, `${file} is read to its end`)
  }
})

function recordsOf(topic: string): StoredRecord[] {
  const records: StoredRecord[] = []
  for (const file of dump.keys()) {
    if (!file.startsWith(`${topic}-0/`)) continue
    for (const { batch } of eachBatch(readLog(file)))
      records.push(...readRecords(batch, compression))
  }
  return records
}

for (const codec of compressionCodecs) {
  t.test(`each record of quakes-${codec} is the one that was produced`, async t => {
    const records = recordsOf(`quakes-${codec}`)
    t.equal(records.length, 600)
    for (const [n, record] of records.entries()) {
      const line = lines[n] ?? ''
      const headers = record.headers.map(h => [h.name, textOf(h.value)])
      const expected = [n, 1_700_000_000_000 + 1000 * n]
      const id = (JSON.parse(line) as { id: string }).id
      t.same([record.offset, record.timestamp], expected)
      t.equal(textOf(record.key), n % 50 === 0 ? null : id)
      t.equal(textOf(record.value), n % 97 === 0 ? null : line)
      t.same(
        headers,
        n % 10 === 0
          ? [
              ['n', String(n)],
              ['empty', null],
            ]
          : [],
      )
    }
  })
}

t.test('quakes-txn holds 200 records and ten markers, every third an abort', async t => {
  const data: StoredRecord[] = []
  const markers: string[] = []
  for (const file of dump.keys()) {
    if (!file.startsWith('quakes-txn-0/')) continue
    for (const { batch, header } of eachBatch(readLog(file))) {
      if (header.isControl) markers.push(readControlBatch(batch, header, compression).type)
      else data.push(...readRecords(batch, compression))
    }
  }
  t.same(
    markers,
    Array.from({ length: 10 }, (_, i) => (i % 3 === 2 ? 'abort' : 'commit')),
  )
  t.equal(data.length, 200)
  for (const [n, record] of data.entries()) {
    t.equal(record.offset, n + Math.floor(n / 20))
    t.same([textOf(record.key), record.timestamp], [`k${n}`, 1_700_000_000_000 + n])
    t.equal(textOf(record.value), lines[n])
  }
})

t.test('records of an uncompressed batch of Kafka encode here to the very same bytes', async t => {
  let batches = 0
  for (const file of dump.keys()) {
    for (const { batch, header } of eachBatch(readLog(file))) {
      if (header.codec !== 'none' || header.isControl) continue
      const builder = new BatchBuilder({ capacityBytes: 16 })
      const big = new BatchBuilder({ capacityBytes: 2 ** 20 })
      const records = readRecords(batch, compression)
      t.ok(records.every(record => big.append(record)))
      t.equal(builder.append(records[0] as StoredRecord), true, 'a first record always fits')
      const ours = big.build({ ...header, codec: 'none', compression })
      t.same(ours.subarray(batchHeaderBytes), batch.subarray(batchHeaderBytes))
      t.equal(checkBatch(ours).crc, header.crc, 'the checksum covers every field after it')
      batches++
    }
  }
  t.ok(batches > 50, `${batches} batches`)
})

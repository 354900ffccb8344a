/** Batches: a run of batches is walked to its last whole one. */
import t from 'tap'
import { eachBatch } from '../../../protocol/records/batches.ts'
import { readLog } from '../../support/kafka-fixture.ts'

const log = readLog('quakes-none-0/00000000000000000000.log')
const all = [...eachBatch(log)]

t.test('batches follow each other without gap', async t => {
  let end = 0
  for (const { position, batch, header } of all) {
    t.equal(position, end)
    t.equal(batch.length, header.sizeBytes)
    t.equal(batch.buffer, log.buffer, 'views, not copies')
    end = position + batch.length
  }
  t.equal(end, log.length)
})

t.test('a last batch that is cut off is left out, wherever the cut is', async t => {
  const last = all.at(-1)
  if (last === undefined) return t.fail('no batches')
  for (const cut of [0, 1, 11, 12, 16, 17, 60, 61, last.batch.length - 1]) {
    const seen = [...eachBatch(log.subarray(0, last.position + cut))]
    t.equal(seen.length, all.length - 1, `${cut} bytes of it are there`)
  }
  t.same([...eachBatch(new Uint8Array(0))], [])
})

t.test('bytes that are no batch are refused, after the good ones before them', async t => {
  const bytes = new Uint8Array(log.length + 20)
  bytes.set(log)
  const seen: number[] = []
  const walk = () => {
    for (const { position } of eachBatch(bytes)) seen.push(position)
  }
  t.throws(walk, {
    code: 'CORRUPT_MESSAGE',
    message: `At byte ${log.length} there is no record batch.`,
  })
  t.equal(seen.length, all.length)
})

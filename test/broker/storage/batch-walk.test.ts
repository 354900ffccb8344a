/** Batch walk: where the good bytes end, for every damage to a small file. */
import t from 'tap'
import { type WalkEnd, walkBatches } from '../../../broker/storage/batch-walk.ts'
import { patchBatch } from '../../../protocol/records/batch-header.ts'
import { CrashDisk } from '../../support/crash-disk.ts'
import { batchOf } from '../../support/storage-fixture.ts'

const batches = [['a', 'b'], ['c'], ['d', 'e', 'f']].map(values => batchOf({ values }))
const offsets = [100, 102, 103]
for (const [i, batch] of batches.entries()) patchBatch(batch, offsets[i] ?? 0, i === 2 ? 4 : 3)
const content = new Uint8Array(Buffer.concat(batches))
const ends = [0, 1, 2].map(i => batches.slice(0, i + 1).reduce((sum, b) => sum + b.length, 0))

async function walk(bytes: Uint8Array, checkCrcFrom = 0): Promise<WalkEnd> {
  const disk = new CrashDisk()
  const file = await disk.open('/log', 'create')
  await file.write([bytes], 0)
  const range = { from: 0, to: bytes.length, nextOffset: 100, checkCrcFrom }
  return walkBatches(file, range, () => true)
}

t.test('a good file ends at its end', async t => {
  t.strictSame(await walk(content), { position: ends[2], nextOffset: 106, damage: null })
  t.strictSame(await walk(new Uint8Array(0)), { position: 0, nextOffset: 100, damage: null })
})

t.test('cut at any length it ends after the last whole batch', async t => {
  for (let length = 0; length < content.length; length++) {
    const { position, damage } = await walk(content.subarray(0, length))
    const whole = ends.findLast(end => end <= length) ?? 0
    if (position !== whole || (damage === null) !== (length === whole)) t.fail(`length ${length}`)
  }
  t.pass()
})

t.test('no flipped bit passes, but for epochs that stay in order', async t => {
  let passed = 0
  for (let bit = 0; bit < content.length * 8; bit++) {
    const bad = content.slice()
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const { position, damage } = await walk(bad)
    const batchStart = [...ends].findLast(end => end * 8 <= bit) ?? 0
    const at = (bit >> 3) - batchStart
    // A later epoch is found at the next batch, which goes back to the one before.
    const isEpoch = at >= 12 && at < 16
    if (damage === null) passed++
    else if (position > bit >> 3 && !isEpoch) t.fail(`bit ${bit}: damage at ${position}`)
    if (damage === null && !isEpoch) t.fail(`bit ${bit} was not noticed`)
  }
  t.ok(passed < 96, `${passed} flips of epoch bits`)
})

t.test('without checksums continuity is still checked', async t => {
  const bad = content.slice()
  bad[(ends[0] ?? 0) + 7] = 9
  t.match(await walk(bad, Infinity), { position: ends[0], nextOffset: 102, damage: /must follow/ })
  const rotten = content.slice()
  rotten[(ends[1] ?? 0) - 1] = 0xff
  t.equal((await walk(rotten, Infinity)).damage, null)
  t.match(await walk(rotten, ends[0]), { position: ends[0], damage: /checksum/ })
})

t.test('the last epoch of 32 bits is damage: the next one could not be written', async t => {
  const last = batchOf({ values: ['z'] })
  patchBatch(last, 106, 2 ** 31 - 2)
  const whole = (epoch: number) => {
    patchBatch(last, 106, epoch)
    return walk(new Uint8Array([...content, ...last]))
  }
  t.equal((await whole(2 ** 31 - 2)).damage, null)
  t.match(await whole(2 ** 31 - 1), { nextOffset: 106, damage: /epoch 2147483647/ })
})

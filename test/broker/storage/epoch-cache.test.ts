/** Epoch cache: questions about it, cuts, and Kafka's file. */
import t from 'tap'
import { EpochCache } from '../../../broker/storage/epoch-cache.ts'
import { MemoryDisk } from '../../../broker/world/memory-disk.ts'

t.test('epochs are found by offset, ends by epoch', async t => {
  const cache = new EpochCache()
  t.equal(cache.epochAt(5), null)
  t.equal(cache.endOffsetFor(3, 0), null)
  t.ok(cache.maybeAssign(2, 10))
  t.notOk(cache.maybeAssign(2, 12))
  t.notOk(cache.maybeAssign(1, 15))
  t.ok(cache.maybeAssign(5, 20))
  t.strictSame(
    [9, 10, 19, 20].map(offset => cache.epochAt(offset)),
    [null, 2, 2, 5],
  )
  t.equal(cache.endOffsetFor(1, 30), null)
  t.strictSame(cache.endOffsetFor(2, 30), { epoch: 2, endOffset: 20 })
  t.strictSame(cache.endOffsetFor(4, 30), { epoch: 2, endOffset: 20 })
  t.strictSame(cache.endOffsetFor(9, 30), { epoch: 5, endOffset: 30 })
  t.ok(cache.maybeAssign(6, 20), 'an epoch without records gives way')
  t.strictSame(cache.entries(), [
    { epoch: 2, startOffset: 10 },
    { epoch: 6, startOffset: 20 },
  ])
  cache.cutEnd(20)
  t.equal(cache.latestEpoch, 2)
})

t.test('the file is read back; a damaged one counts as empty', async t => {
  const disk = new MemoryDisk()
  const cache = new EpochCache([{ epoch: 0, startOffset: 0 }])
  cache.maybeAssign(3, 1200)
  await cache.write(disk, '/')
  t.strictSame((await EpochCache.read(disk, '/')).entries(), cache.entries())
  const kafka = await disk.open('/leader-epoch-checkpoint', 'update')
  await kafka.write([new TextEncoder().encode('9')], 4)
  t.strictSame((await EpochCache.read(disk, '/')).entries(), cache.entries(), 'the checked one')
  const own = await disk.open('/epochs', 'update')
  await own.write([new TextEncoder().encode('x')], 40)
  t.strictSame((await EpochCache.read(disk, '/')).entries()[0], { epoch: 9, startOffset: 0 })
})

t.test("Kafka's file is read where there is no other", async t => {
  const disk = new MemoryDisk()
  const cache = new EpochCache([{ epoch: 0, startOffset: 0 }])
  cache.maybeAssign(3, 1200)
  await cache.write(disk, '/')
  await disk.removeFile('/epochs')
  const read = await EpochCache.read(disk, '/')
  t.strictSame(read.entries(), cache.entries())
  const file = await disk.open('/leader-epoch-checkpoint', 'update')
  t.equal(new TextDecoder().decode(await file.read(0, 100)), '0\n2\n0 0\n3 1200\n')
  await file.truncate(11)
  t.strictSame((await EpochCache.read(disk, '/')).entries(), [], 'cut within a number')
  await cache.write(disk, '/')
  await disk.removeFile('/epochs')
  const again = await disk.open('/leader-epoch-checkpoint', 'update')
  await again.write([new TextEncoder().encode('x')], 6)
  t.strictSame((await EpochCache.read(disk, '/')).entries(), [])
})

t.test('a file with numbers that are no epochs or offsets counts as empty', async t => {
  const entriesOf = async (line: string) => {
    const disk = new MemoryDisk()
    const file = await disk.open('/leader-epoch-checkpoint', 'create')
    await file.write([new TextEncoder().encode(`0\n1\n${line}\n`)], 0)
    return (await EpochCache.read(disk, '/')).entries().length
  }
  t.equal(await entriesOf('2147483646 9007199254740991'), 1)
  t.equal(await entriesOf('2147483647 0'), 0, 'no epoch could follow in 32 bits')
  t.equal(await entriesOf('0 9007199254740992'), 0)
})

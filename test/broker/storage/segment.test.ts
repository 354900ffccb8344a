/** Segments and their list: indexes, facts, idle files, offsets too far from the base. */
import t from 'tap'
import { Segment } from '../../../broker/storage/segment.ts'
import {
  readSegmentFacts,
  SegmentList,
  writeSegmentList,
} from '../../../broker/storage/segment-list.ts'
import { CrashDisk } from '../../support/crash-disk.ts'

const place = (lastOffset: number, sizeBytes = 100, maxTimestamp = lastOffset) => ({
  lastOffset,
  sizeBytes,
  maxTimestamp,
  crc: lastOffset,
})

async function grown(disk: CrashDisk, baseOffset: number, batches: number): Promise<Segment> {
  const segment = new Segment(disk, '/', baseOffset, 5)
  await segment.createFile()
  for (let i = 0; i < batches; i++) segment.observe(place(baseOffset + i), 150)
  return segment
}

t.test('a segment known from its facts answers as the one that wrote them', async t => {
  const disk = new CrashDisk()
  const segment = await grown(disk, 100, 20)
  segment.sealedAtMs = 9
  await segment.writeIndexes(true)
  const list = new SegmentList()
  list.add(segment)
  list.add(await grown(disk, 120, 3))
  await writeSegmentList(disk, '/', list)
  const facts = (await readSegmentFacts(disk, '/')).get(100)
  t.ok(facts)
  if (facts === undefined) return
  const again = Segment.fromFacts(disk, '/', facts)
  t.strictSame(again.facts(), segment.facts())
  const [mine, theirs] = await Promise.all([again.indexes(), segment.indexes()])
  t.strictSame(mine.offsets.encode(), theirs.offsets.encode())
  t.strictSame(mine.times.encode(), theirs.times.encode())
  t.equal(mine.times.lastTimestamp, 119, 'sealing adds the last entry')
})

t.test('a damaged or missing index only makes look-ups walk', async t => {
  const disk = new CrashDisk()
  const segment = await grown(disk, 0, 20)
  const again = Segment.fromFacts(disk, '/', segment.facts())
  const { offsets, times } = await again.indexes()
  t.equal(offsets.floorPosition(15), 0)
  t.equal(times.offsetBelow(15), -1)
})

t.test('an offset too far from the base is not indexed and breaks nothing', async t => {
  const disk = new CrashDisk()
  const segment = await grown(disk, 0, 3)
  segment.observe(place(2 ** 31 - 1), 0)
  segment.observe(place(2 ** 31 + 5), 0)
  await segment.writeIndexes(true)
  const { offsets } = await segment.indexes()
  t.equal(offsets.floorPosition(2 ** 40), 300)
  t.equal(segment.endOffset, 2 ** 31 + 6)
})

t.test('an idle file is closed and opens again; a retired one does not', async t => {
  const disk = new CrashDisk()
  const segment = await grown(disk, 0, 1)
  t.equal(disk.openFiles, 1)
  await segment.use(async () => {})
  await segment.closeIfIdle()
  t.equal(disk.openFiles, 1, 'used since the last look')
  await segment.closeIfIdle()
  t.equal(disk.openFiles, 0)
  await segment.use(file => file.write([new Uint8Array(1)], 0))
  t.equal(disk.openFiles, 1)
  await segment.retire()
  t.equal(disk.openFiles, 0)
  await t.rejects(
    segment.use(async () => {}),
    /not in use/,
  )
})

t.test('the list finds segments by offset and gives up those below the log start', async t => {
  const disk = new CrashDisk()
  const list = new SegmentList()
  for (const base of [10, 20, 30]) list.add(await grown(disk, base, 10))
  const floor = (offset: number) => list.floor(offset)?.baseOffset
  t.strictSame([9, 10, 19, 20, 99].map(floor), [undefined, 10, 10, 20, 30])
  t.strictSame(
    [19, 20].map(offset => list.hasBelow(offset)),
    [false, true],
  )
  t.strictSame(
    list.dropBelow(29).map(segment => segment.baseOffset),
    [10],
  )
  t.strictSame(
    list.dropBelow(1000).map(segment => segment.baseOffset),
    [20],
    'never the active one',
  )
  t.equal(floor(20), undefined)
  const far = new Segment(disk, '/', 41, 0)
  t.throws(() => list.add(far), /begins where the one before it ends/)
})

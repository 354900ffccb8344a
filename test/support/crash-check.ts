/**
 * Crash check: opens what a crash has left and holds it against what was promised.
 *
 * Always true: it throws with a sentence at the first thing that is wrong; nothing it looks at is
 * changed before it was looked at.
 * Called by the crash tests of broker/storage.
 */
import assert from 'node:assert/strict'
import { walkBatches } from '../../broker/storage/batch-walk.ts'
import { Segment } from '../../broker/storage/segment.ts'
import type { PartitionLog } from '../../broker/storage/types.ts'
import type { Disk } from '../../broker/world/disk.ts'
import type { DiskImage } from '../simulation/platter.ts'
import type { CrashDisk } from './crash-disk.ts'
import { CrashRun, type Promised, type RunOptions } from './crash-run.ts'
import { batchOf, commit, readAll, valuesOf } from './storage-fixture.ts'

const directory = '/data/orders-0'

export interface CrashCase {
  readonly image: DiskImage
  readonly promised: Promised
  /** What the flush setting keeps over this kind of crash. */
  readonly required: number
  readonly options: RunOptions
}

interface Seen {
  readonly start: number
  readonly end: number
  readonly values: string[]
}

/** `whileOpening` gets the disk before the log is opened, to crash the recovery in turn. */
export async function checkCrash(
  { image, promised, required, options }: CrashCase,
  whileOpening?: (disk: CrashDisk) => void,
): Promise<void> {
  const first = new CrashRun({ ...options, image })
  whileOpening?.(first.disk)
  await first.open()
  const seen = await look(first, promised, required)
  await checkFiles(first.disk, first.log, directory)
  const again = new CrashRun({ ...options, image: first.disk.platter.cachedImage() })
  await again.open()
  assert.deepEqual(await look(again, promised, required), seen, 'a second recovery sees the same')
  await checkProducer(again.log, promised)
  assert.equal(
    await commit(again.log, batchOf({ values: ['after'] })),
    again.log.logEndOffset - 1,
    'appends go on',
  )
  const third = new CrashRun({ ...options, image: again.disk.platter.cachedImage() })
  await third.open()
  const last = valuesOf(await readAll(third.log, third.log.logStartOffset, 300)).at(-1)
  assert.equal(last, 'after', 'what was appended after the recovery is kept')
  assert.equal(third.log.epochBefore(third.log.highWatermark), again.log.leaderEpoch)
}

async function look(run: CrashRun, promised: Promised, required: number): Promise<Seen> {
  const { log } = run
  assert.deepEqual(run.fixture.deaths, [], 'the recovery does not end the process')
  assert.equal(log.describe().state, 'ok', `no crash is damage: ${log.describe().reason}`)
  const { logStartOffset: start, highWatermark: end } = log
  assert.ok(start >= promised.startMin, `start ${start} >= acked trim ${promised.startMin}`)
  assert.ok(start <= promised.startMax, `start ${start} <= wanted ${promised.startMax}`)
  assert.ok(end >= required, `end ${end} >= acked ${required}`)
  assert.ok(end <= Math.max(promised.values.length, start), `end ${end} <= appended`)
  assert.equal(log.logEndOffset, end)
  const values = valuesOf(await readAll(log, start, 300))
  assert.deepEqual(values, promised.values.slice(start, end), 'the records are those appended')
  return { start, end, values }
}

/** Index, time index and epochs of what recovery left are what a walk over the records gives. */
export async function checkFiles(disk: Disk, log: PartitionLog, directory: string): Promise<void> {
  const { segments } = log.describe()
  const { indexIntervalBytes } = log.settings
  for (const [at, { baseOffset, endOffset, sizeBytes, maxTimestamp }] of segments.entries()) {
    const rebuilt = new Segment(disk, directory, baseOffset, 0)
    const size = (await disk.stat(rebuilt.path('log')))?.size ?? -1
    assert.equal(size, sizeBytes, `${rebuilt.path('log')} ends with its last batch`)
    await rebuilt.use(file =>
      walkBatches(
        file,
        { from: 0, to: size, nextOffset: baseOffset, checkCrcFrom: 0 },
        (header, position) => {
          rebuilt.observe(header, indexIntervalBytes)
          const { leaderEpoch } = header
          const isInLog = header.baseOffset >= log.logStartOffset && position >= 0
          if (isInLog) assert.equal(log.epochBefore(header.lastOffset + 1), leaderEpoch)
          return true
        },
      ),
    )
    await rebuilt.retire()
    assert.equal(rebuilt.endOffset, endOffset)
    assert.equal(rebuilt.maxTimestamp, maxTimestamp)
    if (at < segments.length - 1) await checkIndexes(disk, rebuilt)
  }
}

async function checkIndexes(disk: Disk, rebuilt: Segment): Promise<void> {
  const { offsets, times } = await rebuilt.indexes()
  if (rebuilt.offsetOfMaxTimestamp >= 0) {
    times.maybeAppend(rebuilt.maxTimestamp, rebuilt.offsetOfMaxTimestamp)
  }
  for (const [suffix, index] of [
    ['index', offsets],
    ['timeindex', times],
  ] as const) {
    const path = rebuilt.path(suffix)
    const found = await disk.open(path, 'read')
    const bytes = await found.read(0, await found.size())
    await found.close()
    assert.deepEqual(bytes, index.encode(), `${path} is as a rebuild makes it`)
  }
}

/** Producer 7: what is in the log is known as a duplicate, what is lost is not. */
async function checkProducer(log: PartitionLog, promised: Promised): Promise<void> {
  const end = log.highWatermark
  const kept = promised.produced.filter(batch => batch.baseOffset + batch.values.length <= end)
  for (const { sequence, values, baseOffset } of kept.slice(-5)) {
    const again = log.appendAsLeader(batchOf({ values, producer: { id: 7, sequence } }))
    const lastOffset = baseOffset + values.length - 1
    assert.deepEqual(again, { baseOffset, lastOffset, duplicate: true }, 'a retry is a duplicate')
  }
  const last = kept.at(-1)
  const next = last === undefined ? 0 : last.sequence + last.values.length
  const gap = batchOf({ values: ['gap'], producer: { id: 7, sequence: next + 1 } })
  assert.throws(() => log.appendAsLeader(gap), 'a gap in the sequence is refused')
  await commit(log, batchOf({ values: ['next'], producer: { id: 7, sequence: next } }))
}
